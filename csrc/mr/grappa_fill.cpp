// k-space synthesis of GRAPPA: a missing sample of every coil is a weighted sum of the measured
// neighbours of all coils, with the weights of its pattern (M. A. Griswold et al., Magn. Reson.
// Med. 47 (2002), doi:10.1002/mrm.10171). Coils are interleaved: one value of a source coil meets a
// register of target coils. This is the portable loop; grappa_fill_x86.cpp has the fast ones.
#include "mr/grappa_fill.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 grain = 512;

// sum[re, im, re, im ...] += (re + i im) w
template <class T> PYRAD_CLONES void add_product(T re, T im, const T *w, i64 lanes, T *sum) {
    for (i64 j = 0; j < lanes; ++j) {
        sum[2 * j] += re * w[2 * j] - im * w[2 * j + 1];
        sum[2 * j + 1] += re * w[2 * j + 1] + im * w[2 * j];
    }
}

template <class T>
void fill_tile(const FillPlan<T> &plan, i64 p, const i64 *cells, i64 count, T *data) {
    std::vector<T> sum(2 * plan.lanes);
    for (i64 c = 0; c < count; ++c) {
        std::fill(sum.begin(), sum.end(), T(0));
        const T *w = plan.weights + 2 * plan.begin[p] * plan.coils * plan.lanes;
        for (i64 s = plan.begin[p]; s < plan.begin[p + 1]; ++s) {
            const T *x = data + 2 * (cells[c] + plan.offsets[s]) * plan.lanes;
            for (i64 i = 0; i < plan.coils; ++i, w += 2 * plan.lanes)
                add_product(x[2 * i], x[2 * i + 1], w, plan.lanes, sum.data());
        }
        std::copy(sum.begin(), sum.end(), data + 2 * cells[c] * plan.lanes);
    }
}

} // namespace

template <class T> void grappa_fill(const FillPlan<T> &plan, T *data) {
    FillTile<T> tile = wide_fill_tile<T>(plan.lanes);
    if (tile == nullptr)
        tile = &fill_tile<T>;
    const i64 *starts = plan.starts, *stop = starts + plan.patterns + 1;
    parallel_for(starts[plan.patterns] - starts[0], grain, [&](i64 begin, i64 end, int) {
        begin += starts[0];
        end += starts[0];
        for (i64 p = std::upper_bound(starts, stop, begin) - starts - 1; begin < end; ++p) {
            const i64 last = std::min(end, starts[p + 1]);
            tile(plan, p, plan.cells + begin, last - begin, data);
            begin = last;
        }
    });
}

template void grappa_fill(const FillPlan<float> &, float *);
template void grappa_fill(const FillPlan<double> &, double *);

} // namespace pyrad
