#include "mr/segments.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

namespace pyrad {
namespace {

template <class T>
PYRAD_CLONES void scale_in(const T *values, const T *factors, i64 count, i64 lanes, T sign,
                           bool accumulate, T *out) {
    for (i64 m = 0; m < count; ++m) {
        const T re = factors[2 * m], im = sign * factors[2 * m + 1];
        const T *in = values + 2 * m * lanes;
        T *to = out + 2 * m * lanes;
        if (accumulate)
            for (i64 c = 0; c < lanes; ++c) {
                to[2 * c] += re * in[2 * c] - im * in[2 * c + 1];
                to[2 * c + 1] += re * in[2 * c + 1] + im * in[2 * c];
            }
        else
            for (i64 c = 0; c < lanes; ++c) {
                const T a = in[2 * c], b = in[2 * c + 1];
                to[2 * c] = re * a - im * b;
                to[2 * c + 1] = re * b + im * a;
            }
    }
}

} // namespace

template <class T>
void scale_lanes(const T *values, const T *factors, i64 count, i64 lanes, bool conjugate,
                 bool accumulate, T *out) {
    parallel_for(count, (1 << 14) / lanes, [&](i64 begin, i64 end, int) {
        scale_in(values + 2 * begin * lanes, factors + 2 * begin, end - begin, lanes,
                 conjugate ? T(-1) : T(1), accumulate, out + 2 * begin * lanes);
    });
}

template void scale_lanes(const float *, const float *, i64, i64, bool, bool, float *);
template void scale_lanes(const double *, const double *, i64, i64, bool, bool, double *);

} // namespace pyrad
