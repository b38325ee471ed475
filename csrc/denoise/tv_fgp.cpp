// Fast gradient projection on the dual: Beck and Teboulle 2009, doi:10.1109/TIP.2009.2028250.
//
// One sweep per iteration reads f, p and the previous p once and writes the new p over the previous
// one (10 streams in 3D). Rows r = z ny + y are taken in order: the image row r + reach is made,
// then the dual row r, so that only reach + 1 image rows are alive. The rows are cut into slabs for
// the threads; the first `reach` image rows of every slab ("edges") are made before the sweep, as
// they need dual rows that the neighbouring slab overwrites.
#include "denoise/tv_rows.hpp"

namespace pyrad::tv {
namespace {

template <class T, int D, int C, bool Isotropic> class Fgp {
  public:
    Fgp(const T *f, double weight, const Grid &grid, double step)
        : f_(f), layout_(grid, weight), zeros_(layout_.nx), edges_(layout_.slabs() * edge() + 1),
          rings_(max_workers() * ring() + 1) {
        for (int d = 0; d < D; ++d)
            step_[d] = static_cast<T>(step) * layout_.inverse[d];
        step_x_ = layout_.steps_along_x(static_cast<T>(step));
    }

    void iterate(T *p, T *old, T momentum) {
        p_ = p, old_ = old, momentum_ = momentum;
        parallel_for(layout_.slabs(), 1, [&](i64 begin, i64, int) { make_edge(begin); });
        parallel_for(layout_.slabs(), 1, [&](i64 begin, i64, int worker) {
            sweep(begin, rings_.data() + worker * ring());
        });
    }

  private:
    i64 edge() const { return layout_.edge_size(); }
    i64 ring() const { return (layout_.reach + 1) * C * layout_.nx; }
    T *edge_row(i64 slab, i64 k) { return edges_.data() + slab * edge() + k * C * layout_.nx; }
    T *ring_row(T *ring, i64 row) const {
        return ring + row % (layout_.reach + 1) * C * layout_.nx;
    }

    void make_image_row(i64 row, T *out) { make_image_row(layout_.row(row), out); }

    void make_image_row(Row row, T *out) {
        const T *f[C];
        T *u[C];
        for (int c = 0; c < C; ++c) {
            f[c] = f_ + layout_.at(c, row.index);
            u[c] = out + c * layout_.nx;
        }
        fgp_image_row<T, D, C>(f, behind(layout_, p_, row, zeros_.data()),
                               behind(layout_, static_cast<const T *>(old_), row, zeros_.data()),
                               layout_.weight, momentum_, u, row.index == 0, layout_.nx);
    }

    void make_edge(i64 slab) {
        for (i64 k = 0; k < layout_.reach; ++k)
            make_image_row(slab * layout_.slab_rows + k, edge_row(slab, k));
    }

    void sweep(i64 slab, T *ring) {
        const i64 first = slab * layout_.slab_rows;
        const i64 last = std::min(first + layout_.slab_rows, layout_.rows);
        for (i64 k = 0; k < layout_.reach; ++k)
            std::copy_n(edge_row(slab, k), C * layout_.nx, ring_row(ring, first + k));
        const auto image_row = [&](i64 row) -> const T * {
            return row < last ? ring_row(ring, row) : edge_row(slab + 1, row - last);
        };
        Row row = layout_.row(first);
        for (; row.index < last; row = layout_.next(row)) {
            const i64 ahead = row.index + layout_.reach; // at the same y
            if (ahead < last)
                make_image_row({ahead, D == 3 ? row.y : ahead}, ring_row(ring, ahead));
            Ahead<T, D, C> u;
            for (int c = 0; c < C; ++c) {
                u.here[c] = image_row(row.index) + c * layout_.nx;
                for (int d = 0; d < D - 1; ++d)
                    u.next[c][d] = layout_.has_next(d, row)
                                       ? image_row(row.index + layout_.stride(d)) + c * layout_.nx
                                       : u.here[c];
            }
            fgp_dual_row<Isotropic, T, D, C>(u, dual_rows(layout_, const_cast<T *>(p_), row.index),
                                             dual_rows(layout_, old_, row.index), step_,
                                             step_x_.data(), momentum_, layout_.nx);
        }
    }

    const T *f_;
    Layout<T, D, C> layout_;
    std::vector<T> zeros_, edges_, rings_, step_x_;
    T step_[D];
    const T *p_ = nullptr;
    T *old_ = nullptr;
    T momentum_ = 0;
};

} // namespace

template <class T>
void fgp(const T *f, double weight, const Grid &grid, double step, const double *momentum,
         i64 count, T *dual, T *previous) {
    dispatch(grid, [&](auto d, auto c, auto isotropic) {
        Fgp<T, d(), c(), isotropic()> solver(f, weight, grid, step);
        T *newest = dual, *older = previous;
        for (i64 k = 0; k < count; ++k) {
            solver.iterate(newest, older, static_cast<T>(momentum[k]));
            std::swap(newest, older);
        }
        if (newest != dual)
            std::swap_ranges(dual, dual + c() * d() * grid.nz * grid.ny * grid.nx, previous);
    });
}

template void fgp(const float *, double, const Grid &, double, const double *, i64, float *,
                  float *);
template void fgp(const double *, double, const Grid &, double, const double *, i64, double *,
                  double *);

} // namespace pyrad::tv
