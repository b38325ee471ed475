// Lines run side by side in the lanes of registers, since each is a chain of its own.
#include "texture/recursive_filter.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

constexpr int lanes = 16;

// samples: (n + 8, lanes), four repeated values before and after; state alike.
PYRAD_CLONES void forwards(const double *c, i64 n, const double *x, double *s) {
    for (i64 k = 0; k < n; ++k, x += lanes, s += lanes)
        for (int l = 0; l < lanes; ++l) {
            const double now = ((c[0] * x[l] + c[1] * x[l - lanes]) + c[2] * x[l - 2 * lanes]) +
                               c[3] * x[l - 3 * lanes];
            const double old =
                (c[11] * s[l - 4 * lanes] + c[10] * s[l - 3 * lanes]) + c[9] * s[l - 2 * lanes];
            s[l] = (now - old) - c[8] * s[l - lanes];
        }
}

PYRAD_CLONES void backwards(const double *c, i64 n, const double *x, double *s) {
    x += (n - 1) * lanes;
    s += (n - 1) * lanes;
    for (i64 k = 0; k < n; ++k, x -= lanes, s -= lanes)
        for (int l = 0; l < lanes; ++l) {
            const double now =
                ((c[4] * x[l + lanes] + c[5] * x[l + 2 * lanes]) + c[6] * x[l + 3 * lanes]) +
                c[7] * x[l + 4 * lanes];
            const double old =
                (c[11] * s[l + 4 * lanes] + c[10] * s[l + 3 * lanes]) + c[9] * s[l + 2 * lanes];
            s[l] = (now - old) - c[8] * s[l + lanes];
        }
}

PYRAD_CLONES void add(const double *a, const double *b, i64 n, float *__restrict out) {
    for (i64 k = 0; k < n; ++k)
        out[k] = static_cast<float>(a[k] + b[k]);
}

// What the filter answers to a constant 1.
double gain(const double *taps, const double *c) {
    return (taps[0] + taps[1] + taps[2] + taps[3]) / (1 + c[8] + c[9] + c[10] + c[11]);
}

// Scratch of one worker, for lines of n samples.
struct Lines {
    i64 n;
    std::vector<double> x, forward, backward;
    std::vector<float> sum;

    explicit Lines(i64 length)
        : n(length), x((n + 8) * lanes), forward(x.size()), backward(x.size()), sum(n * lanes) {}

    template <class T> void load(View<const T, 3> from, i64 first, int count) {
        const i64 inner = from.shape[2];
        for (int l = 0; l < lanes; ++l) {
            const i64 line = first + std::min(l, count - 1);
            const T *at = &from(line / inner, 0, line % inner);
            for (i64 k = 0; k < n; ++k)
                x[(k + 4) * lanes + l] = static_cast<double>(at[k * inner]);
        }
        for (i64 k = 0; k < 4; ++k)
            for (int l = 0; l < lanes; ++l) {
                x[k * lanes + l] = x[4 * lanes + l];
                x[(n + 4 + k) * lanes + l] = x[(n + 3) * lanes + l];
            }
    }

    void filter(const double *c) {
        const double before = gain(c, c), after = gain(c + 4, c);
        for (i64 k = 0; k < 4 * lanes; ++k) {
            forward[k] = before * x[k];
            backward[(n + 4) * lanes + k] = after * x[(n + 4) * lanes + k];
        }
        forwards(c, n, x.data() + 4 * lanes, forward.data() + 4 * lanes);
        backwards(c, n, x.data() + 4 * lanes, backward.data() + 4 * lanes);
        add(forward.data() + 4 * lanes, backward.data() + 4 * lanes, n * lanes, sum.data());
    }

    void store(View<float, 3> to, i64 first, int count) const {
        const i64 inner = to.shape[2];
        for (int l = 0; l < count; ++l) {
            const i64 line = first + l;
            float *at = &to(line / inner, 0, line % inner);
            for (i64 k = 0; k < n; ++k)
                at[k * inner] = sum[k * lanes + l];
        }
    }
};

} // namespace

template <class T>
void recursive_filter(View<const T, 3> x, const double *coefficients, View<float, 3> out) {
    const i64 lines = x.shape[0] * x.shape[2], n = x.shape[1];
    const i64 blocks = (lines + lanes - 1) / lanes;
    parallel_for(blocks, std::max<i64>(1, 8192 / (n * lanes)), [&](i64 begin, i64 end, int) {
        Lines scratch(n);
        for (i64 b = begin; b < end; ++b) {
            poll();
            const int count = static_cast<int>(std::min<i64>(lanes, lines - b * lanes));
            scratch.load(x, b * lanes, count);
            scratch.filter(coefficients);
            scratch.store(out, b * lanes, count);
        }
    });
}

template void recursive_filter(View<const float, 3>, const double *, View<float, 3>);
template void recursive_filter(View<const double, 3>, const double *, View<float, 3>);

} // namespace pyrad
