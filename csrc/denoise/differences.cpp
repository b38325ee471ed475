// Row by row: every loop runs along x, rows r = z ny + y are cut into tiles for the threads.
#include "denoise/differences.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <utility>
#include <vector>

// A loop body that stays a function of its own is not vectorised.
#define PYRAD_ALWAYS_INLINE inline __attribute__((always_inline))

namespace pyrad::differences {
namespace {

constexpr i64 rows_per_tile = 16;

template <class T> struct Layout {
    int dims;
    i64 ny, nx, rows, voxels;
    T inverse[3]; // z, y, x

    explicit Layout(const Grid &grid)
        : dims(grid.dims), ny(grid.ny), nx(grid.nx), rows(grid.nz * grid.ny), voxels(rows * nx),
          inverse{0, 0, 0} {
        for (int d = 0; d < dims; ++d)
            inverse[3 - dims + d] = static_cast<T>(grid.inverse_spacing[d]);
    }
    bool has_z() const { return dims == 3; }
    bool has_y() const { return dims >= 2; }
    // Rows ahead, or the row itself where there is none: the difference is then zero.
    const T *next_z(const T *row, i64 r) const {
        return has_z() && r + ny < rows ? row + ny * nx : row;
    }
    const T *next_y(const T *row, i64 r) const {
        return has_y() && r % ny + 1 < ny ? row + nx : row;
    }
    T *part(T *field, int axis) const { return field + (axis - (3 - dims)) * voxels; }
    const T *part(const T *field, int axis) const { return field + (axis - (3 - dims)) * voxels; }
};

template <class T>
PYRAD_CLONES void scaled_difference(const T *far, const T *near, T factor, i64 n, T *out) {
    for (i64 x = 0; x < n; ++x)
        out[x] = (far[x] - near[x]) * factor;
}

// out (+)= factor * (former - here), without a part that is null.
template <class T>
PYRAD_CLONES void add_outflow(const T *former, const T *here, T factor, i64 n, T *out) {
    if (former && here)
        for (i64 x = 0; x < n; ++x)
            out[x] = (out[x] + former[x] * factor) - here[x] * factor;
    else if (former)
        for (i64 x = 0; x < n; ++x)
            out[x] += former[x] * factor;
    else if (here)
        for (i64 x = 0; x < n; ++x)
            out[x] -= here[x] * factor;
}

// The same along the row; here[n - 1] is not looked at.
template <class T> PYRAD_CLONES void add_outflow_x(const T *here, T factor, i64 n, T *out) {
    if (n < 2)
        return;
    out[0] -= here[0] * factor;
    for (i64 x = 1; x < n - 1; ++x)
        out[x] = (out[x] + here[x - 1] * factor) - here[x] * factor;
    out[n - 1] += here[n - 2] * factor;
}

// One voxel of the rows that a kernel works on: the three axes' pointers, unused ones null.
template <class T> struct Rows {
    const T *near, *far_z, *far_y;
    T *z, *y, *x;
};

template <int Dims, bool Isotropic, class T>
PYRAD_ALWAYS_INLINE void ascend_voxel(const Rows<T> &r, const T *factor, T radius, i64 x, T far_x,
                                      T *changed, T *size) {
    T *const field[3] = {r.z, r.y, r.x};
    const T here = r.near[x];
    const T ahead[3] = {Dims == 3 ? r.far_z[x] : here, Dims >= 2 ? r.far_y[x] : here, far_x};
    T q[Dims], former[Dims];
    for (int d = 0; d < Dims; ++d) {
        const int axis = 3 - Dims + d;
        former[d] = field[axis][x];
        q[d] = former[d] + factor[axis] * (ahead[axis] - here);
    }
    into_ball(q, Dims, radius, Isotropic);
    T c = 0, s = 0;
    for (int d = 0; d < Dims; ++d) {
        field[3 - Dims + d][x] = q[d];
        c += (q[d] - former[d]) * (q[d] - former[d]);
        s += q[d] * q[d];
    }
    changed[x] = c;
    size[x] = s;
}

template <int Dims, bool Isotropic, class T>
PYRAD_CLONES void ascend_row(const Rows<T> rows, const T *factor_, T radius, i64 n, T *changed,
                             T *size) {
    const T factor[3] = {factor_[0], factor_[1], factor_[2]};
#pragma GCC ivdep
    for (i64 x = 0; x < n - 1; ++x)
        ascend_voxel<Dims, Isotropic>(rows, factor, radius, x, rows.near[x + 1], changed, size);
    ascend_voxel<Dims, Isotropic>(rows, factor, radius, n - 1, rows.near[n - 1], changed, size);
}

template <class T> PYRAD_CLONES double sum(const T *x, i64 n) {
    constexpr int lanes = 16;
    double parts[lanes] = {}, total = 0;
    i64 i = 0;
    for (; i + lanes <= n; i += lanes)
        for (int l = 0; l < lanes; ++l)
            parts[l] += static_cast<double>(x[i + l]);
    for (; i < n; ++i)
        total += static_cast<double>(x[i]);
    for (double part : parts)
        total += part;
    return total;
}

template <int Dims, bool Isotropic, bool Huber, class T>
PYRAD_ALWAYS_INLINE void flux_voxel(const Rows<T> &r, const T *inverse, T delta, i64 x, T far_x) {
    T *const flux[3] = {r.z, r.y, r.x};
    const T here = r.near[x];
    const T ahead[3] = {Dims == 3 ? r.far_z[x] : here, Dims >= 2 ? r.far_y[x] : here, far_x};
    T g[Dims];
    for (int d = 0; d < Dims; ++d)
        g[d] = inverse[3 - Dims + d] * (ahead[3 - Dims + d] - here);
    make_flux(g, Dims, delta, Huber, Isotropic);
    for (int d = 0; d < Dims; ++d)
        flux[3 - Dims + d][x] = g[d];
}

template <int Dims, bool Isotropic, bool Huber, class T>
PYRAD_CLONES void flux_row(const Rows<T> rows, const T *inverse_, T delta, i64 n) {
    const T inverse[3] = {inverse_[0], inverse_[1], inverse_[2]};
#pragma GCC ivdep
    for (i64 x = 0; x < n - 1; ++x)
        flux_voxel<Dims, Isotropic, Huber>(rows, inverse, delta, x, rows.near[x + 1]);
    flux_voxel<Dims, Isotropic, Huber>(rows, inverse, delta, n - 1, rows.near[n - 1]);
}

template <class T> using FluxRow = void (*)(Rows<T>, const T *, T, i64);

template <int Dims, class T> FluxRow<T> flux_row_of(bool isotropic, bool huber) {
    if (isotropic)
        return huber ? flux_row<Dims, true, true, T> : flux_row<Dims, true, false, T>;
    return huber ? flux_row<Dims, false, true, T> : flux_row<Dims, false, false, T>;
}

template <class T> using AscendRow = void (*)(Rows<T>, const T *, T, i64, T *, T *);

template <class T> AscendRow<T> ascend_row_of(int dims, bool isotropic) {
    if (dims == 3)
        return isotropic ? ascend_row<3, true, T> : ascend_row<3, false, T>;
    if (dims == 2)
        return isotropic ? ascend_row<2, true, T> : ascend_row<2, false, T>;
    return isotropic ? ascend_row<1, true, T> : ascend_row<1, false, T>;
}

// Fluxes of the rows of a tile: the row's own, kept as the former one of the next row.
template <class T> class Fluxes {
  public:
    Fluxes(const Layout<T> &layout, const T *x, T delta, FluxRow<T> make)
        : layout_(layout), x_(x), delta_(delta), make_(make), data_(9 * layout.nx) {}

    void add_gradient(i64 row, T scale, T *out) {
        const Layout<T> &l = layout_;
        const i64 y = row % l.ny;
        const bool former_y = l.has_y() && y > 0, former_z = l.has_z() && row >= l.ny;
        if (former_y && made_ != row - 1)
            make(row - 1, now_);
        std::swap(now_, before_);
        make(row, now_);
        made_ = row;
        if (former_z)
            make(row - l.ny, 2);
        T *to = out + row * l.nx;
        if (l.has_z())
            add_outflow(former_z ? at(2, 0) : nullptr, here(0, row + l.ny < l.rows),
                        scale * l.inverse[0], l.nx, to);
        if (l.has_y())
            add_outflow(former_y ? at(before_, 1) : nullptr, here(1, y + 1 < l.ny),
                        scale * l.inverse[1], l.nx, to);
        add_outflow_x(static_cast<const T *>(at(now_, 2)), scale * l.inverse[2], l.nx, to);
    }

  private:
    T *at(int buffer, int axis) { return data_.data() + (3 * buffer + axis) * layout_.nx; }
    const T *here(int axis, bool there) { return there ? at(now_, axis) : nullptr; }

    void make(i64 row, int buffer) {
        const T *near = x_ + row * layout_.nx;
        make_({near, layout_.next_z(near, row), layout_.next_y(near, row), at(buffer, 0),
               at(buffer, 1), at(buffer, 2)},
              layout_.inverse, delta_, layout_.nx);
    }

    const Layout<T> &layout_;
    const T *x_;
    T delta_;
    FluxRow<T> make_;
    std::vector<T> data_;
    i64 made_ = -1;
    int now_ = 0, before_ = 1;
};

} // namespace

template <class T> void difference(const T *x, const Grid &grid, T *out) {
    const Layout<T> layout(grid);
    parallel_for(layout.rows, rows_per_tile, [&](i64 begin, i64 end, int) {
        for (i64 r = begin; r < end; ++r) {
            const i64 n = layout.nx;
            const T *near = x + r * n;
            if (layout.has_z())
                scaled_difference(layout.next_z(near, r), near, layout.inverse[0], n,
                                  layout.part(out, 0) + r * n);
            if (layout.has_y())
                scaled_difference(layout.next_y(near, r), near, layout.inverse[1], n,
                                  layout.part(out, 1) + r * n);
            T *along = layout.part(out, 2) + r * n;
            scaled_difference(near + 1, near, layout.inverse[2], n - 1, along);
            along[n - 1] = 0;
        }
    });
}

template <class T> void difference_adjoint(const T *field, const Grid &grid, T *out) {
    const Layout<T> layout(grid);
    parallel_for(layout.rows, rows_per_tile, [&](i64 begin, i64 end, int) {
        for (i64 r = begin; r < end; ++r) {
            const i64 n = layout.nx, y = r % layout.ny;
            T *to = out + r * n;
            for (i64 x = 0; x < n; ++x)
                to[x] = 0;
            if (layout.has_z()) {
                const T *q = layout.part(field, 0) + r * n;
                add_outflow(r >= layout.ny ? q - layout.ny * n : nullptr,
                            r + layout.ny < layout.rows ? q : nullptr, layout.inverse[0], n, to);
            }
            if (layout.has_y()) {
                const T *q = layout.part(field, 1) + r * n;
                add_outflow(y > 0 ? q - n : nullptr, y + 1 < layout.ny ? q : nullptr,
                            layout.inverse[1], n, to);
            }
            add_outflow_x(layout.part(field, 2) + r * n, layout.inverse[2], n, to);
        }
    });
}

template <class T>
Change difference_ascent(const T *x, const Grid &grid, double step, double radius, bool isotropic,
                         T *field) {
    const Layout<T> layout(grid);
    const AscendRow<T> ascend = ascend_row_of<T>(layout.dims, isotropic);
    T factor[3];
    for (int axis = 0; axis < 3; ++axis)
        factor[axis] = static_cast<T>(step) * layout.inverse[axis];
    std::vector<Change> parts((layout.rows + rows_per_tile - 1) / rows_per_tile);
    parallel_for(layout.rows, rows_per_tile, [&](i64 begin, i64 end, int) {
        std::vector<T> squares(2 * layout.nx);
        T *changed = squares.data(), *size = changed + layout.nx;
        Change part{0, 0};
        for (i64 r = begin; r < end; ++r) {
            const T *near = x + r * layout.nx;
            const auto row = [&](int axis) {
                return axis >= 3 - layout.dims ? layout.part(field, axis) + r * layout.nx : nullptr;
            };
            ascend({near, layout.next_z(near, r), layout.next_y(near, r), row(0), row(1), row(2)},
                   factor, static_cast<T>(radius), layout.nx, changed, size);
            part.changed += sum(changed, layout.nx);
            part.size += sum(size, layout.nx);
        }
        parts[begin / rows_per_tile] = part;
    });
    Change total{0, 0};
    for (const Change &part : parts) {
        total.changed += part.changed;
        total.size += part.size;
    }
    return total;
}

template <class T>
void roughness_gradient(const T *x, const Grid &grid, double delta, Potential potential,
                        bool isotropic, double scale, T *out) {
    const Layout<T> layout(grid);
    const bool huber = potential == Potential::huber;
    const FluxRow<T> make = layout.dims == 3   ? flux_row_of<3, T>(isotropic, huber)
                            : layout.dims == 2 ? flux_row_of<2, T>(isotropic, huber)
                                               : flux_row_of<1, T>(isotropic, huber);
    parallel_for(layout.rows, rows_per_tile, [&](i64 begin, i64 end, int) {
        Fluxes<T> fluxes(layout, x, static_cast<T>(delta), make);
        for (i64 r = begin; r < end; ++r)
            fluxes.add_gradient(r, static_cast<T>(scale), out);
    });
}

#define PYRAD_INSTANTIATE(T)                                                                       \
    template void difference(const T *, const Grid &, T *);                                        \
    template void difference_adjoint(const T *, const Grid &, T *);                                \
    template Change difference_ascent(const T *, const Grid &, double, double, bool, T *);         \
    template void roughness_gradient(const T *, const Grid &, double, Potential, bool, double, T *);
PYRAD_INSTANTIATE(float)
PYRAD_INSTANTIATE(double)
#undef PYRAD_INSTANTIATE

} // namespace pyrad::differences
