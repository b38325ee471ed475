// Rows of cells and of voxels in plain loops along x.
#include "denoise/tensor_diffusion.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "denoise/tensor_diffusion_math.hpp"

#include <algorithm>
#include <vector>

namespace pyrad::tensor {
namespace {

constexpr i64 grain = 16; // rows of a tile
constexpr i64 block = 32; // matrices whose eigenvectors are found together

template <class T> struct Factors {
    T z, y, x;
    Factors(const Spacing &spacing, double by)
        : z(static_cast<T>(by * spacing.inverse[0])), y(static_cast<T>(by * spacing.inverse[1])),
          x(static_cast<T>(by * spacing.inverse[2])) {}
};

template <class T> struct Image {
    View<const T, 3> u;
    const T *row(i64 z, i64 y) const {
        return u.data +
               (std::clamp<i64>(z, 0, u.shape[0] - 1) * u.shape[1] +
                std::clamp<i64>(y, 0, u.shape[1] - 1)) *
                   u.shape[2] +
               1;
    }
    // Rows around the cells (z, y).
    Corners<T> corners(i64 z, i64 y) const {
        return {{{row(z - 1, y - 1), row(z - 1, y)}, {row(z, y - 1), row(z, y)}}};
    }
};

template <class T>
PYRAD_CLONES void edge_row(const Corners<T> corners, const Factors<T> q, T kappa, T *out, i64 step,
                           i64 n) {
#pragma GCC ivdep
    for (i64 x = 0; x < n; ++x)
        edge_tensor(cell_gradient(corners, x, q.z, q.y, q.x), kappa, out + x, step);
}

template <class T>
PYRAD_CLONES void structure_row(const Corners<T> corners, const Factors<T> q, T *out, i64 step,
                                i64 n) {
#pragma GCC ivdep
    for (i64 x = 0; x < n; ++x) {
        const Gradient<T> g = cell_gradient(corners, x, q.z, q.y, q.x);
        out[x + zz * step] = g.z * g.z;
        out[x + yy * step] = g.y * g.y;
        out[x + xx * step] = g.x * g.x;
        out[x + zy * step] = g.z * g.y;
        out[x + zx * step] = g.z * g.x;
        out[x + yx * step] = g.y * g.x;
    }
}

// Matrices side by side: every turn is a loop over all of them.
template <class T>
PYRAD_CLONES void coherence_block(T *row, i64 step, bool flat, T kappa, T alpha) {
    T m[components][block], v[9][block], trace[block];
#pragma GCC ivdep
    for (i64 k = 0; k < block; ++k)
        trace[k] = tensor_trace(row + k, step);
    for (int part = 0; part < components; ++part)
        for (i64 k = 0; k < block; ++k)
            m[part][k] = row[part * step + k] / trace[k];
    for (int part = 0; part < 9; ++part)
        for (i64 k = 0; k < block; ++k)
            v[part][k] = part % 4 == 0 ? T(1) : T(0);
    const auto turn = [&](int p, int q, int pq, int rp, int rq) {
        for (i64 k = 0; k < block; ++k)
            rotate(m[p][k], m[q][k], m[pq][k], m[rp][k], m[rq][k], v[3 * p][k], v[3 * q][k],
                   v[3 * p + 1][k], v[3 * q + 1][k], v[3 * p + 2][k], v[3 * q + 2][k]);
    };
    for (int sweep = 0; sweep < sweeps; ++sweep) {
        if (!flat) {
            turn(zz, yy, zy, zx, yx);
            turn(zz, xx, zx, zy, yx);
        }
        turn(yy, xx, yx, zy, zx);
    }
#pragma GCC ivdep
    for (i64 k = 0; k < block; ++k)
        set_coherence(row + k, step, flat, m[zz][k], m[yy][k], m[xx][k], trace[k], v[0][k], v[1][k],
                      v[2][k], v[3][k], v[4][k], v[5][k], v[6][k], v[7][k], v[8][k], kappa, alpha);
}

template <class T> void coherence_row(T *row, i64 step, bool flat, T kappa, T alpha, i64 n) {
    i64 x = 0;
    for (; x + block <= n; x += block)
        coherence_block(row + x, step, flat, kappa, alpha);
    for (; x < n; ++x)
        coherence_tensor(row + x, step, flat, kappa, alpha);
}

template <class T>
PYRAD_CLONES void mixed_row(const Corners<T> corners, const Factors<T> q, const T *tensor, i64 step,
                            T *__restrict out, i64 n) {
#pragma GCC ivdep
    for (i64 x = 0; x < n; ++x) {
        const Gradient<T> m = mixed(tensor + x, step, cell_gradient(corners, x, q.z, q.y, q.x));
        out[x] = m.z;
        out[x + n] = m.y;
        out[x + 2 * n] = m.x;
    }
}

// Cells around a row of voxels: tensors and mixed parts of the four rows of cells, by z and y.
template <class T> struct Around {
    const T *tensor[2][2];
    const T *mixed[2][2]; // z, y, x parts, n elements each
    const T *here, *before[2], *after[2];
    i64 step, n;
};

template <class T>
PYRAD_CLONES void step_row(const Around<T> a, const Factors<T> f, T tau, T *__restrict along_x,
                           T *__restrict out, i64 voxels) {
    const T *const u = a.here;
    const T quarter = T(0.25);
    const i64 n = a.n;
    const auto four = [&](const T *const(&rows)[2][2], i64 at) {
        return (rows[0][0][at] + rows[0][1][at]) + (rows[1][0][at] + rows[1][1][at]);
    };
#pragma GCC ivdep
    for (i64 x = 0; x < n; ++x)
        along_x[x] = quarter * (four(a.tensor, xx * a.step + x) * ((u[x] - u[x - 1]) * f.x) +
                                four(a.mixed, 2 * n + x));
    // both cells along x of two rows of cells
    const auto pair = [](const T *p, const T *q, i64 at) {
        return (p[at] + p[at + 1]) + (q[at] + q[at + 1]);
    };
#pragma GCC ivdep
    for (i64 x = 0; x < voxels; ++x) {
        const i64 ty = yy * a.step + x, tz = zz * a.step + x;
        const T up = pair(a.tensor[0][1], a.tensor[1][1], ty) * ((a.after[1][x] - u[x]) * f.y) +
                     pair(a.mixed[0][1], a.mixed[1][1], n + x);
        const T down = pair(a.tensor[0][0], a.tensor[1][0], ty) * ((u[x] - a.before[1][x]) * f.y) +
                       pair(a.mixed[0][0], a.mixed[1][0], n + x);
        const T far = pair(a.tensor[1][0], a.tensor[1][1], tz) * ((a.after[0][x] - u[x]) * f.z) +
                      pair(a.mixed[1][0], a.mixed[1][1], x);
        const T near = pair(a.tensor[0][0], a.tensor[0][1], tz) * ((u[x] - a.before[0][x]) * f.z) +
                       pair(a.mixed[0][0], a.mixed[0][1], x);
        out[x] = u[x] + tau * ((along_x[x + 1] - along_x[x]) * f.x +
                               quarter * ((up - down) * f.y + (far - near) * f.z));
    }
}

// work(row of cells, z, y)
template <class T, class Work> void for_cells(View<T, 4> cells, const Work &work) {
    const i64 high = cells.shape[2], wide = cells.shape[3];
    parallel_for(cells.shape[1] * high, grain, [&](i64 begin, i64 end, int) {
        poll();
        for (i64 r = begin; r < end; ++r)
            work(cells.data + r * wide, r / high, r % high);
    });
}

} // namespace

template <class T>
void edge_tensor(View<const T, 3> u, const Spacing &spacing, double kappa, View<T, 4> out) {
    const Image<T> image{u};
    const Factors<T> q(spacing, 0.25);
    for_cells(out, [&](T *row, i64 z, i64 y) {
        edge_row(image.corners(z, y), q, static_cast<T>(kappa), row, out.stride[0], out.shape[3]);
    });
}

template <class T>
void structure_tensor(View<const T, 3> u, const Spacing &spacing, View<T, 4> out) {
    const Image<T> image{u};
    const Factors<T> q(spacing, 0.25);
    for_cells(out, [&](T *row, i64 z, i64 y) {
        structure_row(image.corners(z, y), q, row, out.stride[0], out.shape[3]);
    });
}

template <class T> void coherence_tensor(View<T, 4> tensor, bool flat, double kappa, double alpha) {
    const i64 step = tensor.stride[0], nz = tensor.shape[1], ny = tensor.shape[2];
    const i64 n = tensor.shape[3];
    for_cells(tensor, [&](T *row, i64 z, i64 y) {
        // nothing flows through the faces: no mixed parts with their normals there
        const bool face_z = z == 0 || z == nz - 1, face_y = y == 0 || y == ny - 1;
        for (i64 x = 0; x < n; ++x) {
            const bool face_x = x == 0 || x == n - 1;
            row[x + zy * step] = face_z || face_y ? T(0) : row[x + zy * step];
            row[x + zx * step] = face_z || face_x ? T(0) : row[x + zx * step];
            row[x + yx * step] = face_y || face_x ? T(0) : row[x + yx * step];
        }
        coherence_row(row, step, flat, static_cast<T>(kappa), static_cast<T>(alpha), n);
    });
}

template <class T>
void tensor_step(View<const T, 3> u, View<const T, 4> tensor, const Spacing &spacing, double tau,
                 View<T, 3> out) {
    const Image<T> image{u};
    const Factors<T> q(spacing, 0.25), f(spacing, 1);
    const i64 ny = u.shape[1], n = tensor.shape[3], voxels = n - 1;
    const i64 margin = out.shape[2] == voxels ? 0 : 1;
    parallel_for(u.shape[0] * ny, grain, [&](i64 begin, i64 end, int) {
        poll();
        std::vector<T> parts(12 * n), along_x(n);
        for (i64 r = begin; r < end; ++r) {
            const i64 z = r / ny, y = r % ny;
            Around<T> around{{},
                             {},
                             image.row(z, y),
                             {image.row(z - 1, y), image.row(z, y - 1)},
                             {image.row(z + 1, y), image.row(z, y + 1)},
                             tensor.stride[0],
                             n};
            for (i64 k = 0; k < 4; ++k) {
                const i64 cz = z + k / 2, cy = y + k % 2;
                T *const part = parts.data() + 3 * n * k;
                const T *const cells = tensor.data + (cz * (ny + 1) + cy) * n;
                mixed_row(image.corners(cz, cy), q, cells, tensor.stride[0], part, n);
                around.tensor[k / 2][k % 2] = cells;
                around.mixed[k / 2][k % 2] = part;
            }
            T *const row = out.data + r * out.shape[2] + margin;
            step_row(around, f, static_cast<T>(tau), along_x.data(), row, voxels);
            if (margin) {
                row[-1] = row[0];
                row[voxels] = row[voxels - 1];
            }
        }
    });
}

template void edge_tensor(View<const float, 3>, const Spacing &, double, View<float, 4>);
template void edge_tensor(View<const double, 3>, const Spacing &, double, View<double, 4>);
template void structure_tensor(View<const float, 3>, const Spacing &, View<float, 4>);
template void structure_tensor(View<const double, 3>, const Spacing &, View<double, 4>);
template void coherence_tensor(View<float, 4>, bool, double, double);
template void coherence_tensor(View<double, 4>, bool, double, double);
template void tensor_step(View<const float, 3>, View<const float, 4>, const Spacing &, double,
                          View<float, 3>);
template void tensor_step(View<const double, 3>, View<const double, 4>, const Spacing &, double,
                          View<double, 3>);

} // namespace pyrad::tensor
