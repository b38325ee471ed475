#include "bindings/bind.hpp"

#include "denoise/tgv.hpp"
#include "denoise/tv.hpp"

namespace pyrad::bind {
namespace {

using Spacing = std::vector<double>;

template <class T>
tv::Grid tv_grid(const Array<T> &f, const Array<T> &dual, const Spacing &inverse_spacing,
                 bool isotropic) {
    const auto size = shape_of<4>(f, "f");
    const int dims = static_cast<int>(inverse_spacing.size());
    if (dims < 1 || dims > 3)
        fail(ErrorKind::shape, "inverse_spacing has ", dims, " entries, expected 1 to 3");
    if (size[0] < 1 || size[0] > tv::max_channels)
        fail(ErrorKind::shape, "f has ", size[0], " channels, expected 1 to ", tv::max_channels);
    if (size[1] * size[2] * size[3] == 0 || (dims < 3 && size[1] != 1) ||
        (dims < 2 && size[2] != 1))
        fail(ErrorKind::shape, "f has shape (", size[0], ", ", size[1], ", ", size[2], ", ",
             size[3], "), which is no image of ", dims, " dimensions");
    require_shape<5>(shape_of<5>(dual, "dual"), {size[0], dims, size[1], size[2], size[3]}, "dual");
    tv::Grid grid{static_cast<int>(size[0]), dims, size[1], size[2], size[3], {}, isotropic};
    std::copy(inverse_spacing.begin(), inverse_spacing.end(), grid.inverse_spacing.begin());
    return grid;
}

template <class T> void def_tv_fgp(py::module_ &m) {
    m.def(
        "tv_fgp",
        [](const Array<T> &f, double weight, const Spacing &inverse_spacing, bool isotropic,
           double step, const std::vector<double> &momentum, Array<T> &dual, Array<T> &previous) {
            const auto grid = tv_grid(f, dual, inverse_spacing, isotropic);
            auto p = output<5>(dual, "dual"), old = output<5>(previous, "previous");
            require_shape<5>(old.shape, p.shape, "previous");
            run([&] {
                tv::fgp(f.data(), weight, grid, step, momentum.data(),
                        static_cast<i64>(momentum.size()), p.data, old.data);
            });
        },
        exact("f"), "weight"_a, "inverse_spacing"_a, "isotropic"_a, "step"_a, "momentum"_a,
        exact("dual"), exact("previous"),
        "One FGP step of ROF-TV per momentum; dual and previous are the last two iterates.");
}

template <class T> void def_tv_pdhg(py::module_ &m) {
    m.def(
        "tv_pdhg",
        [](const Array<T> &f, double weight, const Spacing &inverse_spacing, bool isotropic,
           const std::vector<std::array<double, 3>> &steps, Array<T> &dual, Array<T> &image,
           Array<T> &previous) {
            const auto grid = tv_grid(f, dual, inverse_spacing, isotropic);
            auto p = output<5>(dual, "dual");
            auto u = output<4>(image, "image"), old = output<4>(previous, "previous");
            require_shape<4>(u.shape, shape_of<4>(f, "f"), "image");
            require_shape<4>(old.shape, u.shape, "previous");
            run([&] {
                tv::pdhg(f.data(), weight, grid, steps.empty() ? nullptr : steps[0].data(),
                         static_cast<i64>(steps.size()), p.data, u.data, old.data);
            });
        },
        exact("f"), "weight"_a, "inverse_spacing"_a, "isotropic"_a, "steps"_a, exact("dual"),
        exact("image"), exact("previous"),
        "One PDHG step of ROF-TV per (tau, sigma, theta); image and previous are the last two.");
}

template <class T> void def_tv_values(py::module_ &m) {
    m.def(
        "tv_primal",
        [](const Array<T> &f, double weight, const Spacing &inverse_spacing, const Array<T> &dual,
           Array<T> &out) {
            const auto grid = tv_grid(f, dual, inverse_spacing, true);
            auto u = output<4>(out, "out");
            require_shape<4>(u.shape, shape_of<4>(f, "f"), "out");
            run([&] { tv::primal(f.data(), weight, grid, dual.data(), u.data); });
        },
        exact("f"), "weight"_a, "inverse_spacing"_a, exact("dual"), exact("out"),
        "out = f + weight div dual.");
    m.def(
        "tv_objectives",
        [](const Array<T> &f, const Array<T> &image, double weight, const Spacing &inverse_spacing,
           bool isotropic, const Array<T> &dual) {
            const auto grid = tv_grid(f, dual, inverse_spacing, isotropic);
            require_shape<4>(shape_of<4>(image, "image"), shape_of<4>(f, "f"), "image");
            tv::Objectives value{};
            run([&] { value = tv::objectives(f.data(), image.data(), weight, grid, dual.data()); });
            return py::make_tuple(value.primal, value.dual);
        },
        exact("f"), exact("image"), "weight"_a, "inverse_spacing"_a, "isotropic"_a, exact("dual"),
        "(P(image), D(dual)) of ROF-TV, summed in double precision.");
}

// The grid, after a look at the fields' shapes; image may be f itself.
template <class T>
tv::Grid tgv_grid(const Array<T> &f, const Array<T> &image, const Array<T> &vector,
                  const Array<T> &dual, const Array<T> &tensor, const Spacing &inverse_spacing) {
    const auto grid = tv_grid(f, dual, inverse_spacing, true);
    auto shape = shape_of<5>(dual, "dual");
    require_shape<5>(shape_of<5>(vector, "vector"), shape, "vector");
    shape[1] = tgv::tensor_size(grid.dims);
    require_shape<5>(shape_of<5>(tensor, "tensor"), shape, "tensor");
    require_shape<4>(shape_of<4>(image, "image"), shape_of<4>(f, "f"), "image");
    return grid;
}

template <class T> void def_tgv(py::module_ &m) {
    m.def(
        "tgv_pdhg",
        [](const Array<T> &f, const Spacing &inverse_spacing, const std::array<double, 7> &steps,
           i64 count, Array<T> &image, Array<T> &vector, Array<T> &dual, Array<T> &tensor) {
            const auto grid = tgv_grid(f, image, vector, dual, tensor, inverse_spacing);
            const tgv::State<T> state{
                output<4>(image, "image").data, output<5>(vector, "vector").data,
                output<5>(dual, "dual").data, output<5>(tensor, "tensor").data};
            run([&] { tgv::pdhg(f.data(), grid, steps, count, state); });
        },
        exact("f"), "inverse_spacing"_a, "steps"_a, "count"_a, exact("image"), exact("vector"),
        exact("dual"), exact("tensor"),
        "Relaxed primal-dual iterations of TGV; steps in the order of tgv_math.hpp.");
    m.def(
        "tgv_back",
        [](const Array<T> &f, const Spacing &inverse_spacing, const Array<T> &tensor, double factor,
           Array<T> &out) {
            const auto grid = tgv_grid(f, f, out, out, tensor, inverse_spacing);
            auto field = output<5>(out, "out");
            run([&] { tgv::back(tensor.data(), grid, factor, field.data); });
        },
        exact("f"), "inverse_spacing"_a, exact("tensor"), "factor"_a, exact("out"),
        "out = factor E^T tensor of TGV; f gives the shape.");
    m.def(
        "tgv_objectives",
        [](const Array<T> &f, const Spacing &inverse_spacing, const Array<T> &image,
           const Array<T> &vector, const Array<T> &tensor, const Array<T> &field) {
            const auto grid = tgv_grid(f, image, vector, field, tensor, inverse_spacing);
            std::array<double, tgv::terms> values{};
            run([&] {
                values = tgv::objectives<T>(f.data(),
                                            {image.data(), vector.data(), nullptr, tensor.data()},
                                            field.data(), grid);
            });
            return py::cast(values);
        },
        exact("f"), "inverse_spacing"_a, exact("image"), exact("vector"), exact("tensor"),
        exact("field"), "The seven terms of TGV's objectives (tgv_math.hpp).");
}

template <class T> void def_all(py::module_ &m) {
    def_tv_fgp<T>(m);
    def_tv_pdhg<T>(m);
    def_tv_values<T>(m);
    def_tgv<T>(m);
}

} // namespace

void bind_denoise_bm4d(py::module_ &m);
void bind_denoise_gibbs(py::module_ &m);

void bind_denoise(py::module_ &m) {
    def_all<float>(m);
    def_all<double>(m);
    bind_denoise_bm4d(m);
    bind_denoise_gibbs(m);
}

} // namespace pyrad::bind
