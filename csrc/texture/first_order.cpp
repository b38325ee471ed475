#include "texture/first_order.hpp"

#include "base/error.hpp"
#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace pyrad {
namespace {

constexpr i64 tile = 1 << 14;
constexpr int lanes = 8; // independent sums per tile: fixed order, wide registers
constexpr i64 bins = 1 << 13;

struct Sums {
    double sum = 0, low = 0, high = 0, squares = 0;
};

template <class T> PYRAD_CLONES void sum_tile(const T *x, i64 n, double shift, Sums &out) {
    double sum[lanes] = {}, squares[lanes] = {};
    T low = x[0], high = x[0];
    i64 i = 0;
    for (; i + lanes <= n; i += lanes)
        for (int k = 0; k < lanes; ++k) {
            const double v = static_cast<double>(x[i + k]), s = v + shift;
            sum[k] += v;
            squares[k] += s * s;
        }
    for (; i < n; ++i) {
        const double v = static_cast<double>(x[i]), s = v + shift;
        sum[0] += v;
        squares[0] += s * s;
    }
    for (i64 v = 0; v < n; ++v) {
        low = x[v] < low ? x[v] : low;
        high = x[v] > high ? x[v] : high;
    }
    out = {0, static_cast<double>(low), static_cast<double>(high), 0};
    for (int k = 0; k < lanes; ++k) {
        out.sum += sum[k];
        out.squares += squares[k];
    }
}

struct Centres {
    double mean, median, low, high;
};
constexpr int moment_count = 7;
using Moments = std::array<double, moment_count>;

inline void add_moment(double x, const Centres &at, double *const *to, int k) {
    const double c = x - at.mean, c2 = c * c;
    const bool inside = x >= at.low && x <= at.high;
    to[0][k] += c2;
    to[1][k] += c2 * c;
    to[2][k] += c2 * c2;
    to[3][k] += std::fabs(c);
    to[4][k] += std::fabs(x - at.median);
    to[5][k] += inside ? 1.0 : 0.0;
    to[6][k] += inside ? c : 0.0;
}

template <class T>
PYRAD_CLONES void moment_tile(const T *x, i64 n, const Centres &at, Moments &out) {
    double sums[moment_count][lanes] = {};
    double *const rows[moment_count] = {sums[0], sums[1], sums[2], sums[3],
                                        sums[4], sums[5], sums[6]};
    i64 i = 0;
    for (; i + lanes <= n; i += lanes)
        for (int k = 0; k < lanes; ++k)
            add_moment(static_cast<double>(x[i + k]), at, rows, k);
    for (; i < n; ++i)
        add_moment(static_cast<double>(x[i]), at, rows, 0);
    for (int m = 0; m < moment_count; ++m) {
        out[m] = 0;
        for (int k = 0; k < lanes; ++k)
            out[m] += sums[m][k];
    }
}

template <class T>
PYRAD_CLONES double deviation_tile(const T *x, i64 n, double centre, double low, double high) {
    double sum[lanes] = {};
    i64 i = 0;
    for (; i + lanes <= n; i += lanes)
        for (int k = 0; k < lanes; ++k) {
            const double v = static_cast<double>(x[i + k]);
            sum[k] += v >= low && v <= high ? std::fabs(v - centre) : 0.0;
        }
    for (; i < n; ++i)
        sum[0] += x[i] >= low && x[i] <= high ? std::fabs(x[i] - centre) : 0.0;
    double total = 0;
    for (int k = 0; k < lanes; ++k)
        total += sum[k];
    return total;
}

// Bin of a value: increases with x, whatever the rounding.
struct Binning {
    double minimum, scale;
    template <class T> i64 operator()(T x) const {
        return std::clamp<i64>(static_cast<i64>((static_cast<double>(x) - minimum) * scale), 0,
                               bins - 1);
    }
};

template <class T> std::vector<i64> histogram(const T *values, i64 n, const Binning &bin) {
    std::vector<std::vector<i64>> counts(max_workers());
    parallel_for(n, tile, [&](i64 begin, i64 end, int worker) {
        auto &mine = counts[worker];
        mine.resize(bins, 0);
        for (i64 v = begin; v < end; ++v)
            ++mine[bin(values[v])];
    });
    std::vector<i64> total(bins, 0);
    for (const auto &mine : counts)
        for (size_t b = 0; b < mine.size(); ++b)
            total[b] += mine[b];
    return total;
}

} // namespace

template <class T> void value_sums(const T *values, i64 n, double shift, double *out) {
    std::vector<Sums> tiles((n + tile - 1) / tile);
    parallel_for(n, tile, [&](i64 begin, i64 end, int) {
        sum_tile(values + begin, end - begin, shift, tiles[begin / tile]);
    });
    Sums all = tiles.at(0);
    for (size_t t = 1; t < tiles.size(); ++t) {
        all.sum += tiles[t].sum;
        all.squares += tiles[t].squares;
        all.low = std::min(all.low, tiles[t].low);
        all.high = std::max(all.high, tiles[t].high);
    }
    out[0] = all.sum;
    out[1] = all.low;
    out[2] = all.high;
    out[3] = all.squares;
}

template <class T>
void value_moments(const T *values, i64 n, double mean, double median, double low, double high,
                   double *out) {
    std::vector<Moments> tiles((n + tile - 1) / tile);
    const Centres at{mean, median, low, high};
    parallel_for(n, tile, [&](i64 begin, i64 end, int) {
        moment_tile(values + begin, end - begin, at, tiles[begin / tile]);
    });
    std::fill(out, out + moment_count, 0.0);
    for (const Moments &part : tiles)
        for (int m = 0; m < moment_count; ++m)
            out[m] += part[m];
}

template <class T>
double value_deviation(const T *values, i64 n, double centre, double low, double high) {
    std::vector<double> tiles((n + tile - 1) / tile);
    parallel_for(n, tile, [&](i64 begin, i64 end, int) {
        tiles[begin / tile] = deviation_tile(values + begin, end - begin, centre, low, high);
    });
    double sum = 0;
    for (double part : tiles)
        sum += part;
    return sum;
}

// A histogram finds the bin of each rank; only the values of those bins are looked at again.
template <class T>
void order_statistics(const T *values, i64 n, double minimum, double maximum, const i64 *ranks,
                      i64 count, double *out) {
    const double range = maximum - minimum;
    const Binning bin{minimum, range > 0 ? (bins - 1) / range : 0.0};
    const std::vector<i64> counts = histogram(values, n, bin);
    std::vector<i64> below(bins + 1, 0);
    for (i64 b = 0; b < bins; ++b)
        below[b + 1] = below[b] + counts[b];
    std::vector<std::vector<T>> members(bins);
    std::vector<u8> wanted(bins, 0);
    for (i64 r = 0; r < count; ++r) {
        if (ranks[r] < 0 || ranks[r] >= n)
            fail(ErrorKind::data, "rank ", ranks[r], " of ", n, " values");
        const i64 b = std::upper_bound(below.begin(), below.end(), ranks[r]) - below.begin() - 1;
        wanted[b] = 1;
        members[b].reserve(counts[b]);
    }
    for (i64 v = 0; v < n; ++v) {
        const i64 b = bin(values[v]);
        if (wanted[b])
            members[b].push_back(values[v]);
    }
    for (i64 r = 0; r < count; ++r) {
        const i64 b = std::upper_bound(below.begin(), below.end(), ranks[r]) - below.begin() - 1;
        auto at = members[b].begin() + (ranks[r] - below[b]);
        std::nth_element(members[b].begin(), at, members[b].end());
        out[r] = static_cast<double>(*at);
    }
}

#define PYRAD_FIRST_ORDER(T)                                                                       \
    template void value_sums(const T *, i64, double, double *);                                    \
    template void value_moments(const T *, i64, double, double, double, double, double *);         \
    template double value_deviation(const T *, i64, double, double, double);                       \
    template void order_statistics(const T *, i64, double, double, const i64 *, i64, double *);
PYRAD_FIRST_ORDER(float)
PYRAD_FIRST_ORDER(double)
#undef PYRAD_FIRST_ORDER

} // namespace pyrad
