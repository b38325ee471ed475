#include "bindings/bind.hpp"

#include "denoise/bilateral.hpp"
#include "denoise/rank_filter.hpp"
#include "filters/pad_rows.hpp"

namespace pyrad::bind {
namespace {

template <class T> void def_pad_rows(py::module_ &m) {
    m.def(
        "pad_rows",
        [](const Array<T> &x, const Array<i64> &source, i64 before, int boundary, Array<T> &out) {
            const auto in = input<2>(x, "x");
            const auto rows = input<1>(source, "source");
            const auto result = output<2>(out, "out");
            if (rows.shape[0] != result.shape[0])
                fail(ErrorKind::shape, "source has ", rows.shape[0], " entries, but out has ",
                     result.shape[0], " rows");
            if (before < 0 || in.shape[1] < 1)
                fail(ErrorKind::shape, "before is ", before, " and rows have ", in.shape[1],
                     " samples");
            for (i64 r = 0; r < rows.shape[0]; ++r)
                if (rows.data[r] >= in.shape[0])
                    fail(ErrorKind::shape, "source names row ", rows.data[r], ", but x has ",
                         in.shape[0]);
            if (boundary < 0 || boundary > static_cast<int>(Boundary::mirror))
                fail(ErrorKind::data, "boundary is ", boundary, ", expected 0 to 3");
            run([&] { pad_rows(in, rows.data, before, static_cast<Boundary>(boundary), result); });
        },
        exact("x"), exact("source"), "before"_a, "boundary"_a, exact("out"),
        "out[r, k] = x[source[r], k - before], continued by the boundary; source -1: zeros.");
}

// Every sample that a window may read lies in the padded image.
template <class T>
void require_inside(const Array<T> &padded, View<const i64, 1> starts, View<const i64, 1> offsets,
                    i64 width, View<T, 2> out) {
    if (starts.shape[0] != out.shape[0])
        fail(ErrorKind::shape, "starts has ", starts.shape[0], " entries, but out has ",
             out.shape[0], " rows");
    if (offsets.shape[0] < 1 || width < 1)
        fail(ErrorKind::shape, "the window is empty");
    const auto [first, last] = std::minmax_element(starts.data, starts.data + starts.shape[0]);
    const auto [least, most] = std::minmax_element(offsets.data, offsets.data + offsets.shape[0]);
    if (out.size() > 0 && (*first + *least < 0 || *last + *most + out.shape[1] + width - 1 >
                                                      static_cast<i64>(padded.size())))
        fail(ErrorKind::shape, "windows reach beyond the padded image of ", padded.size(),
             " samples");
}

template <class T> void def_rank_filter(py::module_ &m) {
    m.def(
        "rank_filter",
        [](const Array<T> &padded, const Array<i64> &starts, const Array<i64> &offsets, i64 width,
           i64 rank, Array<T> &out) {
            const auto rows = input<1>(starts, "starts"), window = input<1>(offsets, "offsets");
            const auto result = output<2>(out, "out");
            require_inside(padded, rows, window, width, result);
            if (rank < 0 || rank >= window.shape[0] * width)
                fail(ErrorKind::shape, "rank is ", rank, ", but the window holds ",
                     window.shape[0] * width, " values");
            if (result.size() == 0)
                return;
            run([&] {
                rank::rank_filter(padded.data(), static_cast<i64>(padded.size()), rows.data,
                                  {window.data, window.shape[0], width, rank}, result);
            });
        },
        exact("padded"), exact("starts"), exact("offsets"), "width"_a, "rank"_a, exact("out"),
        "out[r, i] = value of this rank among padded[starts[r] + i + offsets + (0 ... width - "
        "1)].");
}

template <class T> void def_bilateral(py::module_ &m) {
    m.def(
        "bilateral",
        [](const Array<T> &guide, const Array<T> &values, const Array<i64> &starts,
           const Array<i64> &offsets, const Array<T> &exponents, i64 centre, double scale,
           Array<T> &out) {
            const auto rows = input<1>(starts, "starts"), window = input<1>(offsets, "offsets");
            const auto weights = input<1>(exponents, "exponents");
            const auto result = output<2>(out, "out");
            require_shape<1>(weights.shape, window.shape, "exponents");
            if (guide.size() != values.size())
                fail(ErrorKind::shape, "guide has ", guide.size(), " samples, but values has ",
                     values.size());
            require_inside(guide, rows, window, 1, result);
            require_inside(guide, rows, contiguous<const i64, 1>(&centre, {1}), 1, result);
            if (result.size() == 0)
                return;
            run([&] {
                bilateral::bilateral<T>(
                    guide.data(), values.data(), rows.data,
                    {window.data, weights.data, window.shape[0], centre, static_cast<T>(scale)},
                    result);
            });
        },
        exact("guide"), exact("values"), exact("starts"), exact("offsets"), exact("exponents"),
        "centre"_a, "scale"_a, exact("out"),
        "Mean of values around each voxel, weights exp(-exponents - (scale difference of "
        "guide)^2).");
}

template <class T> void def_local_all(py::module_ &m) {
    def_bilateral<T>(m);
    def_pad_rows<T>(m);
    def_rank_filter<T>(m);
}

} // namespace

void bind_denoise_local(py::module_ &m) {
    def_local_all<float>(m);
    def_local_all<double>(m);
}

} // namespace pyrad::bind
