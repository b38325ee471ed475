// Deflated power iteration, sixteen pixels side by side in the vector registers:
//
//     v_m <- H v_m,   v_m <- v_m - sum_{l<m} <v_l, v_m> v_l,   v_m <- v_m / |v_m|.
//
// A pixel that has converged keeps its vectors, so that the result does not depend on its
// neighbours. Used by ESPIRiT (M. Uecker et al., Magn. Reson. Med. 71 (2014),
// doi:10.1002/mrm.24751) and Walsh's adaptive maps
// (doi:10.1002/(SICI)1522-2594(200005)43:5<682::AID-MRM10>3.0.CO;2-G).
#include "mr/coil_eigen.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "mr/coil_eigen_math.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace pyrad {
namespace {

constexpr int side = 16; // pixels of a block; arrays below are [...][re, im][side]

// w = H v
template <class T> PYRAD_CLONES void multiply(const T *h, const T *v, i64 coils, T *w) {
    std::fill(w, w + coils * 2 * side, T(0));
    for (i64 i = 0; i < coils; ++i)
        for (i64 j = 0; j <= i; ++j, h += 2 * side) {
            const T *vi = v + i * 2 * side, *vj = v + j * 2 * side;
            T *wi = w + i * 2 * side, *wj = w + j * 2 * side;
            for (int p = 0; p < side; ++p) {
                wi[p] += h[p] * vj[p] - h[side + p] * vj[side + p];
                wi[side + p] += h[p] * vj[side + p] + h[side + p] * vj[p];
            }
            if (j < i)
                for (int p = 0; p < side; ++p) {
                    wj[p] += h[p] * vi[p] + h[side + p] * vi[side + p];
                    wj[side + p] += h[p] * vi[side + p] - h[side + p] * vi[p];
                }
        }
}

// dot = <a, b> = sum conj(a) b
template <class T> PYRAD_CLONES void inner(const T *a, const T *b, i64 coils, T *dot) {
    std::fill(dot, dot + 2 * side, T(0));
    for (i64 c = 0; c < coils; ++c, a += 2 * side, b += 2 * side)
        for (int p = 0; p < side; ++p) {
            dot[p] += a[p] * b[p] + a[side + p] * b[side + p];
            dot[side + p] += a[p] * b[side + p] - a[side + p] * b[p];
        }
}

// b -= dot a
template <class T> PYRAD_CLONES void deflate(const T *a, const T *dot, i64 coils, T *b) {
    for (i64 c = 0; c < coils; ++c, a += 2 * side, b += 2 * side)
        for (int p = 0; p < side; ++p) {
            b[p] -= dot[p] * a[p] - dot[side + p] * a[side + p];
            b[side + p] -= dot[p] * a[side + p] + dot[side + p] * a[p];
        }
}

template <class T>
PYRAD_CLONES void take_scaled(const T *w, const T *scale, const T *active, i64 coils, T *v) {
    for (i64 c = 0; c < 2 * coils; ++c, w += side, v += side)
        for (int p = 0; p < side; ++p)
            v[p] = active[p] != 0 ? scale[p] * w[p] : v[p];
}

template <class T> struct Block {
    i64 coils, maps;
    std::vector<T> h, v, w;

    Block(i64 coils, i64 maps)
        : coils(coils), maps(maps), h(coils * (coils + 1) * side), v(maps * coils * 2 * side),
          w(coils * 2 * side) {}

    void load(const T *matrices, i64 pixels, i64 first, i64 count) {
        for (i64 pair = 0; pair < coils * (coils + 1) / 2; ++pair)
            for (i64 p = 0; p < side; ++p) {
                const T *from = matrices + 2 * (pair * pixels + first + std::min(p, count - 1));
                h[pair * 2 * side + p] = from[0];
                h[pair * 2 * side + side + p] = from[1];
            }
        for (i64 m = 0; m < maps; ++m)
            for (i64 c = 0; c < coils; ++c) {
                const Complex<T> start = eigen_start<T>(c, coils, m);
                std::fill_n(&v[(m * coils + c) * 2 * side], side, start.re);
                std::fill_n(&v[(m * coils + c) * 2 * side + side], side, start.im);
            }
    }

    // One step of every vector of the active pixels; `moving` counts those not yet converged.
    int step(T *active, T *value) {
        T still[side] = {};
        for (i64 m = 0; m < maps; ++m) {
            T *vm = &v[m * coils * 2 * side];
            T dot[2 * side], length[2 * side], scale[side];
            multiply(h.data(), vm, coils, w.data());
            for (i64 l = 0; l < m; ++l) {
                inner(&v[l * coils * 2 * side], w.data(), coils, dot);
                deflate(&v[l * coils * 2 * side], dot, coils, w.data());
            }
            inner(vm, w.data(), coils, dot);
            inner(w.data(), w.data(), coils, length);
            for (int p = 0; p < side; ++p) {
                const T overlap2 = dot[p] * dot[p] + dot[side + p] * dot[side + p];
                if (active[p] != 0) {
                    still[p] += !eigen_done(overlap2, length[p]);
                    value[m * side + p] = std::sqrt(length[p]);
                }
                scale[p] = length[p] > 0 ? T(1) / std::sqrt(length[p]) : T(0);
            }
            take_scaled(w.data(), scale, active, coils, vm);
        }
        int moving = 0;
        for (int p = 0; p < side; ++p) {
            active[p] = active[p] != 0 && still[p] != 0;
            moving += active[p] != 0;
        }
        return moving;
    }

    void store(i64 pixels, i64 first, i64 count, T *vectors) const {
        for (i64 row = 0; row < maps * coils; ++row)
            for (i64 p = 0; p < count; ++p) {
                T *to = vectors + 2 * (row * pixels + first + p);
                to[0] = v[row * 2 * side + p];
                to[1] = v[row * 2 * side + side + p];
            }
    }
};

} // namespace

template <class T>
void coil_eigenvectors(const T *matrices, i64 coils, i64 pixels, i64 maps, i64 iterations,
                       T *vectors, T *values) {
    parallel_for((pixels + side - 1) / side, 8, [&](i64 begin, i64 end, int) {
        Block<T> block(coils, maps);
        std::vector<T> value(maps * side);
        for (i64 b = begin; b < end; ++b) {
            const i64 first = b * side, count = std::min<i64>(side, pixels - first);
            block.load(matrices, pixels, first, count);
            T active[side];
            std::fill_n(active, side, T(1));
            for (i64 i = 0; i < iterations; ++i)
                if (block.step(active, value.data()) == 0)
                    break;
            block.store(pixels, first, count, vectors);
            for (i64 m = 0; m < maps; ++m)
                std::copy_n(&value[m * side], count, values + m * pixels + first);
            poll();
        }
    });
}

template void coil_eigenvectors(const float *, i64, i64, i64, i64, float *, float *);
template void coil_eigenvectors(const double *, i64, i64, i64, i64, double *, double *);

} // namespace pyrad
