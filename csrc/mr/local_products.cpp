// Box sums of products, axis after axis: the products of a band are added over z while they are
// made, then over y, then over x. Plain sums instead of running ones: nothing cancels, and windows
// are small.
#include "mr/local_products.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "mr/local_products_math.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 band = 32; // rows of one task

// sum += a conj(b)
template <class T> PYRAD_CLONES void add_products(const T *a, const T *b, i64 count, T *sum) {
    for (i64 i = 0; i < count; ++i) {
        sum[2 * i] += a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1];
        sum[2 * i + 1] += a[2 * i + 1] * b[2 * i] - a[2 * i] * b[2 * i + 1];
    }
}

template <class T> PYRAD_CLONES void add(const T *x, i64 count, T *sum) {
    for (i64 i = 0; i < count; ++i)
        sum[i] += x[i];
}

// out[i] = sum of row over the box around first + i
template <class T>
PYRAD_CLONES void sum_along(const T *row, i64 size, i64 window, i64 first, i64 count, T *out) {
    std::fill(out, out + 2 * count, T(0));
    for (i64 d = 0; d < window; ++d) {
        const i64 shift = first + d - window / 2; // out[i] takes row[i + shift]
        const i64 begin = std::max<i64>(0, -shift), end = std::min(count, size - shift);
        for (i64 i = 2 * begin; i < 2 * end; ++i)
            out[i] += row[i + 2 * shift];
    }
}

} // namespace

template <class T>
void local_products(const T *left, const T *right, const Shape3 &shape, const i64 *chosen,
                    i64 products, const Shape3 &window, const Shape3 &first, const Shape3 &count,
                    T *out) {
    const i64 nx = shape[2], volume = shape[0] * shape[1] * nx;
    const i64 bands = (count[1] + band - 1) / band;
    parallel_for(products * count[0] * bands, 1, [&](i64 begin, i64 end, int) {
        std::vector<T> rows(2 * nx * (band + window[1])), column(2 * nx);
        for (i64 task = begin; task < end; ++task) {
            const i64 product = task / (count[0] * bands), z = task / bands % count[0];
            const i64 top = task % bands * band, bottom = std::min(top + band, count[1]);
            const T *a = left + 2 * volume * chosen[2 * product];
            const T *b = right + 2 * volume * chosen[2 * product + 1];
            const i64 y0 = box_begin(first[1] + top, window[1]);
            const i64 y1 = box_end(first[1] + bottom - 1, window[1], shape[1]);
            std::fill(rows.begin(), rows.end(), T(0));
            for (i64 zi = box_begin(first[0] + z, window[0]);
                 zi < box_end(first[0] + z, window[0], shape[0]); ++zi) {
                const i64 at = 2 * (zi * shape[1] + y0) * nx;
                add_products(a + at, b + at, (y1 - y0) * nx, rows.data());
                poll();
            }
            for (i64 y = top; y < bottom; ++y) {
                std::fill(column.begin(), column.end(), T(0));
                for (i64 yi = box_begin(first[1] + y, window[1]);
                     yi < box_end(first[1] + y, window[1], shape[1]); ++yi)
                    add(&rows[2 * (yi - y0) * nx], 2 * nx, column.data());
                sum_along(column.data(), nx, window[2], first[2], count[2],
                          out + 2 * ((product * count[0] + z) * count[1] + y) * count[2]);
            }
        }
    });
}

template void local_products(const float *, const float *, const Shape3 &, const i64 *, i64,
                             const Shape3 &, const Shape3 &, const Shape3 &, float *);
template void local_products(const double *, const double *, const Shape3 &, const i64 *, i64,
                             const Shape3 &, const Shape3 &, const Shape3 &, double *);

} // namespace pyrad
