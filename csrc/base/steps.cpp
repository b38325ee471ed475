#include "base/steps.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "base/steps_math.hpp"

namespace pyrad::steps {
namespace {

constexpr i64 tile = 1 << 15;

template <class T>
PYRAD_CLONES void scaled_step_in(T step, const T *scale, const T *update, T low, T *x, i64 n) {
    for (i64 i = 0; i < n; ++i)
        x[i] = scaled_step(x[i], step, scale[i], update[i], low);
}

template <class T>
PYRAD_CLONES void momentum_in(const T *gradient, const T *scale, T factor, Momentum<T> take,
                              const T *start, T *sum, T *z, T *x, i64 n) {
#pragma GCC ivdep
    for (i64 i = 0; i < n; ++i)
        x[i] = take(gradient[i], factor * scale[i], start[i], sum[i], z[i]);
}

} // namespace

template <class T>
void scaled_step(double step, const T *scale, const T *update, double low, T *x, i64 n) {
    parallel_for(n, tile, [&](i64 begin, i64 end, int) {
        scaled_step_in(static_cast<T>(step), scale + begin, update + begin, static_cast<T>(low),
                       x + begin, end - begin);
    });
}

template <class T>
void momentum_step(const T *gradient, const T *scale, double factor, double weight, double mix,
                   double low, const T *start, T *sum, T *z, T *x, i64 n) {
    const Momentum<T> take{static_cast<T>(weight), static_cast<T>(mix), static_cast<T>(low)};
    parallel_for(n, tile, [&](i64 b, i64 end, int) {
        momentum_in(gradient + b, scale + b, static_cast<T>(factor), take, start + b, sum + b,
                    z + b, x + b, end - b);
    });
}

#define PYRAD_INSTANTIATE(T)                                                                       \
    template void scaled_step(double, const T *, const T *, double, T *, i64);                     \
    template void momentum_step(const T *, const T *, double, double, double, double, const T *,   \
                                T *, T *, T *, i64);
PYRAD_INSTANTIATE(float)
PYRAD_INSTANTIATE(double)
#undef PYRAD_INSTANTIATE

} // namespace pyrad::steps
