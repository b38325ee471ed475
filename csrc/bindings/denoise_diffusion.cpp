#include "bindings/bind.hpp"

#include "denoise/diffusion.hpp"

namespace pyrad::bind {

void bind_denoise_diffusion(py::module_ &m);

namespace {

using Triple = std::array<double, 3>;

template <class T> View<const T, 3> margined(const Array<T> &u) {
    const auto image = input<3>(u, "u");
    if (image.shape[0] < 1 || image.shape[1] < 1 || image.shape[2] < 3)
        fail(ErrorKind::shape, "u has shape (", image.shape[0], ", ", image.shape[1], ", ",
             image.shape[2], "); expected rows with a margin at both ends");
    return image;
}

template <class T> diffusion::Step<T> step_of(const Triple &inverse_spacing) {
    diffusion::Step<T> step{};
    std::copy(inverse_spacing.begin(), inverse_spacing.end(), step.inverse);
    return step;
}

template <class T> void def_diffuse(py::module_ &m) {
    m.def(
        "diffuse",
        [](const Array<T> &u, const Triple &inverse_spacing, double tau, double kappa,
           bool reciprocal, bool curvature, Array<T> &out) {
            const auto image = margined(u);
            const auto result = output<3>(out, "out");
            auto shape = image.shape;
            if (result.shape[2] != shape[2])
                shape[2] -= 2;
            require_shape<3>(result.shape, shape, "out");
            if (result.data == image.data)
                fail(ErrorKind::data, "out is u, but samples are read again");
            auto step = step_of<T>(inverse_spacing);
            step.tau = static_cast<T>(tau);
            step.kappa = static_cast<T>(kappa);
            step.reciprocal = reciprocal;
            step.curvature = curvature;
            run([&] { diffusion::diffuse(image, step, result); });
        },
        exact("u"), "inverse_spacing"_a, "tau"_a, "kappa"_a, "reciprocal"_a, "curvature"_a,
        exact("out"),
        "One explicit step of anisotropic diffusion; rows of u have a margin, those of out may.");
    m.def(
        "squared_gradient",
        [](const Array<T> &u, const Triple &inverse_spacing) {
            const auto image = margined(u);
            double sum = 0;
            run([&] { sum = diffusion::squared_gradient(image, step_of<T>(inverse_spacing)); });
            return sum;
        },
        exact("u"), "inverse_spacing"_a,
        "Sum of the squared central differences; rows of u have a margin.");
}

} // namespace

void bind_denoise_diffusion(py::module_ &m) {
    def_diffuse<float>(m);
    def_diffuse<double>(m);
}

} // namespace pyrad::bind
