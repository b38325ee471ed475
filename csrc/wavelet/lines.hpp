// Building blocks of the transforms of one axis: the source rows of a sum, and lines along the last
// axis taken apart into even and odd samples so that the same row sums serve them.
#pragma once

#include "wavelet/combine.hpp"
#include "wavelet/interleave.hpp"
#include "wavelet/wavelet_math.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {

// The two filters of a transform in the data's precision, and in the orders the sums want.
template <class T> struct FilterPair {
    i64 taps;
    std::vector<T> low, high; // as given
    std::vector<T> low_reversed, high_reversed;
    std::vector<T> first, second;  // of a synthesised pair: low, high, low, high, ...
    std::vector<T> mixed_reversed; // low, high, low, high, ... from the last tap on

    // filters: low pass, then high pass, `taps` numbers each.
    FilterPair(const double *filters, i64 taps, double scale = 1.0) : taps(taps) {
        for (i64 j = 0; j < taps; ++j) {
            low.push_back(static_cast<T>(scale * filters[j]));
            high.push_back(static_cast<T>(scale * filters[taps + j]));
            mixed_reversed.insert(mixed_reversed.begin(), {low[j], high[j]});
        }
        low_reversed.assign(low.rbegin(), low.rend());
        high_reversed.assign(high.rbegin(), high.rend());
        for (i64 j = taps - 2; j >= 0; j -= 2) {
            first.insert(first.end(), {low[j], high[j]});
            second.insert(second.end(), {low[j + 1], high[j + 1]});
        }
    }
};

// Rows to be summed and their weights in the two sums. The weights are a filter's own, or kept
// here where extended samples change them.
template <class T> struct RowSum {
    std::vector<const T *> rows;
    std::vector<T> own_first, own_second;
    const T *first = nullptr, *second = nullptr;

    void pair_into(T *a, T *b, i64 n) const {
        combine_pair(rows.data(), first, second, static_cast<i64>(rows.size()), n, a, b);
    }

    void one_into(T *a, i64 n) const {
        combine_one(rows.data(), first, static_cast<i64>(rows.size()), n, a);
    }

    // Row t is row_at(t), t in [0, count).
    template <class RowAt> void set(i64 count, const T *u, const T *v, RowAt &&row_at) {
        rows.resize(count);
        for (i64 t = 0; t < count; ++t)
            rows[t] = row_at(t);
        first = u, second = v;
    }

    // Rows of coefficient k of the analysis of n samples; row_at(i) is sample row i.
    template <class RowAt>
    void analysis(const FilterPair<T> &f, int mode, i64 k, i64 n, RowAt &&row_at) {
        const i64 newest = 2 * k + first_sample(f.taps, mode), oldest = newest - f.taps + 1;
        if (oldest >= 0 && newest < n) {
            set(f.taps, f.low_reversed.data(), f.high_reversed.data(),
                [&](i64 q) { return row_at(oldest + q); });
            return;
        }
        rows.clear(), own_first.clear(), own_second.clear();
        for (i64 q = 0; q < f.taps; ++q) {
            const auto e = extend<T>(mode, oldest + q, n);
            for (int s = 0; s < e.count; ++s) {
                rows.push_back(row_at(e.index[s]));
                own_first.push_back(e.weight[s] * f.low_reversed[q]);
                own_second.push_back(e.weight[s] * f.high_reversed[q]);
            }
        }
        first = own_first.data(), second = own_second.data();
    }

    // Rows of sample pair i of the synthesis from m coefficients; rows as in analysis.
    template <class LowAt, class HighAt>
    void synthesis(const FilterPair<T> &f, const SynthesisPlan &plan, i64 i, i64 m, LowAt &&low_at,
                   HighAt &&high_at) {
        set(f.taps, f.first.data(), f.second.data(), [&](i64 t) {
            const i64 row = wrap(plan.start + i + t / 2, m);
            return t % 2 ? high_at(row) : low_at(row);
        });
    }
};

// Samples [start, start + count) of a periodic line of n samples; copied only where they wrap.
template <class T>
const T *unwrap(const T *line, i64 start, i64 count, i64 n, i64 lanes, std::vector<T> &copy) {
    if (start >= 0 && start + count <= n)
        return line + start * lanes;
    copy.resize(count * lanes);
    for (i64 i = 0; i < count;) {
        const i64 from = wrap(start + i, n), run = std::min(count - i, n - from);
        std::copy_n(line + from * lanes, run * lanes, copy.data() + i * lanes);
        i += run;
    }
    return copy.data();
}

// Even and odd samples of a part of an extended line, and the sums over them.
template <class T> class SplitLine {
  public:
    SplitLine(const FilterPair<T> &f, int mode, i64 n, i64 lanes)
        : filters_(f), mode_(mode), n_(n), lanes_(lanes) {}

    // Coefficients [begin, end) of the line x.
    void analyse(const T *x, i64 begin, i64 end, T *low, T *high) {
        const i64 taps = filters_.taps, pairs = end - begin + taps / 2 - 1;
        even_.resize(pairs * lanes_), odd_.resize(pairs * lanes_);
        fill(x, 2 * begin + first_sample(taps, mode_) - (taps - 1), pairs);
        sum_.set(taps, filters_.low_reversed.data(), filters_.high_reversed.data(),
                 [&](i64 q) { return (q % 2 ? odd_ : even_).data() + q / 2 * lanes_; });
        sum_.pair_into(low, high, (end - begin) * lanes_);
    }

  private:
    // Samples [start, start + 2 pairs) of the extended line.
    void fill(const T *x, i64 start, i64 pairs) {
        i64 inside = std::clamp<i64>((1 - start) / 2, 0, pairs); // first pair with both >= 0
        if (start >= 0)
            inside = 0;
        const i64 outside = std::clamp<i64>((n_ - start) / 2, inside, pairs);
        for (i64 i = 0; i < inside; ++i)
            extended_pair(x, start, i);
        split_pairs(x + (start + 2 * inside) * lanes_, outside - inside, lanes_,
                    even_.data() + inside * lanes_, odd_.data() + inside * lanes_);
        for (i64 i = outside; i < pairs; ++i)
            extended_pair(x, start, i);
    }

    void extended_pair(const T *x, i64 start, i64 i) {
        for (int side = 0; side < 2; ++side) {
            const auto e = extend<T>(mode_, start + 2 * i + side, n_);
            T *to = (side ? odd_ : even_).data() + i * lanes_;
            for (i64 lane = 0; lane < lanes_; ++lane) {
                T value = 0;
                for (int s = 0; s < e.count; ++s)
                    value += e.weight[s] * x[e.index[s] * lanes_ + lane];
                to[lane] = value;
            }
        }
    }

    const FilterPair<T> &filters_;
    int mode_;
    i64 n_, lanes_;
    std::vector<T> even_, odd_;
    RowSum<T> sum_;
};

// Sample pairs [begin, end) of a line from its coefficients.
template <class T> class JoinLine {
  public:
    JoinLine(const FilterPair<T> &f, const SynthesisPlan &plan, i64 m, i64 lanes)
        : filters_(f), plan_(plan), m_(m), lanes_(lanes) {}

    void synthesise(const T *low, const T *high, i64 begin, i64 end, T *out) {
        const i64 half = filters_.taps / 2, pairs = end - begin, start = plan_.start + begin;
        const T *from_low = unwrap(low, start, pairs + half - 1, m_, lanes_, low_);
        const T *from_high = unwrap(high, start, pairs + half - 1, m_, lanes_, high_);
        sum_.set(filters_.taps, filters_.first.data(), filters_.second.data(),
                 [&](i64 t) { return (t % 2 ? from_high : from_low) + t / 2 * lanes_; });
        even_.resize(pairs * lanes_), odd_.resize(pairs * lanes_);
        sum_.pair_into(even_.data(), odd_.data(), pairs * lanes_);
        if (plan_.first == 0)
            return join_pairs(even_.data(), odd_.data(), pairs, lanes_, out + 2 * begin * lanes_);
        // Pairs (2i - 1, 2i): the samples between the first and the last one pair up anew.
        const i64 last = wrap(2 * begin - 1, 2 * m_);
        std::copy_n(even_.data(), lanes_, out + last * lanes_);
        join_pairs(odd_.data(), even_.data() + lanes_, pairs - 1, lanes_, out + 2 * begin * lanes_);
        std::copy_n(odd_.data() + (pairs - 1) * lanes_, lanes_, out + 2 * (end - 1) * lanes_);
    }

  private:
    const FilterPair<T> &filters_;
    const SynthesisPlan plan_;
    i64 m_, lanes_;
    std::vector<T> even_, odd_, low_, high_;
    RowSum<T> sum_;
};

} // namespace pyrad
