#include "bindings/bind.hpp"

#include "base/steps.hpp"
#include "denoise/differences.hpp"

namespace pyrad::bind {
namespace {

using differences::Grid;
using Spacing = std::vector<double>;

template <class T>
Grid grid_of(const Array<T> &x, const Spacing &inverse_spacing, const char *name) {
    const auto size = shape_of<3>(x, name);
    const int dims = static_cast<int>(inverse_spacing.size());
    if (dims < 1 || dims > 3)
        fail(ErrorKind::shape, "inverse_spacing has ", dims, " entries, expected 1 to 3");
    if (size[0] * size[1] * size[2] == 0 || (dims < 3 && size[0] != 1) ||
        (dims < 2 && size[1] != 1))
        fail(ErrorKind::shape, name, " has shape (", size[0], ", ", size[1], ", ", size[2],
             "), which is no image of ", dims, " dimensions");
    Grid grid{dims, size[0], size[1], size[2], {}};
    std::copy(inverse_spacing.begin(), inverse_spacing.end(), grid.inverse_spacing.begin());
    return grid;
}

template <class T> void require_field(const Array<T> &field, const Grid &grid, const char *name) {
    require_shape<4>(shape_of<4>(field, name), {grid.dims, grid.nz, grid.ny, grid.nx}, name);
}

template <class T> void def_differences(py::module_ &m) {
    m.def(
        "difference",
        [](const Array<T> &x, const Spacing &inverse_spacing, Array<T> &out) {
            const Grid grid = grid_of(x, inverse_spacing, "x");
            T *to = output<4>(out, "out").data;
            require_field(out, grid, "out");
            run([&] { differences::difference(x.data(), grid, to); });
        },
        exact("x"), "inverse_spacing"_a, exact("out"), "out = D x, forward differences.");
    m.def(
        "difference_adjoint",
        [](const Array<T> &field, const Spacing &inverse_spacing, Array<T> &out) {
            const Grid grid = grid_of(out, inverse_spacing, "out");
            T *to = output<3>(out, "out").data;
            require_field(field, grid, "field");
            run([&] { differences::difference_adjoint(field.data(), grid, to); });
        },
        exact("field"), "inverse_spacing"_a, exact("out"), "out = D^T field.");
    m.def(
        "difference_ascent",
        [](const Array<T> &x, const Spacing &inverse_spacing, double step, double radius,
           bool isotropic, Array<T> &field) {
            const Grid grid = grid_of(x, inverse_spacing, "x");
            T *to = output<4>(field, "field").data;
            require_field(field, grid, "field");
            differences::Change change{};
            run([&] {
                change =
                    differences::difference_ascent(x.data(), grid, step, radius, isotropic, to);
            });
            return py::make_tuple(change.changed, change.size);
        },
        exact("x"), "inverse_spacing"_a, "step"_a, "radius"_a, "isotropic"_a, exact("field"),
        "field <- field + step D x, projected onto |field| <= radius; returns the sums of squares "
        "of the change and of the new field.");
    m.def(
        "roughness_gradient",
        [](const Array<T> &x, const Spacing &inverse_spacing, double delta, bool huber,
           bool isotropic, double scale, Array<T> &out) {
            const Grid grid = grid_of(x, inverse_spacing, "x");
            T *to = output<3>(out, "out").data;
            require_shape<3>(shape_of<3>(out, "out"), shape_of<3>(x, "x"), "out");
            const auto potential =
                huber ? differences::Potential::huber : differences::Potential::hyperbola;
            run([&] {
                differences::roughness_gradient(x.data(), grid, delta, potential, isotropic, scale,
                                                to);
            });
        },
        exact("x"), "inverse_spacing"_a, "delta"_a, "huber"_a, "isotropic"_a, "scale"_a,
        exact("out"), "out += scale * gradient of the edge-preserving penalty at x.");
}

template <class T> void def_steps(py::module_ &m) {
    m.def(
        "scaled_step",
        [](double step, const Array<T> &scale, const Array<T> &update, double low, Array<T> &x) {
            const auto size = shape_of<1>(x, "x");
            require_shape<1>(shape_of<1>(scale, "scale"), size, "scale");
            require_shape<1>(shape_of<1>(update, "update"), size, "update");
            T *to = output<1>(x, "x").data;
            run([&] { steps::scaled_step(step, scale.data(), update.data(), low, to, size[0]); });
        },
        "step"_a, exact("scale"), exact("update"), "low"_a, exact("x"),
        "x = max(x + step * scale * update, low).");
    m.def(
        "momentum_step",
        [](const Array<T> &gradient, const Array<T> &scale, double factor, double weight,
           double mix, double low, const Array<T> &start, Array<T> &sum, Array<T> &z, Array<T> &x) {
            const auto size = shape_of<1>(gradient, "gradient");
            require_shape<1>(shape_of<1>(scale, "scale"), size, "scale");
            require_shape<1>(shape_of<1>(start, "start"), size, "start");
            const auto sums = output<1>(sum, "sum"), ahead = output<1>(z, "z"),
                       now = output<1>(x, "x");
            require_shape<1>(sums.shape, size, "sum");
            require_shape<1>(ahead.shape, size, "z");
            require_shape<1>(now.shape, size, "x");
            run([&] {
                steps::momentum_step(gradient.data(), scale.data(), factor, weight, mix, low,
                                     start.data(), sums.data, ahead.data, now.data, size[0]);
            });
        },
        exact("gradient"), exact("scale"), "factor"_a, "weight"_a, "mix"_a, "low"_a, exact("start"),
        exact("sum"), exact("z"), exact("x"),
        "One step of Nesterov's 2005 momentum in the diagonal metric 1 / (factor * scale).");
}

} // namespace

void bind_differences(py::module_ &m) {
    def_differences<float>(m);
    def_differences<double>(m);
    def_steps<float>(m);
    def_steps<double>(m);
}

} // namespace pyrad::bind
