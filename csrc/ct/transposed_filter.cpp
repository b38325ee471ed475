// Weighting and ramp filter of FDK (Feldkamp, Davis & Kress 1984, doi 10.1364/JOSAA.1.000612) in
// one pass: rows are weighted as they are loaded into the lanes of lane_convolution.hpp, where one
// column of a batch of rows is contiguous, which is just the transposed layout that the
// backprojection reads.
#include "ct/transposed_filter.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "ct/backproject_cone.hpp"
#include "ct/lane_convolution.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

namespace conv = convolution;

template <class T> struct Rows {
    const T *value, *cosine, *rays; // first row of the batch
    i64 count, columns;
};

// Column c of the batch is the batch's rows in order: re holds the first half, im the second.
template <class T> PYRAD_CLONES void load(const Rows<T> &rows, T *__restrict data) {
    constexpr i64 batch = conv::batch<T>, strip = 16;
    for (i64 c0 = 0; c0 < rows.columns; c0 += strip) {
        const i64 width = std::min(strip, rows.columns - c0);
        for (i64 r = 0; r < rows.count; ++r) {
            const T *p = rows.value + r * rows.columns + c0;
            const T *w = rows.cosine + r * rows.columns + c0, *k = rows.rays + c0;
            T *to = data + c0 * batch + r;
            for (i64 c = 0; c < width; ++c)
                to[c * batch] = p[c] * (w[c] * k[c]);
        }
        for (i64 r = rows.count; r < batch; ++r)
            for (i64 c = 0; c < width; ++c)
                data[(c0 + c) * batch + r] = T(0);
    }
}

template <class T>
PYRAD_CLONES void store(const T *data, i64 count, i64 columns, T scale, T *out, i64 stride) {
    for (i64 c = 0; c < columns; ++c)
        for (i64 r = 0; r < count; ++r)
            out[c * stride + r] = scale * data[c * conv::batch<T> + r];
}

// The zeros around one view's columns.
template <class T> void clear_margins(View<T, 3> out, i64 view, i64 rows) {
    const i64 columns = out.shape[1], stride = out.shape[2];
    std::fill_n(&out(view, 0, 0), stride, T(0));
    std::fill_n(&out(view, columns - 1, 0), stride, T(0));
    for (i64 c = 1; c + 1 < columns; ++c) {
        T *column = &out(view, c, 0);
        std::fill(column, column + row_pad, T(0));
        std::fill(column + row_pad + rows, column + stride, T(0));
    }
}

} // namespace

template <class T>
void filter_transposed(View<const T, 3> x, View<const T, 3> cosine, View<const T, 2> rays,
                       View<const T, 1> response, View<const T, 1> scale, i64 before,
                       View<T, 3> out) {
    constexpr i64 batch = conv::batch<T>;
    const i64 rows = x.shape[1], columns = x.shape[2], widened = out.shape[1] - 2;
    const i64 batches = (rows + batch - 1) / batch;
    const auto plan = conv::make_plan(response);
    std::vector<std::vector<conv::Wide<T>>> scratch(max_workers());
    parallel_for(x.shape[0] * batches, 1, [&](i64 begin, i64 end, int worker) {
        auto &data = scratch[worker];
        data.resize(plan.size);
        for (i64 item = begin; item < end; ++item) {
            const i64 v = item / batches, first = item % batches * batch;
            const i64 count = std::min(batch, rows - first);
            const Rows<T> given{&x(v, first, 0), &cosine(cosine.shape[0] > 1 ? v : 0, first, 0),
                                &rays(rays.shape[0] > 1 ? v : 0, 0), count, columns};
            std::fill_n(data.begin(), before, conv::Wide<T>{});
            load(given, data[before].re);
            std::fill(data.begin() + before + columns, data.begin() + plan.size / 2,
                      conv::Wide<T>{});
            conv::convolve(data.data(), plan);
            store(data[0].re, count, widened, scale(v), &out(v, 1, row_pad + first), out.shape[2]);
            if (first == 0)
                clear_margins(out, v, rows);
        }
    });
}

template void filter_transposed(View<const float, 3>, View<const float, 3>, View<const float, 2>,
                                View<const float, 1>, View<const float, 1>, i64, View<float, 3>);
template void filter_transposed(View<const double, 3>, View<const double, 3>, View<const double, 2>,
                                View<const double, 1>, View<const double, 1>, i64, View<double, 3>);

} // namespace pyrad
