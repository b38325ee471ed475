// Soft thresholding, max(1 - t / |x|, 0) x: D. L. Donoho, IEEE Trans. Inf. Theory 41 (1995) 613,
// doi:10.1109/18.382009.
#include "prox/soften.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "prox/soften_math.hpp"

#include <cmath>

namespace pyrad {
namespace {

constexpr i64 tile = 1 << 15;

template <class T> PYRAD_CLONES void soften_real(const T *x, i64 n, T threshold, T *out) {
    for (i64 i = 0; i < n; ++i)
        out[i] = softened(x[i], threshold);
}

template <class T> PYRAD_CLONES void soften_complex(const T *x, i64 n, T threshold, T *out) {
    constexpr i64 block = 64;
    T factor[block];
    for (i64 at = 0; at < n; at += block) {
        const i64 count = n - at < block ? n - at : block;
        const T *from = x + 2 * at;
        T *to = out + 2 * at;
        for (i64 i = 0; i < count; ++i)
            factor[i] = from[2 * i] * from[2 * i] + from[2 * i + 1] * from[2 * i + 1];
        for (i64 i = 0; i < count; ++i)
            factor[i] = shrink_factor(factor[i], threshold);
        for (i64 i = 0; i < count; ++i) {
            to[2 * i] = factor[i] * from[2 * i];
            to[2 * i + 1] = factor[i] * from[2 * i + 1];
        }
    }
}

} // namespace

template <class T> void soften(const T *x, i64 n, i64 lanes, double threshold, T *out) {
    const T limit = static_cast<T>(threshold);
    parallel_for(n, tile, [&](i64 begin, i64 end, int) {
        if (lanes == 2)
            soften_complex(x + 2 * begin, end - begin, limit, out + 2 * begin);
        else
            soften_real(x + begin, end - begin, limit, out + begin);
    });
}

template void soften(const float *, i64, i64, double, float *);
template void soften(const double *, i64, i64, double, double *);

} // namespace pyrad
