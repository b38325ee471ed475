// CUDA twin of local_first_order.cpp: one thread per window, sorting its values in `scratch`
// (2 * window_size numbers per thread: intensities, then grey levels).
#include "texture/first_order_math.hpp"

namespace {

using namespace pyrad;

// Appends x to n sorted values.
__device__ void insert(double x, double *sorted, int n) {
    for (; n > 0 && sorted[n - 1] > x; --n)
        sorted[n] = sorted[n - 1];
    sorted[n] = x;
}

template <class T, class L>
__device__ void local_first_order(const T *values, const L *levels, const i64 *centres, i64 count,
                                  const i64 *window, int window_size, double shift,
                                  double voxel_volume, double excess, double flat, double *scratch,
                                  double *out) {
    const i64 c = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (c >= count)
        return;
    double *const inside = scratch + 2 * c * window_size, *const seen = inside + window_size;
    int n = 0;
    for (int v = 0; v < window_size; ++v) {
        const i64 at = centres[c] + window[v];
        if (!levels[at])
            continue;
        insert(static_cast<double>(values[at]), inside, n);
        insert(static_cast<double>(levels[at]), seen, n);
        ++n;
    }
    double *const to = out + c * first_order_feature_count;
    if (n == 0) {
        for (int f = 0; f < first_order_feature_count; ++f)
            to[f] = nan("");
        return;
    }
    FirstOrderSums s = sorted_sums(inside, n, shift);
    for (int begin = 0, end = 0; begin < n; begin = end) {
        while (end < n && seen[end] == seen[begin])
            ++end;
        const double share = static_cast<double>(end - begin) / n;
        s.entropy -= share * log2(share);
        s.uniformity += share * share;
    }
    s.voxel_volume = voxel_volume;
    first_order_finish(s, excess, flat, nan(""), to);
}

} // namespace

PYRAD_KERNEL(local_first_order_f32_u8)
(const float *values, const unsigned char *levels, const long long *centres, long long count,
 const long long *window, int window_size, double shift, double voxel_volume, double excess,
 double flat, double *scratch, double *out) {
    local_first_order(values, levels, centres, count, window, window_size, shift, voxel_volume,
                      excess, flat, scratch, out);
}

PYRAD_KERNEL(local_first_order_f32_u16)
(const float *values, const unsigned short *levels, const long long *centres, long long count,
 const long long *window, int window_size, double shift, double voxel_volume, double excess,
 double flat, double *scratch, double *out) {
    local_first_order(values, levels, centres, count, window, window_size, shift, voxel_volume,
                      excess, flat, scratch, out);
}

PYRAD_KERNEL(local_first_order_f64_u8)
(const double *values, const unsigned char *levels, const long long *centres, long long count,
 const long long *window, int window_size, double shift, double voxel_volume, double excess,
 double flat, double *scratch, double *out) {
    local_first_order(values, levels, centres, count, window, window_size, shift, voxel_volume,
                      excess, flat, scratch, out);
}

PYRAD_KERNEL(local_first_order_f64_u16)
(const double *values, const unsigned short *levels, const long long *centres, long long count,
 const long long *window, int window_size, double shift, double voxel_volume, double excess,
 double flat, double *scratch, double *out) {
    local_first_order(values, levels, centres, count, window, window_size, shift, voxel_volume,
                      excess, flat, scratch, out);
}
