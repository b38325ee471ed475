// CUDA twin of grid_plan.cpp in two kernels around a stable sort by tile: place() finds first cell,
// offset and tile of every sample, weigh() writes cells and weights in tile order.
#include "mr/gridding_math.hpp"

namespace {

using namespace pyrad;

__device__ i64 thread_index() { return static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; }

template <class T>
__device__ void weigh(const i32 *first, const double *offset, const i32 *order, i64 samples,
                      int dims, const T *coefficients, int degree, int width, i32 *start,
                      T *weights) {
    // One thread per weight; neighbours share a sample and write side by side.
    const i64 i = thread_index();
    if (i >= samples * dims * width)
        return;
    const int j = static_cast<int>(i % width), d = static_cast<int>(i / width % dims);
    const i64 s = i / width / dims, from = static_cast<i64>(order[s]) * dims + d;
    weights[i] = grid_weight(coefficients, degree, width, j, static_cast<T>(offset[from]));
    if (j == 0)
        start[s * dims + d] = first[from];
}

} // namespace

PYRAD_KERNEL(place)(const double *coordinates, long long samples, int dims, int width,
                    double ratio0, double ratio1, double ratio2, long long cells0, long long cells1,
                    long long cells2, long long tiles0, long long tiles1, long long tiles2,
                    int *first, double *offset, int *tile) {
    const double ratio[3] = {ratio0, ratio1, ratio2};
    const i64 cells[3] = {cells0, cells1, cells2}, tiles[3] = {tiles0, tiles1, tiles2};
    const i64 s = thread_index();
    if (s >= samples)
        return;
    i64 at = 0;
    for (int d = 0; d < dims; ++d) {
        const int axis = 3 - dims + d;
        const i32 cell = grid_start(coordinates[s * dims + d] * ratio[d], width, cells[axis],
                                    offset[s * dims + d]);
        first[s * dims + d] = cell;
        at = at * tiles[axis] + grid_tile(cell, tiles[axis], cells[axis]);
    }
    tile[s] = static_cast<i32>(at);
}

PYRAD_KERNEL(weigh_f32)(const int *first, const double *offset, const int *order, long long samples,
                        int dims, const float *coefficients, int degree, int width, int *start,
                        float *weights) {
    weigh(first, offset, order, samples, dims, coefficients, degree, width, start, weights);
}

PYRAD_KERNEL(weigh_f64)(const int *first, const double *offset, const int *order, long long samples,
                        int dims, const double *coefficients, int degree, int width, int *start,
                        double *weights) {
    weigh(first, offset, order, samples, dims, coefficients, degree, width, start, weights);
}
