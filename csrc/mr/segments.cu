// CUDA twin of segments.cpp: one thread per value and lane.
#include "base/portable.hpp"

namespace {

using namespace pyrad;

template <class T>
__device__ void scale(const Complex<T> *values, const Complex<T> *factors, i64 count, int lanes,
                      int conjugate, int accumulate, Complex<T> *out) {
    const i64 i = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= count * lanes)
        return;
    Complex<T> factor = factors[i / lanes];
    if (conjugate)
        factor = conj(factor);
    const Complex<T> product = factor * values[i];
    out[i] = accumulate ? out[i] + product : product;
}

} // namespace

PYRAD_KERNEL(scale_lanes_c64)
(const c64 *values, const c64 *factors, i64 count, int lanes, int conjugate, int accumulate,
 c64 *out) {
    scale(values, factors, count, lanes, conjugate, accumulate, out);
}
PYRAD_KERNEL(scale_lanes_c128)
(const c128 *values, const c128 *factors, i64 count, int lanes, int conjugate, int accumulate,
 c128 *out) {
    scale(values, factors, count, lanes, conjugate, accumulate, out);
}
