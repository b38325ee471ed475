#include "bindings/bind.hpp"

#include "ct/sinogram_denoising.hpp"

namespace pyrad::bind {
namespace {

using Couple = std::array<double, 3>; // view, row, column

template <class T> pwls::Grid<T> grid_of(const std::array<i64, 3> &shape, const Couple &couplings) {
    if (shape[0] < 1 || shape[1] < 1 || shape[2] < 1)
        fail(ErrorKind::shape, "an axis is empty");
    return {shape[0],
            shape[1],
            shape[2],
            static_cast<T>(couplings[0]),
            static_cast<T>(couplings[1]),
            static_cast<T>(couplings[2])};
}

template <class T> void def_pwls(py::module_ &m) {
    m.def(
        "pwls_apply",
        [](const Array<T> &p, const Array<T> &weights, const Couple &couplings, Array<T> &out) {
            const auto given = input<3>(p, "p");
            const auto w = input<3>(weights, "weights");
            auto result = output<3>(out, "out");
            require_shape<3>(w.shape, given.shape, "weights");
            require_shape<3>(result.shape, given.shape, "out");
            const auto grid = grid_of<T>(given.shape, couplings);
            double sum = 0;
            run([&] { sum = pwls_apply<T>(given, w, grid, result); });
            return sum;
        },
        exact("p"), exact("weights"), "couplings"_a, exact("out"),
        "out = (W + L) p; returns <p, out>.");
    m.def(
        "pwls_step",
        [](double alpha, const Array<T> &p, const Array<T> &q, const Array<T> &weights,
           const Couple &couplings, Array<T> &x, Array<T> &r) {
            const auto direction = input<3>(p, "p");
            const auto applied = input<3>(q, "q");
            const auto w = input<3>(weights, "weights");
            auto solution = output<3>(x, "x");
            auto rest = output<3>(r, "r");
            for (const auto &shape : {applied.shape, w.shape, solution.shape, rest.shape})
                require_shape<3>(shape, direction.shape, "q, weights, x or r");
            const auto grid = grid_of<T>(direction.shape, couplings);
            double sum = 0;
            run([&] { sum = pwls_step<T>(alpha, direction, applied, w, grid, solution, rest); });
            return sum;
        },
        "alpha"_a, exact("p"), exact("q"), exact("weights"), "couplings"_a, exact("x"), exact("r"),
        "x += alpha p, r -= alpha q; returns <r, r / diagonal>.");
    m.def(
        "pwls_direction",
        [](double beta, const Array<T> &r, const Array<T> &weights, const Couple &couplings,
           Array<T> &p) {
            const auto rest = input<3>(r, "r");
            const auto w = input<3>(weights, "weights");
            auto direction = output<3>(p, "p");
            require_shape<3>(w.shape, rest.shape, "weights");
            require_shape<3>(direction.shape, rest.shape, "p");
            const auto grid = grid_of<T>(rest.shape, couplings);
            run([&] { pwls_direction<T>(beta, rest, w, grid, direction); });
        },
        "beta"_a, exact("r"), exact("weights"), "couplings"_a, exact("p"),
        "p = r / diagonal + beta p.");
}

} // namespace

void bind_ct_sinogram_denoising(py::module_ &m) {
    def_pwls<float>(m);
    def_pwls<double>(m);
}

} // namespace pyrad::bind
