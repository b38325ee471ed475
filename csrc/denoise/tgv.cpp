// Total generalised variation on the CPU: two sweeps over rows per iteration, one for u and w, one
// for the duals. Loops run along x; neighbours along slower axes are rows of their own.
#include "denoise/tgv.hpp"
#include "denoise/tv_rows.hpp"

namespace pyrad::tgv {
namespace {

using tv::Row;

// Rows of a field with K components around one row; `zeros` stands for those outside.
template <class T, int D, int C, int K> struct Rows {
    const T *here[C][K];
    const T *former[C][K][D], *following[C][K][D];

    template <class Layout> Rows(const Layout &layout, const T *field, Row row, const T *zeros) {
        for (int c = 0; c < C; ++c)
            for (int k = 0; k < K; ++k) {
                here[c][k] = field + (c * K + k) * layout.voxels + row.index * layout.nx;
                for (int d = 0; d < D - 1; ++d) {
                    const i64 away = layout.stride(d) * layout.nx;
                    former[c][k][d] = layout.has_former(d, row) ? here[c][k] - away : zeros;
                    following[c][k][d] = layout.has_next(d, row) ? here[c][k] + away : zeros;
                }
            }
    }
};

// One voxel of Rows. The flags are constants where this is inlined.
template <class T, int D, int C, int K> struct Point {
    const Rows<T, D, C, K> &rows;
    i64 x;
    bool first, last;

    PYRAD_ALWAYS_INLINE T get(int c, int k) const { return rows.here[c][k][x]; }
    PYRAD_ALWAYS_INLINE T before(int c, int k, int d) const {
        return d < D - 1 ? rows.former[c][k][d][x] : first ? T(0) : rows.here[c][k][x - 1];
    }
    PYRAD_ALWAYS_INLINE T after(int c, int k, int d) const {
        return d < D - 1 ? rows.following[c][k][d][x] : last ? T(0) : rows.here[c][k][x + 1];
    }
};

// Where a row lies along the slower axes.
template <class T, int D> struct RowEdges {
    T next[D], inner[D];

    template <class Layout> RowEdges(const Layout &layout, Row row) {
        for (int d = 0; d < D - 1; ++d) {
            next[d] = layout.has_next(d, row);
            inner[d] = layout.has_next(d, row) && layout.has_former(d, row);
        }
    }
};

template <class T, int D> struct Edges {
    const RowEdges<T, D> &row;
    bool first, last;

    PYRAD_ALWAYS_INLINE T next(int d) const { return d < D - 1 ? row.next[d] : T(!last); }
    PYRAD_ALWAYS_INLINE T inner(int d) const {
        return d < D - 1 ? row.inner[d] : T(!last && !first);
    }
};

// Calls body(x, first, last): the ends by themselves, so that the loop between has no conditions.
#define PYRAD_ALONG_ROW(nx, body)                                                                  \
    do {                                                                                           \
        body(0, true, nx == 1);                                                                    \
        _Pragma("GCC ivdep") for (i64 x = 1; x < nx - 1; ++x) body(x, false, false);               \
        if (nx > 1)                                                                                \
            body(nx - 1, false, true);                                                             \
    } while (false)

template <class T, int D, int C> struct PrimalOut {
    T *const (&u)[C], *const (&u_ahead)[C];
    T *const (&w)[C][D], *const (&w_ahead)[C][D];
    i64 x;

    PYRAD_ALWAYS_INLINE void image(int c, T value, T ahead) const {
        u[c][x] = value;
        u_ahead[c][x] = ahead;
    }
    PYRAD_ALWAYS_INLINE void vector(int c, int d, T value, T ahead) const {
        w[c][d][x] = value;
        w_ahead[c][d][x] = ahead;
    }
};

template <class T, int D, int C> struct PrimalRows {
    const T *f[C];
    T *u[C], *u_ahead[C], *w[C][D], *w_ahead[C][D];
};

template <class T, int D, int C>
PYRAD_CLONES void primal_row(const PrimalRows<T, D, C> out, const Rows<T, D, C, 1> u,
                             const Rows<T, D, C, D> w, const Rows<T, D, C, D> p,
                             const Rows<T, D, C, tensor_size(D)> q, const T *inverse_,
                             const Steps<T> steps, i64 nx) {
    T inverse[D];
    std::copy(inverse_, inverse_ + D, inverse);
    const auto voxel = [&](i64 x, bool first, bool last) __attribute__((always_inline)) {
        T f[C];
        for (int c = 0; c < C; ++c)
            f[c] = out.f[c][x];
        primal_voxel<D, C>(
            f, Point<T, D, C, 1>{u, x, first, last}, Point<T, D, C, D>{w, x, first, last},
            Point<T, D, C, D>{p, x, first, last}, Point<T, D, C, tensor_size(D)>{q, x, first, last},
            inverse, steps, PrimalOut<T, D, C>{out.u, out.u_ahead, out.w, out.w_ahead, x});
    };
    PYRAD_ALONG_ROW(nx, voxel);
}

template <class T, int D, int C> struct DualRows {
    T *p[C][D], *q[C][tensor_size(D)];
};

template <class T, int D, int C>
PYRAD_CLONES void dual_row(const DualRows<T, D, C> out, const Rows<T, D, C, 1> u,
                           const Rows<T, D, C, D> w, const Rows<T, D, C, D> p,
                           const Rows<T, D, C, tensor_size(D)> q, const RowEdges<T, D> edges,
                           const T *inverse_, const Steps<T> steps, i64 nx) {
    constexpr int K = tensor_size(D);
    T inverse[D];
    std::copy(inverse_, inverse_ + D, inverse);
    const auto voxel = [&](i64 x, bool first, bool last) __attribute__((always_inline)) {
        T p_new[C * D], q_new[C * K];
        dual_voxel<D, C>(Point<T, D, C, 1>{u, x, first, last}, Point<T, D, C, D>{w, x, first, last},
                         Point<T, D, C, D>{p, x, first, last}, Point<T, D, C, K>{q, x, first, last},
                         Edges<T, D>{edges, first, last}, inverse, steps, p_new, q_new);
        for (int c = 0; c < C; ++c) {
            for (int d = 0; d < D; ++d)
                out.p[c][d][x] = p_new[c * D + d];
            for (int k = 0; k < K; ++k)
                out.q[c][k][x] = q_new[c * K + k];
        }
    };
    PYRAD_ALONG_ROW(nx, voxel);
}

template <class T, int D, int C>
PYRAD_CLONES void back_row(const Rows<T, D, C, tensor_size(D)> q, const T *inverse_, T factor,
                           T *const *out, i64 nx) {
    T inverse[D];
    std::copy(inverse_, inverse_ + D, inverse);
    const auto voxel = [&](i64 x, bool first, bool last) __attribute__((always_inline)) {
        const Point<T, D, C, tensor_size(D)> point{q, x, first, last};
        for (int c = 0; c < C; ++c)
            for (int d = 0; d < D; ++d)
                out[c * D + d][x] = factor * tgv::back<T, D>(point, c, d, inverse);
    };
    PYRAD_ALONG_ROW(nx, voxel);
}

// values: `terms` rows of nx.
template <class T, int D, int C>
PYRAD_CLONES void objective_row(const Rows<T, D, C, 1> f_rows, const Rows<T, D, C, 1> u,
                                const Rows<T, D, C, D> w, const Rows<T, D, C, tensor_size(D)> q,
                                const Rows<T, D, C, D> v, const RowEdges<double, D> edges,
                                const double *inverse_, i64 nx, double *values) {
    constexpr int K = tensor_size(D);
    double inverse[D];
    std::copy(inverse_, inverse_ + D, inverse);
    const auto voxel = [&](i64 x, bool first, bool last) __attribute__((always_inline)) {
        T f[C];
        double here[terms];
        for (int c = 0; c < C; ++c)
            f[c] = f_rows.here[c][0][x];
        objective_voxel<D, C>(
            f, Point<T, D, C, 1>{u, x, first, last}, Point<T, D, C, D>{w, x, first, last},
            Point<T, D, C, K>{q, x, first, last}, Point<T, D, C, D>{v, x, first, last},
            Edges<double, D>{edges, first, last}, inverse, here);
        for (int i = 0; i < terms; ++i)
            values[i * nx + x] = here[i];
    };
    PYRAD_ALONG_ROW(nx, voxel);
}

#undef PYRAD_ALONG_ROW

// Calls body(D, C) with the grid's values as compile-time constants.
template <class Body> void dispatch(const tv::Grid &grid, Body &&body) {
    tv::dispatch(grid, [&](auto dims, auto channels, auto isotropic) {
        if constexpr (isotropic())
            body(dims, channels);
    });
}

i64 rows_per_tile(i64 nx) { return std::max<i64>(1, 8192 / nx); }

template <class T, int D, int C> class Pdhg {
  public:
    static constexpr int K = tensor_size(D);

    Pdhg(const T *f, const tv::Grid &grid, const Steps<T> &steps, const State<T> &state)
        : f_(f), layout_(grid, 1.0), steps_(steps), state_(state), zeros_(layout_.nx),
          u_ahead_(C * layout_.voxels), w_ahead_(C * D * layout_.voxels) {}

    void iterate() {
        const i64 grain = rows_per_tile(layout_.nx);
        parallel_for(layout_.rows, grain, [&](i64 begin, i64 end, int) {
            for (Row row = layout_.row(begin); row.index < end; row = layout_.next(row))
                primal(row);
        });
        parallel_for(layout_.rows, grain, [&](i64 begin, i64 end, int) {
            for (Row row = layout_.row(begin); row.index < end; row = layout_.next(row))
                dual(row);
        });
    }

  private:
    template <int N> Rows<T, D, C, N> rows(const T *field, Row row) const {
        return {layout_, field, row, zeros_.data()};
    }
    template <int N> T *at(T *field, int c, int k, Row row) const {
        return field + (c * N + k) * layout_.voxels + row.index * layout_.nx;
    }

    void primal(Row row) {
        PrimalRows<T, D, C> out;
        for (int c = 0; c < C; ++c) {
            out.f[c] = f_ + c * layout_.voxels + row.index * layout_.nx;
            out.u[c] = at<1>(state_.image, c, 0, row);
            out.u_ahead[c] = at<1>(u_ahead_.data(), c, 0, row);
            for (int d = 0; d < D; ++d) {
                out.w[c][d] = at<D>(state_.vector, c, d, row);
                out.w_ahead[c][d] = at<D>(w_ahead_.data(), c, d, row);
            }
        }
        primal_row<T, D, C>(out, rows<1>(state_.image, row), rows<D>(state_.vector, row),
                            rows<D>(state_.dual, row), rows<K>(state_.tensor, row), layout_.inverse,
                            steps_, layout_.nx);
    }

    void dual(Row row) {
        DualRows<T, D, C> out;
        for (int c = 0; c < C; ++c) {
            for (int d = 0; d < D; ++d)
                out.p[c][d] = at<D>(state_.dual, c, d, row);
            for (int k = 0; k < K; ++k)
                out.q[c][k] = at<K>(state_.tensor, c, k, row);
        }
        dual_row<T, D, C>(out, rows<1>(u_ahead_.data(), row), rows<D>(w_ahead_.data(), row),
                          rows<D>(state_.dual, row), rows<K>(state_.tensor, row),
                          RowEdges<T, D>(layout_, row), layout_.inverse, steps_, layout_.nx);
    }

    const T *f_;
    tv::Layout<T, D, C> layout_;
    Steps<T> steps_;
    State<T> state_;
    std::vector<T> zeros_, u_ahead_, w_ahead_;
};

} // namespace

template <class T>
void pdhg(const T *f, const tv::Grid &grid, const std::array<double, 7> &s, i64 count,
          const State<T> &state) {
    const Steps<T> steps{T(s[0]), T(s[1]), T(s[2]), T(s[3]), T(s[4]), T(s[5]), T(s[6])};
    dispatch(grid, [&](auto dims, auto channels) {
        Pdhg<T, dims(), channels()> solver(f, grid, steps, state);
        for (i64 k = 0; k < count; ++k)
            solver.iterate();
    });
}

template <class T> void back(const T *tensor, const tv::Grid &grid, double factor, T *out) {
    dispatch(grid, [&](auto dims, auto channels) {
        constexpr int D = dims(), C = channels();
        const tv::Layout<T, D, C> layout(grid, 1.0);
        const std::vector<T> zeros(layout.nx);
        parallel_for(layout.rows, rows_per_tile(layout.nx), [&](i64 begin, i64 end, int) {
            for (Row row = layout.row(begin); row.index < end; row = layout.next(row)) {
                T *results[C * D];
                for (int k = 0; k < C * D; ++k)
                    results[k] = out + k * layout.voxels + row.index * layout.nx;
                back_row<T, D, C>({layout, tensor, row, zeros.data()}, layout.inverse, T(factor),
                                  results, layout.nx);
            }
        });
    });
}

template <class T>
std::array<double, terms> objectives(const T *f, const State<const T> &state, const T *v,
                                     const tv::Grid &grid) {
    std::array<double, terms> total{};
    dispatch(grid, [&](auto dims, auto channels) {
        constexpr int D = dims(), C = channels();
        const tv::Layout<T, D, C> layout(grid, 1.0);
        const i64 nx = layout.nx;
        const std::vector<T> zeros(nx);
        std::vector<double> scratch(max_workers() * terms * nx);
        std::vector<std::array<double, terms>> parts(layout.rows);
        parallel_for(layout.rows, rows_per_tile(nx), [&](i64 begin, i64 end, int worker) {
            double *values = scratch.data() + worker * terms * nx;
            for (Row row = layout.row(begin); row.index < end; row = layout.next(row)) {
                const T *none = zeros.data();
                objective_row<T, D, C>({layout, f, row, none}, {layout, state.image, row, none},
                                       {layout, state.vector, row, none},
                                       {layout, state.tensor, row, none}, {layout, v, row, none},
                                       {layout, row}, grid.inverse_spacing.data(), nx, values);
                for (int i = 0; i < terms; ++i) {
                    double part = 0;
                    for (i64 x = 0; x < nx; ++x)
                        part = i < summed_terms ? part + values[i * nx + x]
                                                : max_of(part, values[i * nx + x]);
                    parts[row.index][i] = part;
                }
            }
        });
        for (const auto &part : parts)
            for (int i = 0; i < terms; ++i)
                total[i] = i < summed_terms ? total[i] + part[i] : max_of(total[i], part[i]);
    });
    return total;
}

#define PYRAD_INSTANTIATE(T)                                                                       \
    template void pdhg(const T *, const tv::Grid &, const std::array<double, 7> &, i64,            \
                       const State<T> &);                                                          \
    template void back(const T *, const tv::Grid &, double, T *);                                  \
    template std::array<double, terms> objectives(const T *, const State<const T> &, const T *,    \
                                                  const tv::Grid &);
PYRAD_INSTANTIATE(float)
PYRAD_INSTANTIATE(double)
#undef PYRAD_INSTANTIATE

} // namespace pyrad::tgv
