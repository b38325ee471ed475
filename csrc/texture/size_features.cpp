// Zwanenburg et al., Radiology 295 (2020) 328, doi:10.1148/radiol.2020191145 (IBSI
// manual 3.7-3.11). Emphases are separable: per row i the sums over j of n, n / j^2 and n j^2 are
// enough.
#include "texture/size_features.hpp"

#include "base/pool.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace pyrad {
namespace {

struct Scratch {
    std::vector<double> square, inverse; // j^2, 1 / j^2
    std::vector<std::vector<double>> columns;
};

struct RowSums {
    double n = 0, inverse = 0, square = 0, entropy = 0, energy = 0;
};

template <class C>
RowSums add_row(const C *row, i64 columns, const Scratch &s, double total, double *by_column) {
    RowSums sums;
    for (i64 c = 0; c < columns; ++c) {
        const double n = static_cast<double>(row[c]);
        if (n == 0)
            continue;
        const double p = n / total;
        by_column[c] += n;
        sums.n += n;
        sums.inverse += n * s.inverse[c];
        sums.square += n * s.square[c];
        sums.entropy -= p * std::log2(p);
        sums.energy += p * p;
    }
    return sums;
}

// Variance of the values k, weighted.
template <class Value> double variance(const std::vector<double> &n, double total, Value value) {
    double mean = 0, sum = 0;
    for (size_t k = 0; k < n.size(); ++k)
        mean += n[k] / total * value(k);
    for (size_t k = 0; k < n.size(); ++k)
        sum += n[k] / total * (value(k) - mean) * (value(k) - mean);
    return sum;
}

double squares(const std::vector<double> &n) {
    double sum = 0;
    for (double x : n)
        sum += x * x;
    return sum;
}

template <class C>
void table_features(const C *table, i64 ng, i64 columns, const double *sizes, double voxels,
                    const Scratch &s, std::vector<double> &by_column, double *out) {
    double total = 0;
    for (i64 c = 0; c < ng * columns; ++c)
        total += static_cast<double>(table[c]);
    if (total == 0) {
        std::fill_n(out, size_feature_count, std::numeric_limits<double>::quiet_NaN());
        return;
    }
    SizeSums sums;
    sums.total = total;
    std::fill(by_column.begin(), by_column.end(), 0.0);
    std::vector<double> levels(ng);
    for (i64 i = 0; i < ng; ++i) {
        const RowSums row = add_row(table + i * columns, columns, s, total, by_column.data());
        levels[i] = row.n;
        add_emphases(i + 1.0, row.n, row.inverse, row.square, sums.emphases);
        sums.entropy += row.entropy;
        sums.energy += row.energy;
    }
    sums.level_squares = squares(levels);
    sums.size_squares = squares(by_column);
    sums.level_var = variance(levels, total, [](size_t i) { return i + 1.0; });
    sums.size_var = variance(by_column, total, [&](size_t c) { return sizes[c]; });
    size_finish(sums, voxels, out);
}

} // namespace

template <class C>
void size_features(const C *tables, i64 count, i64 ng, i64 columns, const double *sizes,
                   const double *voxels, double *out) {
    Scratch s;
    for (i64 c = 0; c < columns; ++c) {
        s.square.push_back(sizes[c] * sizes[c]);
        s.inverse.push_back(1 / (sizes[c] * sizes[c]));
    }
    s.columns.assign(max_workers(), std::vector<double>(columns));
    parallel_for(count, 1, [&](i64 t, i64, int worker) {
        table_features(tables + t * ng * columns, ng, columns, sizes, voxels[t], s,
                       s.columns[worker], out + t * size_feature_count);
    });
}

template void size_features(const u64 *, i64, i64, i64, const double *, const double *, double *);
template void size_features(const double *, i64, i64, i64, const double *, const double *,
                            double *);

} // namespace pyrad
