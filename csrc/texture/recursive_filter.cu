// CUDA twin of recursive_filter.cpp: one thread per line. Lines lie side by side in memory (the
// launcher turns the array where the filtered axis is the last one); `forward` is scratch.
#include "base/portable.hpp"

namespace {

using namespace pyrad;

template <class T>
__device__ void filter(const T *x, const double *c, i64 outer, i64 n, i64 inner, double *forward,
                       float *out) {
    const i64 jump = static_cast<i64>(gridDim.x) * blockDim.x;
    const double below = 1 + c[8] + c[9] + c[10] + c[11];
    for (i64 line = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; line < outer * inner;
         line += jump) {
        const i64 base = line / inner * n * inner + line % inner;
        double a = static_cast<double>(x[base]), b = a, d = a;
        double first = a * ((c[0] + c[1] + c[2] + c[3]) / below);
        double s1 = first, s2 = first, s3 = first, s4 = first;
        for (i64 k = 0; k < n; ++k) {
            const double now = static_cast<double>(x[base + k * inner]);
            const double taps = ((c[0] * now + c[1] * a) + c[2] * b) + c[3] * d;
            const double old = (c[11] * s4 + c[10] * s3) + c[9] * s2;
            const double s = (taps - old) - c[8] * s1;
            forward[base + k * inner] = s;
            s4 = s3, s3 = s2, s2 = s1, s1 = s;
            d = b, b = a, a = now;
        }
        a = b = d = static_cast<double>(x[base + (n - 1) * inner]);
        double e = a;
        s1 = s2 = s3 = s4 = a * ((c[4] + c[5] + c[6] + c[7]) / below);
        for (i64 k = n - 1; k >= 0; --k) {
            const double taps = ((c[4] * a + c[5] * b) + c[6] * d) + c[7] * e;
            const double old = (c[11] * s4 + c[10] * s3) + c[9] * s2;
            const double s = (taps - old) - c[8] * s1;
            out[base + k * inner] = static_cast<float>(forward[base + k * inner] + s);
            s4 = s3, s3 = s2, s2 = s1, s1 = s;
            e = d, d = b, b = a, a = static_cast<double>(x[base + k * inner]);
        }
    }
}

} // namespace

PYRAD_KERNEL(recursive_filter_f32)
(const float *x, const double *coefficients, long long outer, long long n, long long inner,
 double *forward, float *out) {
    filter(x, coefficients, outer, n, inner, forward, out);
}

PYRAD_KERNEL(recursive_filter_f64)
(const double *x, const double *coefficients, long long outer, long long n, long long inner,
 double *forward, float *out) {
    filter(x, coefficients, outer, n, inner, forward, out);
}
