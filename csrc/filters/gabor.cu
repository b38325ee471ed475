// CUDA twin of gabor.cpp: one launch along b and one along a for every product of lines; a thread
// owns a sample, neighbours read neighbours.
#include "filters/boundary_math.hpp"
#include "filters/gabor_math.hpp"

namespace pyrad {
namespace {

// x (outer, n_a, mid, n_b, inner) -> re, im (outer, rows, mid, m_b, inner); row 0 is first_a of x.
template <class T>
__device__ void lines(const T *x, i64 outer, i64 n_a, i64 mid, i64 n_b, i64 inner, const T *taps,
                      int count, int boundary, i64 first_a, i64 first_b, i64 rows, i64 m_b, T *re,
                      T *im) {
    const i64 total = outer * rows * mid * m_b * inner;
    const i64 step = static_cast<i64>(gridDim.x) * blockDim.x;
    const Boundary beyond = static_cast<Boundary>(boundary);
    for (i64 at = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; at < total; at += step) {
        const i64 lane = at % inner, b = at / inner % m_b, m = at / inner / m_b % mid;
        const i64 row = at / inner / m_b / mid % rows, o = at / inner / m_b / mid / rows;
        const i64 a = index_within(first_a + row, n_a, beyond);
        T real = 0, imaginary = 0;
        if (a >= 0) {
            const T *const from = x + ((o * n_a + a) * mid + m) * n_b * inner + lane;
            const i64 newest = first_b + b + count / 2;
            const bool inside = newest < n_b && newest - count + 1 >= 0;
            for (int t = 0; t < count; ++t) {
                const i64 place = inside ? newest - t : index_within(newest - t, n_b, beyond);
                const T value = place < 0 ? T(0) : from[place * inner];
                real += taps[2 * count + t] * value;
                imaginary += taps[3 * count + t] * value;
            }
        }
        re[at] = real;
        im[at] = imaginary;
    }
}

// Along a, on top of the products before (sum_re, sum_im), unless first; the last one writes out.
template <class T>
__device__ void columns(const T *re, const T *im, i64 outer, i64 rows, i64 beside, const T *taps,
                        int count, int first, int last, int part, T *sum_re, T *sum_im, T *out) {
    const i64 m_a = rows - count + 1, total = outer * m_a * beside;
    const i64 step = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 at = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; at < total; at += step) {
        const i64 a = at / beside % m_a, o = at / beside / m_a;
        const i64 newest = (o * rows + a + count - 1) * beside + at % beside;
        T real = first ? T(0) : sum_re[at], imaginary = first ? T(0) : sum_im[at];
        for (int t = 0; t < count; ++t) {
            const T x = re[newest - t * beside], y = im[newest - t * beside];
            real += taps[t] * x - taps[count + t] * y;
            imaginary += taps[t] * y + taps[count + t] * x;
        }
        if (!last) {
            sum_re[at] = real;
            sum_im[at] = imaginary;
            continue;
        }
        switch (static_cast<GaborPart>(part)) {
        case GaborPart::modulus:
            out[at] = sqrt(real * real + imaginary * imaginary);
            break;
        case GaborPart::real:
            out[at] = real;
            break;
        case GaborPart::imaginary:
            out[at] = imaginary;
            break;
        case GaborPart::phase:
            out[at] = atan2(imaginary, real);
            break;
        }
    }
}

} // namespace
} // namespace pyrad

PYRAD_KERNEL(gabor_lines_f32)
(const float *x, long long outer, long long n_a, long long mid, long long n_b, long long inner,
 const float *taps, int count, int boundary, long long first_a, long long first_b, long long rows,
 long long m_b, float *re, float *im) {
    pyrad::lines(x, outer, n_a, mid, n_b, inner, taps, count, boundary, first_a, first_b, rows, m_b,
                 re, im);
}

PYRAD_KERNEL(gabor_lines_f64)
(const double *x, long long outer, long long n_a, long long mid, long long n_b, long long inner,
 const double *taps, int count, int boundary, long long first_a, long long first_b, long long rows,
 long long m_b, double *re, double *im) {
    pyrad::lines(x, outer, n_a, mid, n_b, inner, taps, count, boundary, first_a, first_b, rows, m_b,
                 re, im);
}

PYRAD_KERNEL(gabor_columns_f32)
(const float *re, const float *im, long long outer, long long rows, long long beside,
 const float *taps, int count, int first, int last, int part, float *sum_re, float *sum_im,
 float *out) {
    pyrad::columns(re, im, outer, rows, beside, taps, count, first, last, part, sum_re, sum_im,
                   out);
}

PYRAD_KERNEL(gabor_columns_f64)
(const double *re, const double *im, long long outer, long long rows, long long beside,
 const double *taps, int count, int first, int last, int part, double *sum_re, double *sum_im,
 double *out) {
    pyrad::columns(re, im, outer, rows, beside, taps, count, first, last, part, sum_re, sum_im,
                   out);
}
