// CUDA twin of pad_rows.cpp: a thread owns samples of the result, neighbouring threads neighbours.
#include "filters/boundary_math.hpp"

namespace pyrad {
namespace {

template <class T>
__device__ void pad(const T *x, i64 n, const i64 *source, i64 rows, i64 wide, i64 before,
                    int boundary, T *out) {
    const i64 step = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 at = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; at < rows * wide;
         at += step) {
        const i64 row = source[at / wide];
        const i64 k = index_within(at % wide - before, n, static_cast<Boundary>(boundary));
        out[at] = row < 0 || k < 0 ? T(0) : x[row * n + k];
    }
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(pad_rows_f32)
(const float *x, long long n, const long long *source, long long rows, long long wide,
 long long before, int boundary, float *out) {
    pyrad::pad(x, n, source, rows, wide, before, boundary, out);
}

PYRAD_KERNEL(pad_rows_f64)
(const double *x, long long n, const long long *source, long long rows, long long wide,
 long long before, int boundary, double *out) {
    pyrad::pad(x, n, source, rows, wide, before, boundary, out);
}
