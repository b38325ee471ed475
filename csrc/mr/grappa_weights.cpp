// Weights of one pattern: (G + ridge I) w = g with G, g the rows of the Gram matrix that belong to
// its sources and, as right-hand sides, to the cell they predict. Cholesky G + ridge I = U^H U by
// rows on the matrix extended by the right-hand sides, which eliminates these on the way; then
// U w = y backwards. Four rows are eliminated together (grappa_products.cpp). A pivot that has lost
// all its digits stands for a source without information and gets weight 0. M. A. Griswold et al.,
// Magn. Reson. Med. 47 (2002), doi:10.1002/mrm.10171.
#include "mr/grappa_weights.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "mr/grappa_products.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace pyrad {
namespace {

constexpr double lost = 1e-14; // pivot over diagonal

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

PYRAD_CLONES void scale(double *x, i64 count, double factor) {
    for (i64 j = 0; j < count; ++j)
        x[j] *= factor;
}

// y[row][columns] -= U[row][k] solved for the rows above k; rows lie 2 * width apart.
PYRAD_CLONES void take_out(const double *u_re, const double *u_im, i64 width, i64 k, i64 columns,
                           const double *__restrict solved, double *__restrict y) {
    for (i64 r = 0; r < k; ++r) {
        const double fr = u_re[2 * r * width], fi = u_im[2 * r * width];
        double *re = y + 2 * r * width, *im = re + width;
        for (i64 c = 0; c < columns; ++c) {
            re[c] -= fr * solved[c] - fi * solved[columns + c];
            im[c] -= fr * solved[columns + c] + fi * solved[c];
        }
    }
}

// The extended matrix of one pattern, [row][re, im][width] at cache lines, and its solution.
class System {
  public:
    System(i64 coils, const GrappaProducts &products) : coils_(coils), products_(products) {}

    void load(const double *gram, i64 side, const i32 *from, i64 sources, i64 centre,
              double ridge) {
        n_ = sources * coils_;
        width_ = (n_ + coils_ + product_pad - 1) / product_pad * product_pad;
        room_.resize(2 * n_ * width_ + product_pad);
        u_ = room_.data();
        while (reinterpret_cast<std::uintptr_t>(u_) % (product_pad * sizeof(double)) != 0)
            ++u_;
        diagonal_.resize(n_);
        inverse_.resize(n_);
        solved_.resize(2 * coils_);
        for (i64 k = 0; k < n_; ++k) {
            const double *row = gram + 2 * (from[k / coils_] * coils_ + k % coils_) * side;
            double *re = u_ + 2 * k * width_, *im = re + width_;
            const i64 first = k / product_pad * product_pad; // eliminate() begins there
            std::fill(re + first, re + width_, 0.0);
            std::fill(im + first, im + width_, 0.0);
            for (i64 b = k / coils_; b <= sources; ++b) {
                const i64 cell = b < sources ? from[b] : centre;
                for (i64 c = 0; c < coils_; ++c) {
                    re[b * coils_ + c] = row[2 * (cell * coils_ + c)];
                    im[b * coils_ + c] = row[2 * (cell * coils_ + c) + 1];
                }
            }
            diagonal_[k] = re[k] += ridge;
        }
    }

    void solve() {
        for (i64 k = 0; k < n_; ++k) {
            const i64 block = k / product_rows * product_rows;
            const bool together = block + product_rows <= n_;
            if (together && k == block)
                products_.eliminate(u_, width_, block);
            eliminate_one(u_, width_, together ? block : 0, k);
            const double pivot = u_[2 * k * width_ + k];
            inverse_[k] = pivot > lost * diagonal_[k] ? 1 / std::sqrt(pivot) : 0.0;
            scale(u_ + 2 * k * width_ + k, width_ - k, inverse_[k]);
            scale(u_ + (2 * k + 1) * width_ + k, width_ - k, inverse_[k]);
        }
        for (i64 k = n_ - 1; k >= 0; --k) {
            double *re = u_ + 2 * k * width_ + n_, *im = re + width_;
            for (i64 c = 0; c < coils_; ++c) {
                solved_[c] = re[c] *= inverse_[k];
                solved_[coils_ + c] = im[c] *= inverse_[k];
            }
            take_out(u_ + k, u_ + width_ + k, width_, k, coils_, solved_.data(), u_ + n_);
        }
    }

    // out[row][lanes]
    template <class T> void store(i64 lanes, T *out) const {
        std::fill_n(out, 2 * n_ * lanes, T(0));
        for (i64 k = 0; k < n_; ++k, out += 2 * lanes)
            for (i64 c = 0; c < coils_; ++c) {
                out[2 * c] = static_cast<T>(u_[2 * k * width_ + n_ + c]);
                out[2 * c + 1] = static_cast<T>(u_[(2 * k + 1) * width_ + n_ + c]);
            }
    }

  private:
    i64 coils_, n_ = 0, width_ = 0;
    GrappaProducts products_;
    double *u_ = nullptr;
    std::vector<double> room_, diagonal_, inverse_, solved_;
};

} // namespace

template <class T>
void grappa_weights(const double *gram, i64 coils, i64 window, const i32 *sources, const i64 *begin,
                    i64 patterns, i64 centre, double ridge, i64 lanes, T *weights) {
    const GrappaProducts products = grappa_products();
    parallel_for(patterns, 1, [&](i64 first, i64 last, int) {
        System system(coils, products);
        for (i64 p = first; p < last; ++p) {
            system.load(gram, window * coils, sources + begin[p], begin[p + 1] - begin[p], centre,
                        ridge);
            system.solve();
            system.store(lanes, weights + 2 * begin[p] * coils * lanes);
            poll();
        }
    });
}

template void grappa_weights(const double *, i64, i64, const i32 *, const i64 *, i64, i64, double,
                             i64, float *);
template void grappa_weights(const double *, i64, i64, const i32 *, const i64 *, i64, i64, double,
                             i64, double *);

} // namespace pyrad
