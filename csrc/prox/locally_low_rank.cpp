// Singular value soft thresholding of blocks: with the Gram matrix M^H M = V diag(s^2) V^H of a
// block's (longer side, shorter side) matrix M,
//
//     M <- M V diag(max(1 - threshold / s, 0)) V^H,
//
// eigenvectors by cyclic Jacobi rotations in double precision. Eight blocks run side by side in the
// vector registers. T. Zhang, J. M. Pauly, I. R. Levesque, Magn. Reson. Med. 73 (2015) 655,
// doi:10.1002/mrm.25161; J.-F. Cai, E. J. Candes, Z. Shen, SIAM J. Optim. 20 (2010) 1956,
// doi:10.1137/080738970.
#pragma GCC diagnostic ignored "-Wpsabi" // vectors pass between inlined functions only

#include "prox/locally_low_rank.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace pyrad {
namespace {

constexpr int side = 8; // blocks of a group; arrays below are [...][re, im][side]
constexpr int entry = 2 * side;

// One number of each block of a group.
typedef double Wide __attribute__((vector_size(side * sizeof(double))));
template <class T> struct Lanes {
    typedef T type __attribute__((vector_size(side * sizeof(T))));
};
struct Entry {
    Wide re, im;
};

inline __attribute__((always_inline)) Entry load(const double *p) {
    Entry e;
    std::memcpy(&e, p, sizeof e);
    return e;
}
inline __attribute__((always_inline)) Entry load(const float *p) {
    typename Lanes<float>::type re, im;
    std::memcpy(&re, p, sizeof re);
    std::memcpy(&im, p + side, sizeof im);
    return {__builtin_convertvector(re, Wide), __builtin_convertvector(im, Wide)};
}
inline __attribute__((always_inline)) void store(const Entry &e, double *p) {
    std::memcpy(p, &e, sizeof e);
}

// gram[i][j] = sum_l conj(m[i][l]) m[j][l], both triangles.
template <class T> PYRAD_CLONES void gram_of(const T *m, i64 n, i64 length, double *gram) {
    for (i64 i = 0; i < n; ++i)
        for (i64 j = 0; j <= i; ++j) {
            Entry sum{};
            const T *a = m + i * length * entry, *b = m + j * length * entry;
            for (i64 l = 0; l < length; ++l, a += entry, b += entry) {
                const Entry x = load(a), y = load(b);
                sum.re += x.re * y.re + x.im * y.im;
                sum.im += x.re * y.im - x.im * y.re;
            }
            store(sum, gram + (i * n + j) * entry);
            store({sum.re, -sum.im}, gram + (j * n + i) * entry);
        }
}

struct Rotations {
    double c[side], s[side], w_re[side], w_im[side], moved[side];
};

// False where the entry b is too small in all blocks to matter.
PYRAD_CLONES bool rotations_of(const double *pp, const double *qq, const double *b, Rotations &r) {
    bool needed = false;
    for (int p = 0; p < side; ++p) {
        const double size = b[p] * b[p] + b[side + p] * b[side + p];
        needed |= size > 1e-2 * jacobi_tolerance * (pp[p] * pp[p] + qq[p] * qq[p]);
    }
    for (int p = 0; needed && p < side; ++p) {
        const Rotation one = jacobi_rotation(pp[p], qq[p], b[p], b[side + p]);
        r.c[p] = one.c, r.s[p] = one.s, r.moved[p] = one.moved;
        r.w_re[p] = one.w_re, r.w_im[p] = one.w_im;
    }
    return needed;
}

// One rotation in the plane (p, q) of the matrix g and of the vectors v (columns as rows):
// (p, q) <- (c p - s w q, s p + c w q).
PYRAD_CLONES void rotate(const Rotations &r, i64 n, i64 p, i64 q, double *g, double *v) {
    Wide c, s, wr, wi;
    std::memcpy(&c, r.c, sizeof c);
    std::memcpy(&s, r.s, sizeof s);
    std::memcpy(&wr, r.w_re, sizeof wr);
    std::memcpy(&wi, r.w_im, sizeof wi);
    const Wide sr = s * wr, si = s * wi, cr = c * wr, ci = c * wi;
    double *gp = g + p * n * entry, *gq = g + q * n * entry;
    double *vp = v + p * n * entry, *vq = v + q * n * entry;
    for (i64 k = 0; k < n; ++k, vp += entry, vq += entry) {
        const Entry a = load(vp), b = load(vq);
        store({c * a.re - (sr * b.re - si * b.im), c * a.im - (sr * b.im + si * b.re)}, vp);
        store({s * a.re + (cr * b.re - ci * b.im), s * a.im + (cr * b.im + ci * b.re)}, vq);
    }
    for (i64 k = 0; k < n; ++k) {
        if (k == p || k == q)
            continue;
        double *row = g + k * n * entry;
        const Entry a = load(row + p * entry), b = load(row + q * entry);
        const Entry left{c * a.re - (sr * b.re - si * b.im), c * a.im - (sr * b.im + si * b.re)};
        const Entry right{s * a.re + (cr * b.re - ci * b.im), s * a.im + (cr * b.im + ci * b.re)};
        store(left, row + p * entry);
        store(right, row + q * entry);
        store({left.re, -left.im}, gp + k * entry);
        store({right.re, -right.im}, gq + k * entry);
    }
    Wide moved;
    std::memcpy(&moved, r.moved, sizeof moved);
    const Wide none{};
    store({load(gp + p * entry).re - moved, none}, gp + p * entry);
    store({load(gq + q * entry).re + moved, none}, gq + q * entry);
    store({none, none}, gp + q * entry);
    store({none, none}, gq + p * entry);
}

// Whether all matrices of the group are diagonal to the tolerance.
bool diagonal(const double *g, i64 n) {
    double off[side] = {}, on[side] = {};
    for (i64 i = 0; i < n; ++i)
        for (i64 j = 0; j <= i; ++j) {
            const double *a = g + (i * n + j) * entry;
            double *sum = i == j ? on : off;
            for (int p = 0; p < side; ++p)
                sum[p] += a[p] * a[p] + a[side + p] * a[side + p];
        }
    for (int p = 0; p < side; ++p)
        if (off[p] > jacobi_tolerance * on[p])
            return false;
    return true;
}

// g becomes diagonal; v[k] is the k-th eigenvector.
void jacobi(i64 n, double *g, double *v) {
    std::fill(v, v + n * n * entry, 0.0);
    for (i64 k = 0; k < n; ++k)
        std::fill_n(v + (k * n + k) * entry, side, 1.0);
    Rotations r;
    for (int sweep = 0; sweep < jacobi_sweeps && !diagonal(g, n); ++sweep)
        for (i64 p = 0; p < n; ++p)
            for (i64 q = p + 1; q < n; ++q) {
                if (rotations_of(g + (p * n + p) * entry, g + (q * n + q) * entry,
                                 g + (p * n + q) * entry, r))
                    rotate(r, n, p, q, g, v);
            }
}

// filter[i][j] = sum_k f_k v_k[i] conj(v_k[j]), n x n, in the precision of the image.
template <class T> PYRAD_CLONES void filter_of(const double *v, const double *f, i64 n, T *filter) {
    for (i64 i = 0; i < n; ++i)
        for (i64 j = 0; j < n; ++j) {
            Entry sum{};
            for (i64 k = 0; k < n; ++k) {
                const Entry a = load(v + (k * n + i) * entry), b = load(v + (k * n + j) * entry);
                Wide factor;
                std::memcpy(&factor, f + k * side, sizeof factor);
                sum.re += factor * (a.re * b.re + a.im * b.im);
                sum.im += factor * (a.im * b.re - a.re * b.im);
            }
            T *to = filter + (i * n + j) * entry;
            for (int p = 0; p < side; ++p)
                to[p] = static_cast<T>(sum.re[p]), to[side + p] = static_cast<T>(sum.im[p]);
        }
}

// result[j] = sum_i m[i][l] filter[i][j] of one l
template <class T>
PYRAD_CLONES void filtered(const T *m, const T *filter, i64 n, i64 length, i64 j, T *result) {
    using V = typename Lanes<T>::type;
    V re{}, im{};
    for (i64 i = 0; i < n; ++i) {
        V a[2], b[2];
        std::memcpy(a, m + i * length * entry, sizeof a);
        std::memcpy(b, filter + (i * n + j) * entry, sizeof b);
        re += a[0] * b[0] - a[1] * b[1];
        im += a[0] * b[1] + a[1] * b[0];
    }
    std::memcpy(result, &re, sizeof re);
    std::memcpy(result + side, &im, sizeof im);
}

// Buffers of one thread for `side` blocks.
template <class T> struct Group {
    const SeriesBlocks &blocks;
    const i64 n, length, pixels;
    std::vector<T> m, filter;
    std::vector<double> gram, vectors, factors;
    std::vector<i64> offsets; // [pixel][side]

    explicit Group(const SeriesBlocks &blocks)
        : blocks(blocks), n(blocks.shorter()), length(blocks.longer()),
          pixels(blocks.block_pixels()), m(n * length * entry), filter(n * n * entry),
          gram(n * n * entry), vectors(n * n * entry), factors(n * side), offsets(pixels * side) {}

    // Where pixel p of frame t stands in m.
    i64 place(i64 t, i64 p) const {
        return (blocks.frames_first() ? t * length + p : p * length + t) * entry;
    }

    void load(const T *x, i64 first, i64 count) {
        for (i64 p = 0; p < pixels; ++p)
            for (i64 b = 0; b < side; ++b)
                offsets[p * side + b] = b < count ? blocks.offset(first + b, p) : -1;
        const i64 frame = 2 * blocks.batch * blocks.image_pixels();
        for (i64 t = 0; t < blocks.frames; ++t)
            for (i64 p = 0; p < pixels; ++p) {
                T *to = m.data() + place(t, p);
                const i64 *at = offsets.data() + p * side;
                for (int b = 0; b < side; ++b) {
                    const bool inside = at[b] >= 0;
                    const T *from = x + t * frame + 2 * (inside ? at[b] : 0);
                    to[b] = inside ? from[0] : T(0);
                    to[side + b] = inside ? from[1] : T(0);
                }
            }
    }

    // Sum of singular values of the group's first `count` blocks; prepares the filter.
    double decompose(double threshold, i64 count) {
        gram_of(m.data(), n, length, gram.data());
        jacobi(n, gram.data(), vectors.data());
        double total = 0;
        for (i64 k = 0; k < n; ++k)
            for (int b = 0; b < side; ++b) {
                const double value = std::sqrt(std::max(0.0, gram[(k * n + k) * entry + b]));
                factors[k * side + b] = shrinkage(value, threshold);
                total += b < count ? value : 0;
            }
        filter_of(vectors.data(), factors.data(), n, filter.data());
        return total;
    }

    void store(T *out) {
        const i64 frame = 2 * blocks.batch * blocks.image_pixels();
        T result[entry];
        for (i64 l = 0; l < length; ++l)
            for (i64 j = 0; j < n; ++j) {
                filtered(m.data() + l * entry, filter.data(), n, length, j, result);
                const i64 t = blocks.frames_first() ? j : l, p = blocks.frames_first() ? l : j;
                for (int b = 0; b < side; ++b)
                    if (const i64 at = offsets[p * side + b]; at >= 0) {
                        out[t * frame + 2 * at] = result[b];
                        out[t * frame + 2 * at + 1] = result[side + b];
                    }
            }
    }
};

} // namespace

template <class T>
double shrink_blocks(const T *x, const SeriesBlocks &blocks, double threshold, T *out) {
    const i64 matrices = blocks.matrices(), groups = (matrices + side - 1) / side;
    std::vector<double> sums(groups);
    parallel_for(groups, 2, [&](i64 begin, i64 end, int) {
        Group<T> group(blocks);
        for (i64 g = begin; g < end; ++g) {
            const i64 first = g * side, count = std::min<i64>(side, matrices - first);
            group.load(x, first, count);
            sums[g] = group.decompose(threshold, count);
            group.store(out);
            poll();
        }
    });
    double total = 0;
    for (double sum : sums)
        total += sum;
    return total;
}

template double shrink_blocks(const float *, const SeriesBlocks &, double, float *);
template double shrink_blocks(const double *, const SeriesBlocks &, double, double *);

} // namespace pyrad
