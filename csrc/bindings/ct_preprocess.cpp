#include "bindings/bind.hpp"

#include "ct/dose.hpp"
#include "ct/preprocess.hpp"

namespace pyrad::bind {
namespace {

template <class In, class T> void def_normalize(py::module_ &m) {
    m.def(
        "normalize_counts",
        [](const Array<In> &counts, const Array<T> &dark, const Array<T> &gain,
           const Array<T> &scale, double floor, Array<T> &out) {
            const auto given = input<2>(counts, "counts");
            const auto offset = input<1>(dark, "dark");
            const auto factor = input<1>(gain, "gain");
            const auto views = input<1>(scale, "scale");
            auto lines = output<2>(out, "out");
            require_shape<1>(offset.shape, {given.shape[1]}, "dark");
            require_shape<1>(factor.shape, {given.shape[1]}, "gain");
            require_shape<1>(views.shape, {given.shape[0]}, "scale");
            require_shape<2>(lines.shape, given.shape, "out");
            i64 unusable = 0;
            run([&] {
                unusable = normalize_counts<In, T>(given, offset, factor, views,
                                                   static_cast<T>(floor), lines);
            });
            return unusable;
        },
        exact("counts"), exact("dark"), exact("gain"), exact("scale"), "floor"_a, exact("out"),
        "-log of the transmission; returns how many counts have none.");
}

template <class T> void def_fill_rows(py::module_ &m) {
    m.def(
        "fill_rows",
        [](const Array<T> &x, const Array<u8> &mask, Array<T> &out) {
            const auto rows = input<2>(x, "x");
            const auto bad = input<2>(mask, "mask");
            auto result = output<2>(out, "out");
            require_shape<2>(bad.shape, rows.shape, "mask");
            require_shape<2>(result.shape, rows.shape, "out");
            run([&] { fill_rows<T>(rows, bad, result); });
        },
        exact("x"), exact("mask"), exact("out"),
        "Linear interpolation of the masked pixels of every row.");
}

template <class T> void def_simulate_dose(py::module_ &m) {
    m.def(
        "simulate_dose",
        [](const Array<T> &lines, const Array<double> &view_photons,
           const Array<double> &column_share, double electronic, double fraction, u64 seed,
           Array<T> &out) {
            const auto given = input<3>(lines, "lines");
            const auto photons = input<1>(view_photons, "view_photons");
            const auto share = input<1>(column_share, "column_share");
            auto noisy = output<3>(out, "out");
            require_shape<1>(photons.shape, {given.shape[0]}, "view_photons");
            require_shape<1>(share.shape, {given.shape[2]}, "column_share");
            require_shape<3>(noisy.shape, given.shape, "out");
            run([&] {
                simulate_dose<T>(given, photons, share, electronic, fraction, seed, noisy);
            });
        },
        exact("lines"), exact("view_photons"), exact("column_share"), "electronic"_a, "fraction"_a,
        "seed"_a, exact("out"),
        "Line integrals with the noise of so many photons; same seed, same noise.");
}

} // namespace

void bind_ct_preprocess(py::module_ &m) {
    def_normalize<u16, float>(m);
    def_normalize<float, float>(m);
    def_normalize<double, double>(m);
    def_fill_rows<float>(m);
    def_fill_rows<double>(m);
    def_simulate_dose<float>(m);
    def_simulate_dose<double>(m);
}

} // namespace pyrad::bind
