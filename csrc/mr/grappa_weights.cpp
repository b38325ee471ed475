// Weights of one pattern: (G + ridge I) w = g with G, g the rows of the Gram matrix that belong to
// its sources and, as right-hand sides, to the cell they predict. Cholesky G + ridge I = U^H U by
// rows on the matrix extended by the right-hand sides, which eliminates these on the way; then
// U w = y backwards. Four rows are eliminated together, eight columns at a time in registers. A
// pivot that has lost all its digits stands for a source without information and gets weight 0.
// M. A. Griswold et al., Magn. Reson. Med. 47 (2002), doi:10.1002/mrm.10171.
#include "mr/grappa_weights.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 step = 8; // columns of a register
constexpr int rows_together = 4;
constexpr double lost = 1e-14; // pivot over diagonal

// Eight doubles; GCC splits them where registers are narrower.
typedef double Eight __attribute__((vector_size(64)));
inline __attribute__((always_inline)) void load(const double *p, Eight &x) {
    std::memcpy(&x, p, sizeof x);
}
inline __attribute__((always_inline)) void store(const Eight &x, double *p) {
    std::memcpy(p, &x, sizeof x);
}

// Rows [first, first + 4) -= conj(U[l][row]) U[l] for l < first; u is [row][re, im][width].
PYRAD_CLONES void eliminate_four(double *u, i64 width, i64 first) {
    for (i64 j = first / step * step; j < width; j += step) {
        Eight re[rows_together], im[rows_together];
        for (int r = 0; r < rows_together; ++r) {
            load(u + 2 * (first + r) * width + j, re[r]);
            load(u + (2 * (first + r) + 1) * width + j, im[r]);
        }
        for (i64 l = 0; l < first; ++l) {
            const double *row = u + 2 * l * width;
            Eight xr, xi;
            load(row + j, xr);
            load(row + width + j, xi);
            for (int r = 0; r < rows_together; ++r) {
                const double fr = row[first + r], fi = row[width + first + r];
                re[r] -= fr * xr + fi * xi;
                im[r] -= fr * xi - fi * xr;
            }
        }
        for (int r = 0; r < rows_together; ++r) {
            store(re[r], u + 2 * (first + r) * width + j);
            store(im[r], u + (2 * (first + r) + 1) * width + j);
        }
    }
}

// Row k -= conj(U[l][k]) U[l] for l in [from, k).
PYRAD_CLONES void eliminate_one(double *u, i64 width, i64 from, i64 k) {
    double *re = u + 2 * k * width, *im = re + width;
    for (i64 l = from; l < k; ++l) {
        const double *row = u + 2 * l * width;
        const double fr = row[k], fi = row[width + k];
        for (i64 j = k; j < width; ++j) {
            re[j] -= fr * row[j] + fi * row[width + j];
            im[j] -= fr * row[width + j] - fi * row[j];
        }
    }
}

PYRAD_CLONES void scale_row(double *u, i64 width, i64 k, double factor) {
    for (i64 j = 2 * k * width; j < 2 * (k + 1) * width; ++j)
        u[j] *= factor;
}

// Right-hand sides y[row][re, im][columns] (rows `width` apart): y_k = (y_k - sum U[k][l] y_l)
// inverse_k
PYRAD_CLONES void substitute(double *u, i64 width, i64 n, i64 columns, const double *inverse) {
    for (i64 k = n - 1; k >= 0; --k) {
        double *re = u + 2 * k * width + n, *im = re + width;
        for (i64 l = k + 1; l < n; ++l) {
            const double fr = u[2 * k * width + l], fi = u[(2 * k + 1) * width + l];
            const double *yr = u + 2 * l * width + n, *yi = yr + width;
            for (i64 c = 0; c < columns; ++c) {
                re[c] -= fr * yr[c] - fi * yi[c];
                im[c] -= fr * yi[c] + fi * yr[c];
            }
        }
        for (i64 c = 0; c < columns; ++c) {
            re[c] *= inverse[k];
            im[c] *= inverse[k];
        }
    }
}

struct Scratch {
    std::vector<double> u, diagonal, inverse;
};

void factor(Scratch &s, i64 n, i64 width) {
    double *u = s.u.data();
    for (i64 k = 0; k < n; ++k) {
        const i64 block = k / rows_together * rows_together;
        if (k == block && block + rows_together <= n)
            eliminate_four(u, width, block);
        const bool done = block + rows_together <= n;
        eliminate_one(u, width, done ? block : 0, k);
        const double pivot = u[2 * k * width + k];
        s.inverse[k] = pivot > lost * s.diagonal[k] ? 1 / std::sqrt(pivot) : 0.0;
        scale_row(u, width, k, s.inverse[k]);
    }
}

} // namespace

template <class T>
void grappa_weights(const double *gram, i64 coils, i64 window, const i32 *sources, const i64 *begin,
                    i64 patterns, i64 centre, double ridge, i64 lanes, T *weights) {
    const i64 side = window * coils;
    parallel_for(patterns, 1, [&](i64 p_begin, i64 p_end, int) {
        Scratch s;
        for (i64 p = p_begin; p < p_end; ++p) {
            const i32 *from = sources + begin[p];
            const i64 n = (begin[p + 1] - begin[p]) * coils;
            const i64 width = (n + coils + step - 1) / step * step;
            s.u.assign(2 * n * width, 0.0);
            s.diagonal.resize(n);
            s.inverse.resize(n);
            for (i64 k = 0; k < n; ++k) {
                const double *row = gram + 2 * (from[k / coils] * coils + k % coils) * side;
                double *re = &s.u[2 * k * width], *im = re + width;
                for (i64 b = k / coils; b <= n / coils; ++b) {
                    const i64 cell = b < n / coils ? from[b] : centre;
                    for (i64 c = 0; c < coils; ++c) {
                        re[b * coils + c] = row[2 * (cell * coils + c)];
                        im[b * coils + c] = row[2 * (cell * coils + c) + 1];
                    }
                }
                s.diagonal[k] = re[k] += ridge;
            }
            factor(s, n, width);
            substitute(s.u.data(), width, n, coils, s.inverse.data());
            T *out = weights + 2 * begin[p] * coils * lanes;
            std::fill_n(out, 2 * n * lanes, T(0));
            for (i64 k = 0; k < n; ++k, out += 2 * lanes)
                for (i64 c = 0; c < coils; ++c) {
                    out[2 * c] = static_cast<T>(s.u[2 * k * width + n + c]);
                    out[2 * c + 1] = static_cast<T>(s.u[(2 * k + 1) * width + n + c]);
                }
            poll();
        }
    });
}

template void grappa_weights(const double *, i64, i64, const i32 *, const i64 *, i64, i64, double,
                             i64, float *);
template void grappa_weights(const double *, i64, i64, const i32 *, const i64 *, i64, i64, double,
                             i64, double *);

} // namespace pyrad
