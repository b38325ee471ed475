// CUDA twin of grappa_fill.cpp: a thread makes one target coil of four cells of one pattern, so
// that a weight, which neighbouring threads read side by side, serves four cells; sources are the
// same for all lanes of a cell. One block per job (pattern, first cell); lanes along x, cells along
// y.
#include "base/portable.hpp"

namespace {

using namespace pyrad;

constexpr int together = 4;

template <class T>
__device__ void grappa_fill(const long long *jobs, const long long *cells, const long long *starts,
                            const long long *begin, const long long *offsets,
                            const Complex<T> *weights, int coils, int lanes, Complex<T> *data) {
    const i64 p = jobs[2 * blockIdx.x];
    const i64 first = jobs[2 * blockIdx.x + 1] + threadIdx.y * together, end = starts[p + 1];
    if (first >= end)
        return;
    i64 cell[together];
    for (int m = 0; m < together; ++m)
        cell[m] = cells[min_of<i64>(first + m, end - 1)]; // the last one may be made twice
    for (int j = threadIdx.x; j < lanes; j += blockDim.x) {
        Complex<T> sum[together];
        for (int m = 0; m < together; ++m)
            sum[m] = {T(0), T(0)};
        const Complex<T> *w = weights + begin[p] * coils * lanes + j;
        for (i64 s = begin[p]; s < begin[p + 1]; ++s)
            for (int i = 0; i < coils; ++i, w += lanes) {
                const Complex<T> by = *w;
                for (int m = 0; m < together; ++m)
                    sum[m] = sum[m] + by * data[(cell[m] + offsets[s]) * lanes + i];
            }
        for (int m = 0; m < together; ++m)
            if (first + m < end)
                data[cell[m] * lanes + j] = sum[m];
    }
}

} // namespace

PYRAD_KERNEL(grappa_fill_c64)(const long long *jobs, const long long *cells,
                              const long long *starts, const long long *begin,
                              const long long *offsets, const pyrad::Complex<float> *weights,
                              int coils, int lanes, pyrad::Complex<float> *data) {
    grappa_fill(jobs, cells, starts, begin, offsets, weights, coils, lanes, data);
}

PYRAD_KERNEL(grappa_fill_c128)(const long long *jobs, const long long *cells,
                               const long long *starts, const long long *begin,
                               const long long *offsets, const pyrad::Complex<double> *weights,
                               int coils, int lanes, pyrad::Complex<double> *data) {
    grappa_fill(jobs, cells, starts, begin, offsets, weights, coils, lanes, data);
}
