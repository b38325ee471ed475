// Fast gradient projection on the dual: Beck and Teboulle 2009, doi:10.1109/TIP.2009.2028250.
//
// One sweep per iteration reads f, p and the previous p once and writes the new p over the previous
// one (10 streams in 3D). Rows r = z ny + y are taken in order: the image row r + reach is made,
// then the dual row r, so that only reach + 1 image rows are alive. Volumes go through blocks of y,
// plane by plane, so that the second look at p finds it in the cache. The rows are cut into slabs
// for the threads; the first `reach` image rows of every slab ("edges") are made before the sweep,
// as they need dual rows that the neighbouring slab overwrites.
#include "denoise/tv_rows.hpp"

namespace pyrad::tv {
namespace {

constexpr i64 block_bytes = 1 << 15; // of a plane's block in one array

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
            T *scratch = rings_.data() + worker * ring();
            if constexpr (D == 3)
                for (i64 y = 0; y < layout_.ny; y += block())
                    sweep_block(begin, y, std::min(y + block(), layout_.ny), scratch);
            else
                sweep(begin, scratch);
        });
    }

  private:
    i64 edge() const { return layout_.edge_size(); }
    i64 ring() const {
        if constexpr (D == 3) // two planes of a block and a row more, and a row per plane
            return (2 * (block() + 1) + layout_.slab_rows / layout_.ny + 1) * C * layout_.nx + 1;
        return (layout_.reach + 1) * C * layout_.nx;
    }
    // Lines of y: what a plane of these takes of all arrays is a part of the second cache.
    i64 block() const {
        const i64 line = C * layout_.nx * static_cast<i64>(sizeof(T));
        return std::clamp<i64>(block_bytes / line, 4, layout_.ny);
    }
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
            project_row(u, row.index);
        }
    }

    // Lines y0..y1 of all planes of a slab. Image lines y1 are made here, as they need dual lines
    // that are written over, and kept for the next block.
    void sweep_block(i64 slab, i64 y0, i64 y1, T *scratch) {
        const i64 ny = layout_.ny, row = C * layout_.nx;
        const i64 z0 = slab * layout_.slab_rows / ny;
        const i64 z1 = std::min(z0 + layout_.slab_rows / ny, layout_.rows / ny);
        T *here = scratch, *above = here + (block() + 1) * row, *kept = above + (block() + 1) * row;
        const auto make_plane = [&](i64 z, T *to) {
            const i64 end = std::min(y1 + 1, ny);
            for (i64 y = y0; y < end; ++y, to += row) {
                if (z == z0 || z == z1)
                    std::copy_n(edge_row(z == z0 ? slab : slab + 1, y), row, to);
                else if (y == y0 && y0 > 0)
                    std::copy_n(kept + (z - z0) * row, row, to);
                else
                    make_image_row({z * ny + y, y}, to);
                if (y == y1)
                    std::copy_n(to, row, kept + (z - z0) * row);
            }
        };
        make_plane(z0, here);
        for (i64 z = z0; z < z1; ++z) {
            const bool has_above = z + 1 < layout_.rows / ny;
            if (has_above)
                make_plane(z + 1, above);
            for (i64 y = y0; y < y1; ++y) {
                Ahead<T, D, C> u;
                for (int c = 0; c < C; ++c) {
                    u.here[c] = here + (y - y0) * row + c * layout_.nx;
                    u.next[c][0] = has_above ? above + (y - y0) * row + c * layout_.nx : u.here[c];
                    u.next[c][1] = y + 1 < ny ? u.here[c] + row : u.here[c];
                }
                project_row(u, z * ny + y);
            }
            std::swap(here, above);
        }
    }

    void project_row(const Ahead<T, D, C> &u, i64 row) {
        fgp_dual_row<Isotropic, T, D, C>(u, dual_rows(layout_, const_cast<T *>(p_), row),
                                         dual_rows(layout_, old_, row), step_, step_x_.data(),
                                         momentum_, layout_.nx);
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
