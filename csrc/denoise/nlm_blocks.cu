// CUDA twin of nlm_blocks.cpp: a block of threads per centre. Weights of up to `chunk` neighbours
// go to shared memory, then each thread sums an element of the patch over them.
#include "denoise/nlm_blocks_math.hpp"

namespace pyrad::nlm {
namespace {

constexpr int threads = 128, chunk = 1024;

// Element k of the patch around a voxel of a padded volume.
template <class T> __device__ i64 element(const Blocks<T> &b, i64 voxel, int k) {
    const int wide = static_cast<int>(2 * b.patch.x + 1),
              high = static_cast<int>(2 * b.patch.y + 1);
    const int x = k % wide, y = k / wide % high, z = k / (wide * high);
    return voxel + ((z - b.patch.z) * b.high + y - b.patch.y) * b.wide + x - b.patch.x;
}

struct Window {
    i64 z, y, x;
    int wide, high, count;
};

PYRAD_HD i64 first_of(i64 centre, i64 radius) { return max_of<i64>(centre - radius, 0); }
PYRAD_HD int size_of(i64 centre, i64 radius, i64 n) {
    return static_cast<int>(min_of<i64>(centre + radius, n - 1) - first_of(centre, radius) + 1);
}

template <class T> __device__ void estimate(const Blocks<T> &b, T *weights, T *out) {
    const i64 grid = blockIdx.x, x = grid % b.gx * b.step.x;
    const i64 y = grid / b.gx % b.gy * b.step.y, z = grid / (b.gx * b.gy) * b.step.z;
    Window w{first_of(z, b.search.z),      first_of(y, b.search.y),      first_of(x, b.search.x),
             size_of(x, b.search.x, b.nx), size_of(y, b.search.y, b.ny), 0};
    w.count = w.wide * w.high * size_of(z, b.search.z, b.nz);
    const int size = static_cast<int>(b.patch_size()), thread = static_cast<int>(threadIdx.x);
    const i64 centre = b.at(z, y, x), here = b.padded(z, y, x);
    T *sums = out + grid * size;
    T total = 0;
    for (int k = thread; k < size; k += threads)
        sums[k] = 0;
    for (int first = 0; first < w.count; first += chunk) {
        const int count = min_of(chunk, w.count - first);
        for (int i = thread; i < count; i += threads) {
            const int o = first + i;
            const i64 ox = w.x + o % w.wide, oy = w.y + o / w.wide % w.high;
            const i64 oz = w.z + o / (w.wide * w.high);
            const i64 other = b.at(oz, oy, ox), there = b.padded(oz, oy, ox);
            T sum = 0;
            for (int k = 0; k < size; ++k) {
                const T difference = b.image[element(b, there, k)] - b.image[element(b, here, k)];
                sum += difference * difference;
            }
            weights[i] = other == centre ? T(1) : block_weight(b, sum, centre, other);
        }
        __syncthreads();
        for (int i = 0; i < count; ++i)
            total += weights[i];
        for (int k = thread; k < size; k += threads) {
            const T own = b.values[element(b, here, k)];
            T sum = 0;
            for (int i = 0; i < count; ++i) {
                const int o = first + i;
                const i64 there = b.padded(w.z + o / (w.wide * w.high), w.y + o / w.wide % w.high,
                                           w.x + o % w.wide);
                sum += weights[i] * (b.values[element(b, there, k)] - own);
            }
            sums[k] += sum;
        }
        __syncthreads();
    }
    for (int k = thread; k < size; k += threads)
        sums[k] = b.values[element(b, here, k)] + sums[k] / total;
}

// sizes: voxels z y x, centres z y x, rows of a padded plane, elements of a padded row, patch,
// search and step z y x
template <class T>
__device__ void run(const T *image, const T *values, const T *mean, const T *spread,
                    const T *variance, int has_variance, const long long *s, double sigma, double h,
                    double factor, double mean_limit, double spread_limit, T *shared, T *out) {
    Blocks<T> b{s[0],
                s[1],
                s[2],
                s[3],
                s[4],
                s[5],
                s[6],
                s[7],
                {s[8], s[9], s[10]},
                {s[11], s[12], s[13]},
                {s[14], s[15], s[16]},
                image,
                values,
                mean,
                spread,
                has_variance ? variance : nullptr,
                static_cast<T>(mean_limit),
                static_cast<T>(spread_limit),
                {}};
    b.strength =
        strength<T>(static_cast<double>(b.patch_size()), has_variance ? 0.0 : sigma, h, factor);
    estimate(b, shared, out);
}

} // namespace
} // namespace pyrad::nlm

PYRAD_KERNEL(nlm_blocks_f32)(const float *image, const float *values, const float *mean,
                             const float *spread, const float *variance, int has_variance,
                             const long long *sizes, double sigma, double h, double factor,
                             double mean_limit, double spread_limit, float *out) {
    PYRAD_DYNAMIC_SHARED(float, shared);
    pyrad::nlm::run<float>(image, values, mean, spread, variance, has_variance, sizes, sigma, h,
                           factor, mean_limit, spread_limit, shared, out);
}

PYRAD_KERNEL(nlm_blocks_f64)(const double *image, const double *values, const double *mean,
                             const double *spread, const double *variance, int has_variance,
                             const long long *sizes, double sigma, double h, double factor,
                             double mean_limit, double spread_limit, double *out) {
    PYRAD_DYNAMIC_SHARED(double, shared);
    pyrad::nlm::run<double>(image, values, mean, spread, variance, has_variance, sizes, sigma, h,
                            factor, mean_limit, spread_limit, shared, out);
}
