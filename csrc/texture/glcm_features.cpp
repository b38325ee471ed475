#include "texture/glcm.hpp"

#include "base/pool.hpp"
#include "texture/eigen_math.hpp"
#include "texture/glcm_math.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace pyrad {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

inline double xlog2x(double x) { return x > 0 ? x * std::log2(x) : 0.0; }

// One table as doubles: symmetric tables are read as table + transpose.
template <class C> struct Table {
    const C *cells;
    i64 ng;
    bool symmetric;

    double operator()(i64 i, i64 j) const {
        const double here = static_cast<double>(cells[i * ng + j]);
        return symmetric ? here + static_cast<double>(cells[j * ng + i]) : here;
    }
};

// Marginals and the histograms of i + j and |i - j|, levels from 0.
struct Histograms {
    std::vector<double> x, y, sum, difference;

    explicit Histograms(i64 ng) : x(ng), y(ng), sum(2 * ng), difference(ng) {}

    template <class C> void fill(const Table<C> &table) {
        for (auto *h : {&x, &y, &sum, &difference})
            std::fill(h->begin(), h->end(), 0.0);
        for (i64 i = 0; i < table.ng; ++i)
            for (i64 j = 0; j < table.ng; ++j) {
                const double c = table(i, j);
                if (c == 0)
                    continue;
                x[i] += c;
                y[j] += c;
                sum[i + j] += c;
                difference[std::abs(i - j)] += c;
            }
    }
};

double log_sum(const std::vector<double> &histogram) {
    double sum = 0;
    for (double c : histogram)
        sum += xlog2x(c);
    return sum;
}

void add_marginals(const Histograms &h, i64 ng, GlcmSums &g) {
    for (i64 i = 0; i < ng; ++i) {
        const double a = i + 1 - g.origin;
        g.a += a * h.x[i];
        g.b += a * h.y[i];
        g.aa += a * a * h.x[i];
        g.bb += a * a * h.y[i];
    }
    for (i64 k = 0; k < 2 * ng; ++k) {
        const double s = k + 2 - 2 * g.origin, c = h.sum[k];
        g.s2 += s * s * c;
        g.s3 += s * s * s * c;
        g.s4 += s * s * s * s * c;
    }
    for (i64 k = 0; k < ng; ++k) {
        const double d = static_cast<double>(k), c = h.difference[k], top = static_cast<double>(ng);
        g.d1 += d * c;
        g.d2 += d * d * c;
        g.id += c / (1 + d);
        g.idn += c / (1 + d / top);
        g.idm += c / (1 + d * d);
        g.idmn += c / (1 + d * d / (top * top));
        g.inverse += k ? c / (d * d) : 0;
    }
    g.x_log = log_sum(h.x);
    g.y_log = log_sum(h.y);
    g.sum_log = log_sum(h.sum);
    g.difference_log = log_sum(h.difference);
}

template <class C> void add_cells(const Table<C> &table, const Histograms &h, GlcmSums &g) {
    for (i64 i = 0; i < table.ng; ++i) {
        if (h.x[i] == 0)
            continue;
        for (i64 j = 0; j < table.ng; ++j) {
            const double c = table(i, j);
            if (c == 0)
                continue;
            g.ab += (i + 1 - g.origin) * (j + 1 - g.origin) * c;
            g.squares += c * c;
            g.largest = std::max(g.largest, c);
            g.joint_log += xlog2x(c);
        }
    }
}

// S = D_x^-1/2 P D_y^-1/2 over the levels present, without its known largest singular pair
// (1; sqrt p_x, sqrt p_y). Mcc is the largest singular value of the rest.
template <class C>
std::vector<double> deflated(const Table<C> &table, const Histograms &h, double n,
                             const std::vector<i64> &rows, const std::vector<i64> &columns) {
    std::vector<double> s(rows.size() * columns.size());
    for (size_t r = 0; r < rows.size(); ++r)
        for (size_t c = 0; c < columns.size(); ++c) {
            const double weight = std::sqrt(h.x[rows[r]] * h.y[columns[c]]);
            s[r * columns.size() + c] = table(rows[r], columns[c]) / weight - weight / n;
        }
    return s;
}

std::vector<i64> present(const std::vector<double> &marginal) {
    std::vector<i64> levels;
    for (size_t i = 0; i < marginal.size(); ++i)
        if (marginal[i] > 0)
            levels.push_back(static_cast<i64>(i));
    return levels;
}

template <class C> double mcc_of(const Table<C> &table, const Histograms &h, double n) {
    const std::vector<i64> rows = present(h.x), columns = present(h.y);
    const i32 size = static_cast<i32>(rows.size());
    if (size < 2 || columns.size() < 2)
        return 0;
    std::vector<double> s = deflated(table, h, n, rows, columns), diagonal(size), off(size);
    if (!table.symmetric) { // singular values through S S^T
        const size_t m = columns.size();
        std::vector<double> gram(static_cast<size_t>(size) * size);
        for (i32 i = 0; i < size; ++i)
            for (i32 j = 0; j <= i; ++j)
                for (size_t k = 0; k < m; ++k)
                    gram[static_cast<size_t>(i) * size + j] += s[i * m + k] * s[j * m + k];
        s.swap(gram);
    }
    tridiagonalise(s.data(), size, diagonal.data(), off.data());
    const double largest = largest_eigenvalue(diagonal.data(), off.data(), size, 1.0 + 1e-12);
    return table.symmetric ? largest : std::sqrt(largest);
}

template <class C>
void table_features(const Table<C> &table, bool ibsi, bool mcc, Histograms &h, double *out) {
    h.fill(table);
    GlcmSums g;
    double level_sum = 0;
    for (i64 i = 0; i < table.ng; ++i) {
        g.n += h.x[i];
        level_sum += (i + 1) * h.x[i];
    }
    std::fill(out, out + glcm_feature_count, nan);
    if (g.n == 0)
        return;
    g.origin = std::round(level_sum / g.n);
    add_marginals(h, table.ng, g);
    add_cells(table, h, g);
    glcm_finish(g, ibsi ? nan : 1.0, ibsi ? nan : 0.0, out);
    if (mcc)
        out[glcm_mcc] = mcc_of(table, h, g.n);
}

} // namespace

template <class C>
void glcm_features(const C *tables, i64 count, i64 ng, bool symmetric, bool ibsi, bool mcc,
                   double *out) {
    std::vector<Histograms> scratch(max_workers(), Histograms(ng));
    parallel_for(count, 1, [&](i64 t, i64, int worker) {
        const Table<C> table{tables + t * ng * ng, ng, symmetric};
        table_features(table, ibsi, mcc, scratch[worker], out + t * glcm_feature_count);
    });
}

#define PYRAD_GLCM(C) template void glcm_features(const C *, i64, i64, bool, bool, bool, double *);
PYRAD_GLCM(u32)
PYRAD_GLCM(u64)
PYRAD_GLCM(double)
#undef PYRAD_GLCM

} // namespace pyrad
