#include "base/vector.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <vector>

namespace pyrad {
namespace {

constexpr i64 tile = 1 << 16;
constexpr int lanes = 32;

// Independent sums per lane, added in order: the compiler may not reorder a single sum.
template <class T> PYRAD_CLONES double inner_in(const T *a, const T *b, i64 n) {
    double sums[lanes] = {};
    i64 i = 0;
    for (; i + lanes <= n; i += lanes)
        for (int l = 0; l < lanes; ++l)
            sums[l] += static_cast<double>(a[i + l]) * static_cast<double>(b[i + l]);
    double total = 0;
    for (; i < n; ++i)
        total += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    for (double sum : sums)
        total += sum;
    return total;
}

template <class T> PYRAD_CLONES void axpby_in(T alpha, const T *x, T beta, T *out, i64 n) {
    if (beta == T(1)) {
        for (i64 i = 0; i < n; ++i)
            out[i] += alpha * x[i];
    } else if (alpha == T(1)) {
        for (i64 i = 0; i < n; ++i)
            out[i] = x[i] + beta * out[i];
    } else {
        for (i64 i = 0; i < n; ++i)
            out[i] = alpha * x[i] + beta * out[i];
    }
}

} // namespace

template <class T> double inner_product(const T *a, const T *b, i64 n) {
    std::vector<double> sums((n + tile - 1) / tile);
    parallel_for(n, tile, [&](i64 begin, i64 end, int) {
        sums[begin / tile] = inner_in(a + begin, b + begin, end - begin);
    });
    double total = 0;
    for (double sum : sums)
        total += sum;
    return total;
}

template <class T> void axpby(double alpha, const T *x, double beta, T *out, i64 n) {
    parallel_for(n, tile, [&](i64 begin, i64 end, int) {
        axpby_in(static_cast<T>(alpha), x + begin, static_cast<T>(beta), out + begin, end - begin);
    });
}

template double inner_product(const float *, const float *, i64);
template double inner_product(const double *, const double *, i64);
template void axpby(double, const float *, double, float *, i64);
template void axpby(double, const double *, double, double *, i64);

} // namespace pyrad
