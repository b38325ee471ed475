// Running sums along x, extended beyond both ends, make a chord two reads: a sphere of 10^3 voxels
// costs its 10^2 chords.
#include "texture/sphere_means.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace pyrad {
namespace {

// Rows of running sums and counts, `reach` constant values before and after each.
struct Sums {
    i64 width;
    std::vector<double> sum;
    std::vector<i32> number;
};

template <class T> void run_row(const T *row, i64 n, i64 reach, double *sum, i32 *number) {
    double total = 0;
    i32 known = 0;
    for (i64 k = 0; k <= reach; ++k) {
        sum[k] = 0;
        number[k] = 0;
    }
    for (i64 x = 0; x < n; ++x) {
        const bool finite = std::isfinite(row[x]);
        total += finite ? static_cast<double>(row[x]) : 0.0;
        known += finite;
        sum[reach + x + 1] = total;
        number[reach + x + 1] = known;
    }
    for (i64 k = 0; k < reach; ++k) {
        sum[reach + n + 1 + k] = total;
        number[reach + n + 1 + k] = known;
    }
}

PYRAD_CLONES void add_chord(const double *sum, const i32 *number, i64 n, i64 h,
                            double *__restrict total, i32 *__restrict count) {
    for (i64 x = 0; x < n; ++x)
        total[x] += sum[x + h + 1] - sum[x - h];
    for (i64 x = 0; x < n; ++x)
        count[x] += number[x + h + 1] - number[x - h];
}

} // namespace

template <class T>
void sphere_means(View<const T, 3> values, View<const u8, 3> mask, const i64 *begin,
                  const i32 *chords, i64 count, double *out, i64 out_size) {
    const i64 nz = values.shape[0], ny = values.shape[1], nx = values.shape[2];
    const i64 my = mask.shape[1], mx = mask.shape[2], rows = mask.shape[0] * my;
    i64 reach = 0;
    for (i64 c = 0; c < count; ++c)
        reach = std::max<i64>(reach, chords[3 * c + 2]);
    Sums sums{nx + 1 + 2 * reach, {}, {}};
    sums.sum.resize(nz * ny * sums.width);
    sums.number.resize(nz * ny * sums.width);
    parallel_for(nz * ny, 16, [&](i64 first, i64 last, int) {
        for (i64 r = first; r < last; ++r)
            run_row(values.data + r * nx, nx, reach, sums.sum.data() + r * sums.width,
                    sums.number.data() + r * sums.width);
    });
    std::vector<i64> start(rows + 1);
    for (i64 r = 0; r < rows; ++r)
        start[r + 1] = start[r] + std::count_if(mask.data + r * mx, mask.data + (r + 1) * mx,
                                                [](u8 m) { return m != 0; });
    if (start[rows] != out_size)
        fail(ErrorKind::shape, "out has ", out_size, " elements, the mask ", start[rows]);
    parallel_for(rows, 4, [&](i64 first, i64 last, int) {
        std::vector<double> total(mx);
        std::vector<i32> number(mx);
        for (i64 r = first; r < last; ++r) {
            if (start[r + 1] == start[r])
                continue;
            poll();
            std::fill(total.begin(), total.end(), 0.0);
            std::fill(number.begin(), number.end(), 0);
            for (i64 c = 0; c < count; ++c) {
                const i32 *chord = chords + 3 * c;
                const i64 z = r / my + begin[0] + chord[0], y = r % my + begin[1] + chord[1];
                if (z < 0 || z >= nz || y < 0 || y >= ny)
                    continue;
                const i64 at = (z * ny + y) * sums.width + begin[2] + reach;
                add_chord(sums.sum.data() + at, sums.number.data() + at, mx, chord[2], total.data(),
                          number.data());
            }
            double *to = out + start[r];
            for (i64 x = 0; x < mx; ++x)
                if (mask.data[r * mx + x])
                    *to++ = total[x] / number[x];
        }
    });
}

template void sphere_means(View<const float, 3>, View<const u8, 3>, const i64 *, const i32 *, i64,
                           double *, i64);
template void sphere_means(View<const double, 3>, View<const u8, 3>, const i64 *, const i32 *, i64,
                           double *, i64);

} // namespace pyrad
