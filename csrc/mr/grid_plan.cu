// CUDA twin of grid_plan.cpp in two kernels around a sort: place() finds the key of every sample
// (tile, then plane, pair of columns, line and column), arrange() writes first cells and offsets in
// tile order.
#include "mr/gridding_math.hpp"

namespace {

using namespace pyrad;

__device__ i64 thread_index() { return static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; }

template <class T>
__device__ void arrange(const double *coordinates, const i32 *order, i64 samples, int dims,
                        int width, const double *ratio, const i64 *cells, i32 *start, T *offset) {
    const i64 s = thread_index();
    if (s >= samples)
        return;
    const double *k = coordinates + static_cast<i64>(order[s]) * dims;
    for (int d = 0; d < dims; ++d) {
        double t;
        start[s * dims + d] = grid_start(k[d] * ratio[d], width, cells[3 - dims + d], t);
        offset[s * dims + d] = static_cast<T>(t);
    }
}

} // namespace

PYRAD_KERNEL(place)(const double *coordinates, long long samples, int dims, int width,
                    double ratio0, double ratio1, double ratio2, long long cells0, long long cells1,
                    long long cells2, long long tiles0, long long tiles1, long long tiles2,
                    int *tile, long long *key) {
    const double ratio[3] = {ratio0, ratio1, ratio2};
    const i64 cells[3] = {cells0, cells1, cells2}, tiles[3] = {tiles0, tiles1, tiles2};
    const i64 s = thread_index();
    if (s >= samples)
        return;
    i64 at = 0, within[3] = {0, 0, 0};
    for (int d = 0; d < dims; ++d) {
        const int axis = 3 - dims + d;
        double t;
        const i64 cell = grid_start(coordinates[s * dims + d] * ratio[d], width, cells[axis], t);
        const i64 own = grid_tile(cell, tiles[axis], cells[axis]);
        within[axis] = cell - tile_start(own, tiles[axis], cells[axis]);
        at = at * tiles[axis] + own;
    }
    tile[s] = static_cast<i32>(at);
    // Tiles are shorter than 64 cells: see tile_start and Gridding.
    const i64 pair = within[0] * 32 + within[2] / 2;
    key[s] = ((at * 2048 + pair) * 64 + within[1]) * 2 + within[2] % 2;
}

PYRAD_KERNEL(arrange_f32)(const double *coordinates, const int *order, long long samples, int dims,
                          int width, double ratio0, double ratio1, double ratio2, long long cells0,
                          long long cells1, long long cells2, int *start, float *offset) {
    const double ratio[3] = {ratio0, ratio1, ratio2};
    const long long cells[3] = {cells0, cells1, cells2};
    arrange(coordinates, order, samples, dims, width, ratio, cells, start, offset);
}

PYRAD_KERNEL(arrange_f64)(const double *coordinates, const int *order, long long samples, int dims,
                          int width, double ratio0, double ratio1, double ratio2, long long cells0,
                          long long cells1, long long cells2, int *start, double *offset) {
    const double ratio[3] = {ratio0, ratio1, ratio2};
    const long long cells[3] = {cells0, cells1, cells2};
    arrange(coordinates, order, samples, dims, width, ratio, cells, start, offset);
}
