// CUDA twin of bm4d.cpp. One block of threads finds the group of a reference block: every thread
// compares candidates, then the closest one of all is taken off, round after round. A second kernel
// filters the group in shared memory, one thread per voxel for the Haar transform, one per line for
// the blocks' transforms. Estimates are added up as whole numbers, which do not care about the
// order: same bits in every run.
#include "denoise/bm4d_math.hpp"

namespace pyrad::bm4d {
namespace {

constexpr int threads = 128, warps = threads / 32;

struct Shape {
    long long nz, ny, nx;
    int edge; // 8: squares, 4: cubes

    __device__ int depth() const { return edge == 8 ? 1 : edge; }
    __device__ long long at(long long z, long long y, long long x) const {
        return (z * ny + y) * nx + x;
    }
    // Of voxel v of a block, from its first one.
    __device__ long long offset(int v) const {
        return at(v / (edge * edge), v / edge % edge, v % edge);
    }
};

struct References {
    const long long *z, *y, *x;
    long long count_y, count_x;

    __device__ void begin(long long k, long long *at) const {
        at[0] = z[k / (count_y * count_x)];
        at[1] = y[k / count_x % count_y];
        at[2] = x[k % count_x];
    }
};

template <class T> struct Closest {
    T distance;
    int candidate;
    __device__ bool before(const Closest &other) const {
        return distance < other.distance ||
               (distance == other.distance && candidate < other.candidate);
    }
};

template <class T> __device__ Closest<T> closest_of_block(Closest<T> mine, Closest<T> *shared) {
    for (int delta = 16; delta > 0; delta /= 2) {
        const Closest<T> other{__shfl_down_sync(0xffffffffu, mine.distance, delta),
                               __shfl_down_sync(0xffffffffu, mine.candidate, delta)};
        if (other.before(mine))
            mine = other;
    }
    const int thread = static_cast<int>(threadIdx.x);
    if (thread % 32 == 0)
        shared[thread / 32] = mine;
    __syncthreads();
    Closest<T> best = shared[0];
    for (int w = 1; w < warps; ++w)
        if (shared[w].before(best))
            best = shared[w];
    __syncthreads();
    return best;
}

// Index of the candidates of a reference, counted in the order of memory.
struct Window {
    long long low[3];
    int count[3];

    __device__ Window(const Shape &shape, const long long *at, const long long *search) {
        const long long size[3] = {shape.nz, shape.ny, shape.nx};
        for (int d = 0; d < 3; ++d) {
            const long long last = size[d] - (d == 0 ? shape.depth() : shape.edge);
            low[d] = max_of<long long>(0, at[d] - search[d]);
            count[d] = static_cast<int>(min_of(last, at[d] + search[d]) - low[d]) + 1;
        }
    }
    __device__ int size() const { return count[0] * count[1] * count[2]; }
    __device__ long long at(const Shape &shape, int k) const {
        return shape.at(low[0] + k / (count[1] * count[2]), low[1] + k / count[2] % count[1],
                        low[2] + k % count[2]);
    }
};

template <class T>
__device__ T difference(const T *guide, const Shape &shape, long long a, long long b) {
    T sum = 0;
    for (int z = 0; z < shape.depth(); ++z)
        for (int y = 0; y < shape.edge; ++y) {
            const long long row = shape.at(z, y, 0);
            for (int x = 0; x < shape.edge; ++x)
                sum = add_square(sum, guide[b + row + x] - guide[a + row + x]);
        }
    return sum;
}

// Positions of the group's blocks and their number, a power of two (0: no group).
template <class T>
__device__ void find(const T *guide, const Shape &shape, const References &references,
                     const T *level, const long long *search, int most, T similar, T expected,
                     T *distances, Closest<T> *shared, long long *positions, int *counts) {
    const long long k = blockIdx.x;
    positions += k * largest_group;
    const T level2 = product(level[k], level[k]);
    if (!(level[k] > 0)) {
        if (threadIdx.x == 0)
            counts[k] = 0;
        return;
    }
    long long at[3];
    references.begin(k, at);
    const Window window(shape, at, search);
    const long long reference = shape.at(at[0], at[1], at[2]);
    const int candidates = window.size(), thread = static_cast<int>(threadIdx.x);
    const T limit = product(similar, level2), best = product(expected, level2);
    const Closest<T> none{limit, candidates};
    Closest<T> mine = none;
    for (int c = thread; c < candidates; c += threads) {
        const long long other = window.at(shape, c);
        const T distance = difference(guide, shape, reference, other) - best;
        distances[c] = other == reference ? limit : distance < 0 ? -distance : distance;
        const Closest<T> now{distances[c], c};
        if (now.distance < limit && now.before(mine))
            mine = now;
    }
    if (thread == 0)
        positions[0] = reference;
    int count = 1;
    while (count < most) {
        const Closest<T> next = closest_of_block(mine, shared);
        if (next.candidate == candidates)
            break;
        if (thread == 0)
            positions[count] = window.at(shape, next.candidate);
        ++count;
        if (mine.candidate == next.candidate) { // the others keep theirs
            distances[next.candidate] = limit;
            mine = none;
            for (int c = thread; c < candidates; c += threads) {
                const Closest<T> now{distances[c], c};
                if (now.distance < limit && now.before(mine))
                    mine = now;
            }
        }
    }
    if (thread == 0) {
        int whole = 1;
        while (2 * whole <= count)
            whole *= 2;
        counts[k] = whole;
    }
}

// Haar transform of one column, blocks `voxels` apart, in place.
template <class T> __device__ void haar(T *x, int count) {
    for (int s = 1; s < count; s *= 2)
        for (int k = 0; k < count; k += 2 * s)
            haar_step(x[k * voxels], x[(k + s) * voxels]);
}

template <class T> __device__ void inverse_haar(T *x, int count) {
    for (int s = count / 2; s > 0; s /= 2)
        for (int k = 0; k < count; k += 2 * s)
            haar_step(x[k * voxels], x[(k + s) * voxels]);
}

// Along all axes of the blocks; every thread takes whole lines.
template <int edge, class T> __device__ void transform(T *x, const T *matrix, int blocks) {
    for (int step = 1; step < voxels; step *= edge) {
        for (int line = static_cast<int>(threadIdx.x); line < blocks * voxels / edge;
             line += threads) {
            T *to = x + line / step * step * edge + line % step;
            T in[edge];
            for (int j = 0; j < edge; ++j)
                in[j] = to[j * step];
            for (int i = 0; i < edge; ++i) {
                T sum = matrix[i * edge] * in[0];
                for (int j = 1; j < edge; ++j)
                    sum += matrix[i * edge + j] * in[j];
                to[i * step] = sum;
            }
        }
        __syncthreads();
    }
}

template <class T> __device__ void transform(T *x, const T *matrix, int edge, int blocks) {
    if (edge == 8)
        transform<8>(x, matrix, blocks);
    else
        transform<4>(x, matrix, blocks);
}

template <class T> struct Tables {
    const T *forward, *inverse, *variance, *window;
    T threshold;
};

// Shrinks the group's spectrum; variance of the noise that is left, in units of level^2.
template <class T>
__device__ T shrink(T *x, const T *guide, const Tables<T> &tables, T level, int count, T *sums) {
    const int thread = static_cast<int>(threadIdx.x);
    T left = 0;
    for (int i = thread; i < count * voxels; i += threads) {
        const T variance = tables.variance[i % voxels];
        T factor = 1;
        if (i > 0)
            factor = guide ? wiener(guide[i], level * level * variance)
                           : keep(x[i], tables.threshold * level, variance);
        x[i] *= factor;
        left += factor * factor * variance;
    }
    sums[thread] = left;
    __syncthreads();
    for (int half = threads / 2; half > 0; half /= 2) {
        if (thread < half)
            sums[thread] += sums[thread + half];
        __syncthreads();
    }
    return sums[0];
}

__device__ void add_whole(unsigned long long *to, double x) {
    atomicAdd(to, static_cast<unsigned long long>(static_cast<long long>(x)));
}

template <class T>
__device__ void filter(const T *image, const T *guide, bool second, const Shape &shape,
                       const long long *positions, const int *counts, const T *level,
                       const Tables<T> &tables, double value_scale, double weight_scale, T *shared,
                       unsigned long long *values, unsigned long long *weights) {
    const long long reference = blockIdx.x;
    const int count = counts[reference], thread = static_cast<int>(threadIdx.x);
    if (count == 0)
        return;
    positions += reference * largest_group;
    T *sums = shared, *x = shared + threads, *e = x + largest_group * voxels;
    for (int i = thread; i < count * voxels; i += threads) {
        const long long from = positions[i / voxels] + shape.offset(i % voxels);
        x[i] = image[from];
        if (second)
            e[i] = guide[from];
    }
    __syncthreads();
    if (thread < voxels)
        haar(x + thread, count);
    else if (second)
        haar(e + thread - voxels, count);
    __syncthreads();
    transform(x, tables.forward, shape.edge, count);
    if (second)
        transform(e, tables.forward, shape.edge, count);
    const T noise = level[reference];
    const T left = shrink(x, second ? e : nullptr, tables, noise, count, sums);
    transform(x, tables.inverse, shape.edge, count);
    if (thread < voxels)
        inverse_haar(x + thread, count);
    __syncthreads();
    const T weight = 1 / (noise * noise * left);
    for (int i = thread; i < count * voxels; i += threads) {
        const int v = i % voxels, edge = shape.edge;
        const T *w = tables.window;
        const T depth = edge == 8 ? T(1) : w[v / (edge * edge)];
        const T window = depth * w[v / edge % edge] * w[v % edge];
        add_whole(values + positions[i / voxels] + shape.offset(v),
                  static_cast<double>(weight * window * x[i]) * value_scale);
        if (v == 0)
            add_whole(weights + positions[i / voxels], static_cast<double>(weight) * weight_scale);
    }
}

template <class T>
__device__ void finish(const T *image, const unsigned long long *values,
                       const unsigned long long *weights, const T *window, const Shape &shape,
                       double scale, T *out) {
    const long long size = shape.nz * shape.ny * shape.nx;
    const long long stride = static_cast<long long>(gridDim.x) * threads;
    for (long long i = static_cast<long long>(blockIdx.x) * threads + threadIdx.x; i < size;
         i += stride) {
        const long long x = i % shape.nx, y = i / shape.nx % shape.ny;
        const long long z = i / (shape.nx * shape.ny);
        double sum = 0;
        for (int a = 0; a < shape.depth() && a <= z; ++a)
            for (int b = 0; b < shape.edge && b <= y; ++b)
                for (int c = 0; c < shape.edge && c <= x; ++c) {
                    const T factor = (shape.edge == 8 ? T(1) : window[a]) * window[b] * window[c];
                    const long long weight =
                        static_cast<long long>(weights[shape.at(z - a, y - b, x - c)]);
                    sum += static_cast<double>(factor) * static_cast<double>(weight);
                }
        const double value = static_cast<double>(static_cast<long long>(values[i]));
        out[i] = sum > 0 ? static_cast<T>(value * scale / sum) : image[i];
    }
}

} // namespace
} // namespace pyrad::bm4d

PYRAD_KERNEL(bm4d_find_f32)(const float *guide, long long nz, long long ny, long long nx, int edge,
                            const long long *z, const long long *y, const long long *x,
                            long long count_y, long long count_x, const float *level,
                            long long search_z, long long search_y, long long search_x, int most,
                            float similar, float expected, long long *positions, int *counts) {
    PYRAD_DYNAMIC_SHARED(float, distances);
    __shared__ pyrad::bm4d::Closest<float> best[pyrad::bm4d::warps];
    const long long search[3] = {search_z, search_y, search_x};
    pyrad::bm4d::find<float>(guide, {nz, ny, nx, edge}, {z, y, x, count_y, count_x}, level, search,
                             most, similar, expected, distances, best, positions, counts);
}

PYRAD_KERNEL(bm4d_find_f64)(const double *guide, long long nz, long long ny, long long nx, int edge,
                            const long long *z, const long long *y, const long long *x,
                            long long count_y, long long count_x, const double *level,
                            long long search_z, long long search_y, long long search_x, int most,
                            double similar, double expected, long long *positions, int *counts) {
    PYRAD_DYNAMIC_SHARED(double, distances);
    __shared__ pyrad::bm4d::Closest<double> best[pyrad::bm4d::warps];
    const long long search[3] = {search_z, search_y, search_x};
    pyrad::bm4d::find<double>(guide, {nz, ny, nx, edge}, {z, y, x, count_y, count_x}, level, search,
                              most, similar, expected, distances, best, positions, counts);
}

PYRAD_KERNEL(bm4d_filter_f32)(const float *image, const float *guide, int second, long long nz,
                              long long ny, long long nx, int edge, const long long *positions,
                              const int *counts, const float *level, const float *forward,
                              const float *inverse, const float *variance, const float *window,
                              float threshold, double value_scale, double weight_scale,
                              unsigned long long *values, unsigned long long *weights) {
    PYRAD_DYNAMIC_SHARED(float, shared);
    pyrad::bm4d::filter<float>(image, guide, second != 0, {nz, ny, nx, edge}, positions, counts,
                               level, {forward, inverse, variance, window, threshold}, value_scale,
                               weight_scale, shared, values, weights);
}

PYRAD_KERNEL(bm4d_filter_f64)(const double *image, const double *guide, int second, long long nz,
                              long long ny, long long nx, int edge, const long long *positions,
                              const int *counts, const double *level, const double *forward,
                              const double *inverse, const double *variance, const double *window,
                              double threshold, double value_scale, double weight_scale,
                              unsigned long long *values, unsigned long long *weights) {
    PYRAD_DYNAMIC_SHARED(double, shared);
    pyrad::bm4d::filter<double>(image, guide, second != 0, {nz, ny, nx, edge}, positions, counts,
                                level, {forward, inverse, variance, window, threshold}, value_scale,
                                weight_scale, shared, values, weights);
}

PYRAD_KERNEL(bm4d_finish_f32)(const float *image, const unsigned long long *values,
                              const unsigned long long *weights, const float *window, long long nz,
                              long long ny, long long nx, int edge, double scale, float *out) {
    pyrad::bm4d::finish<float>(image, values, weights, window, {nz, ny, nx, edge}, scale, out);
}

PYRAD_KERNEL(bm4d_finish_f64)(const double *image, const unsigned long long *values,
                              const unsigned long long *weights, const double *window, long long nz,
                              long long ny, long long nx, int edge, double scale, double *out) {
    pyrad::bm4d::finish<double>(image, values, weights, window, {nz, ny, nx, edge}, scale, out);
}
