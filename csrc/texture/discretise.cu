// CUDA twin of discretise.cpp: one thread per voxel of the padded volume, rows along x.
#include "texture/discretise_math.hpp"

namespace {

using namespace pyrad;

// Size of the unpadded volume and its margin.
struct Inner {
    i64 nz, ny, nx, pad;
};

// out[v] = level(values[w]) for the voxels inside the mask, 0 elsewhere.
template <class T, class L, class Level>
__device__ void discretise(const T *values, const unsigned char *mask, Inner n, L *out,
                           Level level) {
    const i64 ny = n.ny + 2 * n.pad, nx = n.nx + 2 * n.pad, size = (n.nz + 2 * n.pad) * ny * nx;
    const i64 step = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 v = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; v < size; v += step) {
        const i64 z = v / (ny * nx) - n.pad, y = v / nx % ny - n.pad, x = v % nx - n.pad;
        const bool inner = z >= 0 && z < n.nz && y >= 0 && y < n.ny && x >= 0 && x < n.nx;
        const i64 from = inner ? (z * n.ny + y) * n.nx + x : 0;
        out[v] =
            inner && mask[from] ? static_cast<L>(level(static_cast<double>(values[from]))) : L(0);
    }
}

template <class L>
__device__ void level_histogram(const L *levels, i64 size, int bins, unsigned long long *out) {
    PYRAD_DYNAMIC_SHARED(unsigned int, counts);
    for (int g = threadIdx.x; g < bins; g += blockDim.x)
        counts[g] = 0;
    __syncthreads();
    const i64 step = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 v = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; v < size; v += step)
        if (levels[v] < bins)
            atomicAdd(&counts[levels[v]], 1u);
    __syncthreads();
    for (int g = threadIdx.x; g < bins; g += blockDim.x)
        if (counts[g])
            atomicAdd(&out[g], static_cast<unsigned long long>(counts[g]));
}

template <class T, class L>
__device__ void discretise_uniform(const T *values, const unsigned char *mask, Inner inner,
                                   UniformBins bins, L *out) {
    discretise(values, mask, inner, out, [&](double x) { return uniform_level(x, bins); });
}

template <class T, class L>
__device__ void discretise_steps(const T *values, const unsigned char *mask, Inner inner,
                                 double first, double step, int levels, L *out) {
    const StepBins bins{first, step, 1 / step, levels};
    discretise(values, mask, inner, out, [&](double x) { return step_level(x, bins); });
}

template <class T, class L>
__device__ void discretise_edges(const T *values, const unsigned char *mask, Inner inner,
                                 const double *edges, int count, L *out) {
    const double range = edges[count - 1] - edges[0];
    const double per_step = range > 0 ? (count - 1) / range : 0.0;
    discretise(values, mask, inner, out,
               [&](double x) { return edge_level(x, edges, count, per_step); });
}

// Region blockIdx.y; blocks of it share the stretches of its volume. boxes, rules, shapes as in
// batch.hpp; counts: (regions, columns), added up in shared memory.
template <class T, class L>
__device__ void discretise_batch(const T *values, const unsigned char *mask, const long long *boxes,
                                 const double *rules, const long long *shapes, i64 pad, int columns,
                                 L *out, unsigned long long *counts) {
    PYRAD_DYNAMIC_SHARED(unsigned int, found);
    for (int g = threadIdx.x; g < columns; g += blockDim.x)
        found[g] = 0;
    __syncthreads();
    const long long *const b = boxes + 4 * blockIdx.y, *const s = shapes + 5 * blockIdx.y;
    const double *const rule = rules + 4 * blockIdx.y;
    const int levels = static_cast<int>(s[4]);
    const UniformBins uniform{rule[1], rule[2], rule[3], levels};
    const StepBins steps{rule[1], rule[2], 1 / rule[2], levels};
    const bool by_steps = rule[0] != 0;
    const Inner inner{b[1], b[2], b[3], pad};
    L *const to = out + s[0];
    discretise(values + b[0], mask + b[0], inner, to, [&](double x) {
        const int level = by_steps ? step_level(x, steps) : uniform_level(x, uniform);
        if (level < columns)
            atomicAdd(&found[level], 1u);
        return level;
    });
    __syncthreads();
    for (int g = threadIdx.x; g < columns; g += blockDim.x)
        if (found[g])
            atomicAdd(&counts[blockIdx.y * static_cast<i64>(columns) + g],
                      static_cast<unsigned long long>(found[g]));
}

} // namespace

PYRAD_KERNEL(discretise_batch_f32_u8)
(const float *values, const unsigned char *mask, const long long *boxes, const double *rules,
 const long long *shapes, long long pad, int columns, unsigned char *out,
 unsigned long long *counts) {
    discretise_batch(values, mask, boxes, rules, shapes, pad, columns, out, counts);
}

PYRAD_KERNEL(discretise_batch_f32_u16)
(const float *values, const unsigned char *mask, const long long *boxes, const double *rules,
 const long long *shapes, long long pad, int columns, unsigned short *out,
 unsigned long long *counts) {
    discretise_batch(values, mask, boxes, rules, shapes, pad, columns, out, counts);
}

PYRAD_KERNEL(discretise_batch_f64_u8)
(const double *values, const unsigned char *mask, const long long *boxes, const double *rules,
 const long long *shapes, long long pad, int columns, unsigned char *out,
 unsigned long long *counts) {
    discretise_batch(values, mask, boxes, rules, shapes, pad, columns, out, counts);
}

PYRAD_KERNEL(discretise_batch_f64_u16)
(const double *values, const unsigned char *mask, const long long *boxes, const double *rules,
 const long long *shapes, long long pad, int columns, unsigned short *out,
 unsigned long long *counts) {
    discretise_batch(values, mask, boxes, rules, shapes, pad, columns, out, counts);
}

PYRAD_KERNEL(discretise_uniform_f32_u8)
(const float *values, const unsigned char *mask, long long nz, long long ny, long long nx,
 long long pad, double low, double width, double scale, int levels, unsigned char *out) {
    discretise_uniform(values, mask, Inner{nz, ny, nx, pad}, UniformBins{low, width, scale, levels},
                       out);
}

PYRAD_KERNEL(discretise_steps_f32_u8)
(const float *values, const unsigned char *mask, long long nz, long long ny, long long nx,
 long long pad, double first, double step, int levels, unsigned char *out) {
    discretise_steps(values, mask, Inner{nz, ny, nx, pad}, first, step, levels, out);
}

PYRAD_KERNEL(discretise_edges_f32_u8)
(const float *values, const unsigned char *mask, long long nz, long long ny, long long nx,
 long long pad, const double *edges, int count, unsigned char *out) {
    discretise_edges(values, mask, Inner{nz, ny, nx, pad}, edges, count, out);
}

PYRAD_KERNEL(discretise_uniform_f64_u8)
(const double *values, const unsigned char *mask, long long nz, long long ny, long long nx,
 long long pad, double low, double width, double scale, int levels, unsigned char *out) {
    discretise_uniform(values, mask, Inner{nz, ny, nx, pad}, UniformBins{low, width, scale, levels},
                       out);
}

PYRAD_KERNEL(discretise_steps_f64_u8)
(const double *values, const unsigned char *mask, long long nz, long long ny, long long nx,
 long long pad, double first, double step, int levels, unsigned char *out) {
    discretise_steps(values, mask, Inner{nz, ny, nx, pad}, first, step, levels, out);
}

PYRAD_KERNEL(discretise_edges_f64_u8)
(const double *values, const unsigned char *mask, long long nz, long long ny, long long nx,
 long long pad, const double *edges, int count, unsigned char *out) {
    discretise_edges(values, mask, Inner{nz, ny, nx, pad}, edges, count, out);
}

PYRAD_KERNEL(level_histogram_u8)
(const unsigned char *levels, long long size, int bins, unsigned long long *out) {
    level_histogram(levels, size, bins, out);
}

PYRAD_KERNEL(discretise_uniform_f32_u16)
(const float *values, const unsigned char *mask, long long nz, long long ny, long long nx,
 long long pad, double low, double width, double scale, int levels, unsigned short *out) {
    discretise_uniform(values, mask, Inner{nz, ny, nx, pad}, UniformBins{low, width, scale, levels},
                       out);
}

PYRAD_KERNEL(discretise_steps_f32_u16)
(const float *values, const unsigned char *mask, long long nz, long long ny, long long nx,
 long long pad, double first, double step, int levels, unsigned short *out) {
    discretise_steps(values, mask, Inner{nz, ny, nx, pad}, first, step, levels, out);
}

PYRAD_KERNEL(discretise_edges_f32_u16)
(const float *values, const unsigned char *mask, long long nz, long long ny, long long nx,
 long long pad, const double *edges, int count, unsigned short *out) {
    discretise_edges(values, mask, Inner{nz, ny, nx, pad}, edges, count, out);
}

PYRAD_KERNEL(discretise_uniform_f64_u16)
(const double *values, const unsigned char *mask, long long nz, long long ny, long long nx,
 long long pad, double low, double width, double scale, int levels, unsigned short *out) {
    discretise_uniform(values, mask, Inner{nz, ny, nx, pad}, UniformBins{low, width, scale, levels},
                       out);
}

PYRAD_KERNEL(discretise_steps_f64_u16)
(const double *values, const unsigned char *mask, long long nz, long long ny, long long nx,
 long long pad, double first, double step, int levels, unsigned short *out) {
    discretise_steps(values, mask, Inner{nz, ny, nx, pad}, first, step, levels, out);
}

PYRAD_KERNEL(discretise_edges_f64_u16)
(const double *values, const unsigned char *mask, long long nz, long long ny, long long nx,
 long long pad, const double *edges, int count, unsigned short *out) {
    discretise_edges(values, mask, Inner{nz, ny, nx, pad}, edges, count, out);
}

PYRAD_KERNEL(level_histogram_u16)
(const unsigned short *levels, long long size, int bins, unsigned long long *out) {
    level_histogram(levels, size, bins, out);
}
