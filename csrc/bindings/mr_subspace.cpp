#include "bindings/bind.hpp"
#include "bindings/complex.hpp"

#include "mr/subspace_mix.hpp"

namespace pyrad::bind {
namespace {

template <class T> void def_mix_spectra(py::module_ &m) {
    using C = std::complex<T>;
    m.def(
        "mix_spectra",
        [](const Array<C> &matrices, Array<C> &grids) {
            auto out = output<3>(grids, "grids");
            const auto [rank, cells, lanes] = out.shape;
            const auto in = input<2>(matrices, "matrices");
            require_shape<2>(in.shape, {cells, rank * (rank + 1) / 2}, "matrices");
            run([&, rank = rank, cells = cells, lanes = lanes] {
                mix_spectra(reals(in.data), rank, cells, lanes, reals(out.data));
            });
        },
        exact("matrices"), exact("grids"),
        "grids (rank, cells, lanes) mixed by one Hermitian matrix per cell (lower triangle).");
}

} // namespace

void bind_mr_subspace(py::module_ &m) {
    def_mix_spectra<float>(m);
    def_mix_spectra<double>(m);
}

} // namespace pyrad::bind
