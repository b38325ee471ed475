// CUDA twin of local_first_order.cpp: a warp takes a window. Order statistics are found bit by bit
// from the top, all at once, by counting the values below; entropy and uniformity from counters of
// the grey levels.
#include "texture/first_order_math.hpp"
#include "texture/local_lanes.hpp"

namespace {

using namespace pyrad;

constexpr int quantile_count = 5;

// Scratch of one window: the values inside the region, their levels, a counter for every level.
struct Window {
    double *values;
    int *seen, *counters;
    int size; // voxels inside the region
};

// A whole number that grows with x, without the `drop` lowest bits of its fraction, which are 0.
template <int drop> __device__ u64 key_of(double x) {
    const u64 bits = static_cast<u64>(__double_as_longlong(x));
    return (bits ^ (bits >> 63 ? ~u64(0) : u64(1) << 63)) >> drop;
}

template <int drop> __device__ double value_of(u64 key) {
    const u64 bits = key << drop;
    return __longlong_as_double(
        static_cast<i64>(bits >> 63 ? bits ^ u64(1) << 63 : ~bits >> drop << drop));
}

__device__ u64 lanes_least(u64 x) {
    for (int step = window_lanes / 2; step > 0; step /= 2)
        x = min_of(x, __shfl_xor_sync(0xffffffffu, x, step));
    return x;
}

// Lists the voxels inside the region, in the window's order.
template <class T, class L>
__device__ int list_window(const T *values, const L *levels, i64 centre, const int *reach,
                           i64 plane, i64 row, const Window &w) {
    const int ny = 2 * reach[1] + 1, nx = 2 * reach[2] + 1, all = (2 * reach[0] + 1) * ny * nx;
    int known = 0;
    for (int first = 0; first < all; first += window_lanes) {
        const int v = first + static_cast<int>(threadIdx.x);
        const i64 at = centre + (v / (ny * nx) - reach[0]) * plane +
                       (v / nx % ny - reach[1]) * row + v % nx - reach[2];
        const int level = v < all ? static_cast<int>(levels[at]) : 0;
        const unsigned inside = __ballot_sync(0xffffffffu, level != 0);
        if (level) {
            const int place = known + __popc(inside & ((1u << threadIdx.x) - 1));
            w.values[place] = static_cast<double>(values[at]);
            w.seen[place] = level;
            w.counters[level] = 0;
        }
        known += __popc(inside);
    }
    __syncwarp();
    return known;
}

// The quantiles of the window, and its extremes.
template <int drop> __device__ void find_quantiles(const Window &w, FirstOrderSums &s) {
    const double shares[quantile_count] = {0.10, 0.25, 0.50, 0.75, 0.90};
    u64 low = ~u64(0), high = low; // high: of the complements
    for (int v = threadIdx.x; v < w.size; v += window_lanes) {
        const u64 key = key_of<drop>(w.values[v]);
        low = min_of(low, key);
        high = min_of(high, ~key);
    }
    low = lanes_least(low);
    high = ~lanes_least(high);
    const int bits = low == high ? 0 : 64 - __clzll(static_cast<long long>(low ^ high));
    const u64 shared = bits == 64 ? 0 : low >> bits << bits;
    u64 found[quantile_count], above[quantile_count];
    int wanted[quantile_count], below[quantile_count];
    for (int q = 0; q < quantile_count; ++q) {
        wanted[q] = static_cast<int>(shares[q] * (w.size - 1));
        found[q] = shared;
    }
    for (int bit = bits - 1; bit >= 0; --bit) {
        for (int q = 0; q < quantile_count; ++q)
            below[q] = 0;
        for (int v = threadIdx.x; v < w.size; v += window_lanes) {
            const u64 key = key_of<drop>(w.values[v]);
            for (int q = 0; q < quantile_count; ++q)
                below[q] += key < (found[q] | u64(1) << bit);
        }
        for (int q = 0; q < quantile_count; ++q)
            found[q] |= lanes_sum(below[q]) <= wanted[q] ? u64(1) << bit : 0;
    }
    for (int q = 0; q < quantile_count; ++q) {
        below[q] = 0;
        above[q] = ~u64(0);
    }
    for (int v = threadIdx.x; v < w.size; v += window_lanes) {
        const u64 key = key_of<drop>(w.values[v]);
        for (int q = 0; q < quantile_count; ++q) {
            below[q] += key <= found[q];
            above[q] = key > found[q] ? min_of(above[q], key) : above[q];
        }
    }
    double *const to[quantile_count] = {&s.p10, &s.p25, &s.median, &s.p75, &s.p90};
    for (int q = 0; q < quantile_count; ++q) {
        const int up_to = lanes_sum(below[q]);
        const u64 next = lanes_least(above[q]);
        const bool same = up_to > wanted[q] + 1 || wanted[q] + 1 >= w.size;
        *to[q] = quantile_between(value_of<drop>(found[q]), value_of<drop>(same ? found[q] : next),
                                  shares[q] * (w.size - 1) - wanted[q]);
    }
    s.minimum = value_of<drop>(low);
    s.maximum = value_of<drop>(high);
}

__device__ void find_sums(const Window &w, double shift, FirstOrderSums &s) {
    double sum = 0, squares = 0, kept = 0, kept_sum = 0;
    for (int v = threadIdx.x; v < w.size; v += window_lanes) {
        const double x = w.values[v];
        sum += x;
        squares += (x + shift) * (x + shift);
    }
    s.squares = lanes_sum(squares);
    sum = lanes_sum(sum);
    s.mean = s.minimum == s.maximum ? s.minimum : sum / s.n;
    for (int v = threadIdx.x; v < w.size; v += window_lanes) {
        const double x = w.values[v];
        const bool within = x >= s.p10 && x <= s.p90;
        kept += within ? 1.0 : 0.0;
        kept_sum += within ? x - s.mean : 0.0;
    }
    kept = lanes_sum(kept);
    const double centre = s.mean + lanes_sum(kept_sum) / kept;
    for (int v = threadIdx.x; v < w.size; v += window_lanes)
        add_deviations(w.values[v], centre, s);
    s.second = lanes_sum(s.second);
    s.third = lanes_sum(s.third);
    s.fourth = lanes_sum(s.fourth);
    s.absolute = lanes_sum(s.absolute);
    s.about_median = lanes_sum(s.about_median);
    s.robust = kept > 0 ? lanes_sum(s.robust) / kept : nan("");
}

__device__ void find_shares(const Window &w, FirstOrderSums &s) {
    double log_sum = 0, squares = 0; // sums over voxels of log2 c and c are those of c log2 c, c^2
    for (int v = threadIdx.x; v < w.size; v += window_lanes)
        atomicAdd(&w.counters[w.seen[v]], 1);
    __syncwarp();
    for (int v = threadIdx.x; v < w.size; v += window_lanes) {
        const double c = w.counters[w.seen[v]];
        log_sum += log2(c);
        squares += c;
    }
    const double bits = log2(s.n) - lanes_sum(log_sum) / s.n;
    s.entropy = bits > 1e-11 ? bits : 0.0; // 0, or at least 1 / n
    s.uniformity = lanes_sum(squares) / (s.n * s.n);
}

struct Statistics {
    double shift, voxel_volume, excess, flat;
};

// numbers: a window's size of doubles for each window, counters: as many ints and ng + 1.
template <class T, class L>
__device__ void local_first_order(const T *values, const L *levels, const i64 *centres, i64 count,
                                  i64 plane, i64 row, const int *reach, int ng,
                                  const Statistics &settings, double *numbers, int *counters,
                                  double *out) {
    const i64 index = static_cast<i64>(blockIdx.x) * windows_per_block + threadIdx.y;
    if (index >= count)
        return;
    const i64 size = (2 * reach[0] + 1) * (2 * reach[1] + 1) * (2 * reach[2] + 1);
    int *const ints = counters + index * (size + ng + 1);
    Window w{numbers + index * size, ints, ints + size, 0};
    w.size = list_window(values, levels, centres[index], reach, plane, row, w);
    double *const to = out + index * first_order_feature_count;
    if (w.size == 0) {
        for (int f = threadIdx.x; f < first_order_feature_count; f += window_lanes)
            to[f] = nan("");
        return;
    }
    FirstOrderSums s{};
    s.n = w.size;
    constexpr int drop = sizeof(T) == sizeof(float) ? 29 : 0;
    find_quantiles<drop>(w, s);
    find_sums(w, settings.shift, s);
    find_shares(w, s);
    s.voxel_volume = settings.voxel_volume;
    if (threadIdx.x == 0)
        first_order_finish(s, settings.excess, settings.flat, nan(""), to);
}

} // namespace

#define PYRAD_LOCAL(T, L)                                                                          \
    const T *values, const L *levels, const long long *centres, long long count, long long plane,  \
        long long row, int reach_z, int reach_y, int reach_x, int ng, double shift,                \
        double voxel_volume, double excess, double flat, double *numbers, int *counters,           \
        double *out

#define PYRAD_LOCAL_BODY                                                                           \
    const int reach[3] = {reach_z, reach_y, reach_x};                                              \
    local_first_order(values, levels, centres, count, plane, row, reach, ng,                       \
                      Statistics{shift, voxel_volume, excess, flat}, numbers, counters, out)

PYRAD_KERNEL(local_first_order_f32_u8)
(PYRAD_LOCAL(float, unsigned char)) { PYRAD_LOCAL_BODY; }

PYRAD_KERNEL(local_first_order_f32_u16)
(PYRAD_LOCAL(float, unsigned short)) { PYRAD_LOCAL_BODY; }

PYRAD_KERNEL(local_first_order_f64_u8)
(PYRAD_LOCAL(double, unsigned char)) { PYRAD_LOCAL_BODY; }

PYRAD_KERNEL(local_first_order_f64_u16)
(PYRAD_LOCAL(double, unsigned short)) { PYRAD_LOCAL_BODY; }
