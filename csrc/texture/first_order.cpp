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
    T low[lanes], high[lanes];
    for (int k = 0; k < lanes; ++k)
        low[k] = high[k] = x[0];
    const i64 whole = n / lanes * lanes;
    for (i64 i = 0; i < whole; i += lanes)
        for (int k = 0; k < lanes; ++k) {
            const double v = static_cast<double>(x[i + k]), s = v + shift;
            sum[k] += v;
            squares[k] += s * s;
            low[k] = x[i + k] < low[k] ? x[i + k] : low[k];
            high[k] = x[i + k] > high[k] ? x[i + k] : high[k];
        }
    for (i64 i = whole; i < n; ++i) {
        const double v = static_cast<double>(x[i]), s = v + shift;
        sum[0] += v;
        squares[0] += s * s;
        low[0] = std::min(low[0], x[i]);
        high[0] = std::max(high[0], x[i]);
    }
    out = {0, static_cast<double>(low[0]), static_cast<double>(high[0]), 0};
    for (int k = 0; k < lanes; ++k) {
        out.sum += sum[k];
        out.squares += squares[k];
        out.low = std::min(out.low, static_cast<double>(low[k]));
        out.high = std::max(out.high, static_cast<double>(high[k]));
    }
}

struct Centres {
    double mean, median, low, high;
};
constexpr int moment_count = 7;
using Moments = std::array<double, moment_count>;

template <class T>
PYRAD_CLONES void moment_tile(const T *x, i64 n, const Centres &at, Moments &out) {
    const double mean = at.mean, median = at.median, low = at.low, high = at.high;
    double second[lanes] = {}, third[lanes] = {}, fourth[lanes] = {}, spread[lanes] = {};
    double about_median[lanes] = {}, kept[lanes] = {}, offset[lanes] = {};
    for (i64 i = 0; i < n; i += lanes) {
        const int filled = static_cast<int>(std::min<i64>(lanes, n - i));
        for (int k = 0; k < filled; ++k) {
            const double v = static_cast<double>(x[i + k]), c = v - mean, c2 = c * c;
            const double inside = v >= low && v <= high ? 1.0 : 0.0;
            second[k] += c2;
            third[k] += c2 * c;
            fourth[k] += c2 * c2;
            spread[k] += std::fabs(c);
            about_median[k] += std::fabs(v - median);
            kept[k] += inside;
            offset[k] += inside * c;
        }
    }
    const double *sums[moment_count] = {second, third, fourth, spread, about_median, kept, offset};
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

// Bin of every value (it grows with x, whatever the rounding) and the size of every bin.
struct Binned {
    std::vector<u16> bin;
    std::vector<i64> below; // values in lower bins

    i64 bin_of_rank(i64 rank) const {
        return std::upper_bound(below.begin(), below.end(), rank) - below.begin() - 1;
    }
};

template <class T>
PYRAD_CLONES void bin_tile(const T *x, i64 n, double minimum, double scale, u16 *bin) {
    for (i64 i = 0; i < n; ++i)
        bin[i] = static_cast<u16>(static_cast<i32>((static_cast<double>(x[i]) - minimum) * scale));
}

template <class T> Binned binned(const T *values, i64 n, double minimum, double maximum) {
    const double range = maximum - minimum, scale = range > 0 ? (bins - 1) / range : 0.0;
    Binned result{std::vector<u16>(n), std::vector<i64>(bins + 1, 0)};
    std::vector<std::vector<i64>> counts(max_workers());
    parallel_for(n, tile, [&](i64 begin, i64 end, int worker) {
        auto &mine = counts[worker];
        mine.resize(2 * bins, 0);
        u16 *bin = result.bin.data();
        bin_tile(values + begin, end - begin, minimum, scale, bin + begin);
        for (i64 v = begin; v < end; ++v)
            ++mine[2 * (bin[v] & (bins - 1)) + (v & 1)];
    });
    for (const auto &mine : counts)
        for (size_t b = 0; b < mine.size(); ++b)
            result.below[b / 2 + 1] += mine[b];
    for (i64 b = 0; b < bins; ++b)
        result.below[b + 1] += result.below[b];
    return result;
}

template <class T> struct Repeated {
    T value;
    i64 count;
    bool operator<(const Repeated &other) const { return value < other.value; }
};

// The values of the wanted bins (slot[bin] >= 0), sorted. Most bins hold one value or few.
template <class T>
std::vector<std::vector<Repeated<T>>> members(const T *values, const Binned &binned,
                                              const std::vector<int> &slot, int slots) {
    const i64 n = static_cast<i64>(binned.bin.size());
    std::vector<std::vector<std::vector<Repeated<T>>>> parts((n + tile - 1) / tile);
    parallel_for(n, tile, [&](i64 begin, i64 end, int) {
        auto &mine = parts[begin / tile];
        mine.resize(slots);
        for (i64 v = begin; v < end; ++v) {
            const int s = slot[binned.bin[v] & (bins - 1)];
            if (s < 0)
                continue;
            if (mine[s].empty() || mine[s].back().value != values[v])
                mine[s].push_back({values[v], 0});
            ++mine[s].back().count;
        }
    });
    std::vector<std::vector<Repeated<T>>> all(slots);
    for (int s = 0; s < slots; ++s) {
        for (const auto &part : parts)
            all[s].insert(all[s].end(), part[s].begin(), part[s].end());
        std::sort(all[s].begin(), all[s].end());
    }
    return all;
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
    const Binned all = binned(values, n, minimum, maximum);
    std::vector<int> slot(bins, -1);
    int slots = 0;
    for (i64 r = 0; r < count; ++r) {
        if (ranks[r] < 0 || ranks[r] >= n)
            fail(ErrorKind::data, "rank ", ranks[r], " of ", n, " values");
        int &mine = slot[all.bin_of_rank(ranks[r])];
        if (mine < 0)
            mine = slots++;
    }
    const auto candidates = members(values, all, slot, slots);
    for (i64 r = 0; r < count; ++r) {
        const i64 bin = all.bin_of_rank(ranks[r]);
        auto at = candidates[slot[bin]].begin();
        for (i64 left = ranks[r] - all.below[bin]; left >= at->count; ++at)
            left -= at->count;
        out[r] = static_cast<double>(at->value);
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
