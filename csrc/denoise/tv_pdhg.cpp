// Accelerated primal-dual hybrid gradient: Chambolle and Pock 2011 (algorithm 2),
// doi:10.1007/s10851-010-0251-1.
//
// One sweep per iteration over rows r = z ny + y updates the dual row r in place, then the image
// row r, written over the image of one iteration before (10 streams in 3D). The rows are cut into
// slabs for the threads. A slab needs values of its neighbours that they overwrite: the
// extrapolated image in the `reach` rows after it, and the new dual in the `reach` rows before it.
// Both are made for all slabs before the sweep ("edges").
#include "denoise/tv_rows.hpp"

namespace pyrad::tv {
namespace {

struct Steps {
    double tau, sigma, theta;
};

template <class T, int D, int C, bool Isotropic> class Pdhg {
  public:
    Pdhg(const T *f, double weight, const Grid &grid)
        : f_(f), weight_(weight), layout_(grid, weight), zeros_(layout_.nx),
          images_(layout_.slabs() * edge()), duals_(layout_.slabs() * edge()),
          scratch_(max_workers() * scratch()) {}

    void iterate(T *p, T *u, T *old, const Steps &steps) {
        p_ = p, u_ = u, old_ = old;
        theta_ = static_cast<T>(steps.theta);
        for (int d = 0; d < D; ++d)
            step_[d] = static_cast<T>(steps.sigma) * layout_.weight[d];
        step_x_ = layout_.steps_along_x(static_cast<T>(steps.sigma * weight_));
        take_ = static_cast<T>(steps.tau / (1 + steps.tau));
        parallel_for(layout_.slabs(), 1, [&](i64 begin, i64, int worker) {
            if (begin > 0)
                make_edges(begin, scratch_.data() + worker * scratch());
        });
        parallel_for(layout_.slabs(), 1, [&](i64 begin, i64, int worker) {
            sweep(begin, scratch_.data() + worker * scratch());
        });
    }

  private:
    i64 edge() const { return layout_.edge_size(); }
    // rows of a dual vector, or a row of both generations of the image and one element more
    i64 scratch() const { return C * std::max<i64>(D * layout_.nx, 2 * (layout_.nx + 1)); }
    i64 first_row(i64 slab) const { return slab * layout_.slab_rows; }
    T *edge_row(std::vector<T> &edges, i64 slab, int c, i64 k) {
        return edges.data() + slab * edge() + (c * layout_.reach + k) * layout_.nx;
    }

    // Rows of one generation of the image around `row`; from row `end` on they stand in the edges
    // of the slab that begins there.
    Ahead<T, D, C> ahead(const T *image, Row row, i64 end) {
        Ahead<T, D, C> rows;
        for (int c = 0; c < C; ++c) {
            rows.here[c] = image + layout_.at(c, row.index);
            for (int d = 0; d < D - 1; ++d) {
                const i64 next = row.index + layout_.stride(d);
                if (!layout_.has_next(d, row))
                    rows.next[c][d] = rows.here[c];
                else if (next < end)
                    rows.next[c][d] = image + layout_.at(c, next);
                else
                    rows.next[c][d] = edge_row(images_, end / layout_.slab_rows, c, next - end);
            }
        }
        return rows;
    }

    void make_edges(i64 slab, T *scratch) {
        for (int c = 0; c < C; ++c)
            for (i64 k = 0; k < layout_.reach; ++k) {
                const i64 at = layout_.at(c, first_row(slab) + k);
                extrapolate_row(u_ + at, old_ + at, theta_, edge_row(images_, slab, c, k),
                                layout_.nx);
            }
        for (i64 k = 0; k < layout_.reach; ++k) {
            const Row row = layout_.row(first_row(slab) - layout_.reach + k);
            Dual<T, D, C> out;
            for (int c = 0; c < C; ++c)
                for (int d = 0; d < D; ++d)
                    out.row[c][d] =
                        d == 0 ? edge_row(duals_, slab, c, k) : scratch + (c * D + d) * layout_.nx;
            pdhg_dual_row<Isotropic, T, D, C>(
                ahead(u_, row, layout_.rows), ahead(old_, row, layout_.rows), theta_,
                dual_rows(layout_, p_, row.index), out, step_, step_x_.data(), layout_.nx);
        }
    }

    // The last row of a slab must not look beyond itself along x: it moves to where it may.
    void detach(Ahead<T, D, C> &rows, T *copies) {
        for (int c = 0; c < C; ++c) {
            T *copy = copies + c * (layout_.nx + 1);
            std::copy_n(rows.here[c], layout_.nx, copy);
            copy[layout_.nx] = 0;
            rows.here[c] = copy;
        }
    }

    void sweep(i64 slab, T *scratch) {
        const i64 begin = first_row(slab), end = std::min(begin + layout_.slab_rows, layout_.rows);
        for (Row row = layout_.row(begin); row.index < end; row = layout_.next(row)) {
            Ahead<T, D, C> u = ahead(u_, row, end), old = ahead(old_, row, end);
            if (row.index == end - 1) {
                detach(u, scratch);
                detach(old, scratch + C * (layout_.nx + 1));
            }
            const Dual<T, D, C> p = dual_rows(layout_, p_, row.index);
            pdhg_dual_row<Isotropic, T, D, C>(u, old, theta_, p, p, step_, step_x_.data(),
                                              layout_.nx);
            update_image(slab, row);
        }
    }

    void update_image(i64 slab, Row row) {
        const i64 begin = first_row(slab);
        Behind<T, D, C> p = behind(layout_, static_cast<const T *>(p_), row, zeros_.data());
        const T *f[C], *u[C];
        T *out[C];
        for (int c = 0; c < C; ++c) {
            if (begin > 0 && row.index - layout_.reach < begin)
                p.former[c][0] = edge_row(duals_, slab, c, row.index - begin);
            f[c] = f_ + layout_.at(c, row.index);
            u[c] = u_ + layout_.at(c, row.index);
            out[c] = old_ + layout_.at(c, row.index);
        }
        primal_row<T, D, C>(f, p, layout_.weight, u, take_, out, row.index == begin, layout_.nx);
    }

    const T *f_;
    double weight_;
    Layout<T, D, C> layout_;
    std::vector<T> zeros_, images_, duals_, scratch_, step_x_;
    T *p_ = nullptr, *old_ = nullptr;
    const T *u_ = nullptr;
    T step_[D], theta_ = 0, take_ = 0;
};

} // namespace

template <class T>
void pdhg(const T *f, double weight, const Grid &grid, const double *steps, i64 count, T *dual,
          T *image, T *previous) {
    dispatch(grid, [&](auto d, auto c, auto isotropic) {
        Pdhg<T, d(), c(), isotropic()> solver(f, weight, grid);
        T *newest = image, *older = previous;
        for (i64 k = 0; k < count; ++k) {
            solver.iterate(dual, newest, older, {steps[3 * k], steps[3 * k + 1], steps[3 * k + 2]});
            std::swap(newest, older);
        }
        if (newest != image)
            std::swap_ranges(image, image + c() * grid.nz * grid.ny * grid.nx, previous);
    });
}

template void pdhg(const float *, double, const Grid &, const double *, i64, float *, float *,
                   float *);
template void pdhg(const double *, double, const Grid &, const double *, i64, double *, double *,
                   double *);

} // namespace pyrad::tv
