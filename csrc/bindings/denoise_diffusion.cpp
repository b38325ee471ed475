#include "bindings/bind.hpp"

#include "denoise/diffusion.hpp"
#include "denoise/tensor_diffusion.hpp"

namespace pyrad::bind {

void bind_denoise_diffusion(py::module_ &m);

namespace {

using InverseSpacing = std::array<double, 3>;

template <class T> View<const T, 3> margined(const Array<T> &u) {
    const auto image = input<3>(u, "u");
    if (image.shape[0] < 1 || image.shape[1] < 1 || image.shape[2] < 3)
        fail(ErrorKind::shape, "u has shape (", image.shape[0], ", ", image.shape[1], ", ",
             image.shape[2], "); expected rows with a margin at both ends");
    return image;
}

template <class T> diffusion::Step<T> step_of(const InverseSpacing &inverse_spacing) {
    diffusion::Step<T> step{};
    std::copy(inverse_spacing.begin(), inverse_spacing.end(), step.inverse);
    return step;
}

template <class T> void def_diffuse(py::module_ &m) {
    m.def(
        "diffuse",
        [](const Array<T> &u, const InverseSpacing &inverse_spacing, double tau, double kappa,
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
        [](const Array<T> &u, const InverseSpacing &inverse_spacing) {
            const auto image = margined(u);
            double sum = 0;
            run([&] { sum = diffusion::squared_gradient(image, step_of<T>(inverse_spacing)); });
            return sum;
        },
        exact("u"), "inverse_spacing"_a,
        "Sum of the squared central differences; rows of u have a margin.");
}

tensor::Spacing spacing_of(const InverseSpacing &inverse) {
    return {{inverse[0], inverse[1], inverse[2]}};
}

// Tensors of the cells of an image, faces included.
template <class T> void require_cells(View<const T, 3> u, const std::array<i64, 4> &shape) {
    require_shape<4>(shape, {6, u.shape[0] + 1, u.shape[1] + 1, u.shape[2] - 1}, "tensor");
}

template <class T> void def_tensors(py::module_ &m) {
    m.def(
        "edge_tensor",
        [](const Array<T> &u, const InverseSpacing &inverse_spacing, double kappa,
           Array<T> &tensor) {
            const auto image = margined(u);
            const auto cells = output<4>(tensor, "tensor");
            require_cells(image, cells.shape);
            run([&] { tensor::edge_tensor(image, spacing_of(inverse_spacing), kappa, cells); });
        },
        exact("u"), "inverse_spacing"_a, "kappa"_a, exact("tensor"),
        "Edge-enhancing diffusion tensors of an image, zz yy xx zy zx yx.");
    m.def(
        "gradient_products",
        [](const Array<T> &u, const InverseSpacing &inverse_spacing, Array<T> &tensor) {
            const auto image = margined(u);
            const auto cells = output<4>(tensor, "tensor");
            require_cells(image, cells.shape);
            run([&] { tensor::structure_tensor(image, spacing_of(inverse_spacing), cells); });
        },
        exact("u"), "inverse_spacing"_a, exact("tensor"),
        "Products of the components of the cells' gradients, zz yy xx zy zx yx.");
    m.def(
        "coherence_tensor",
        [](Array<T> &tensor, bool flat, double kappa, double alpha) {
            const auto cells = output<4>(tensor, "tensor");
            if (cells.shape[0] != 6)
                fail(ErrorKind::shape, "tensor has ", cells.shape[0], " components, expected 6");
            run([&] { tensor::coherence_tensor(cells, flat, kappa, alpha); });
        },
        exact("tensor"), "flat"_a, "kappa"_a, "alpha"_a,
        "Structure tensors become coherence-enhancing diffusion tensors, in place.");
    m.def(
        "tensor_step",
        [](const Array<T> &u, const Array<T> &tensor, const InverseSpacing &inverse_spacing,
           double tau, Array<T> &out) {
            const auto image = margined(u);
            const auto cells = input<4>(tensor, "tensor");
            const auto result = output<3>(out, "out");
            require_cells(image, cells.shape);
            auto shape = image.shape;
            if (result.shape[2] != shape[2])
                shape[2] -= 2;
            require_shape<3>(result.shape, shape, "out");
            if (result.data == image.data)
                fail(ErrorKind::data, "out is u, but samples are read again");
            run([&] {
                tensor::tensor_step(image, cells, spacing_of(inverse_spacing), tau, result);
            });
        },
        exact("u"), exact("tensor"), "inverse_spacing"_a, "tau"_a, exact("out"),
        "out = u + tau div(tensor grad u); rows of u have a margin, those of out may.");
}

} // namespace

void bind_denoise_diffusion(py::module_ &m) {
    def_diffuse<float>(m);
    def_diffuse<double>(m);
    def_tensors<float>(m);
    def_tensors<double>(m);
}

} // namespace pyrad::bind
