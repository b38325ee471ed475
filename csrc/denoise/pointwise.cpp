#include "denoise/pointwise.hpp"

#include "base/pool.hpp"

namespace pyrad {

template <class T>
void apply_pointwise(PointwiseFunction f, const T *x, i64 n, double step, T *out) {
    parallel_for(n, 1 << 14, [&](i64 begin, i64 end, int) {
        for (i64 i = begin; i < end; ++i)
            out[i] = static_cast<T>(f(static_cast<double>(x[i]), step));
    });
}

template void apply_pointwise(PointwiseFunction, const float *, i64, double, float *);
template void apply_pointwise(PointwiseFunction, const double *, i64, double, double *);

} // namespace pyrad
