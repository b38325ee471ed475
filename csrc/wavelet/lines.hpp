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

    void pair_into(T *a, T *b, i64 n, bool streamed = false) const {
        combine_pair(rows.data(), first, second, static_cast<i64>(rows.size()), n, a, b, streamed);
    }

    void one_into(T *a, i64 n, bool streamed = false) const {
        combine_one(rows.data(), first, static_cast<i64>(rows.size()), n, a, streamed);
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
        if (begin != begin_ || end != end_)
            prepare(begin, end);
        split_pairs(x + first_inside_ * lanes_, inside_pairs_, lanes_,
                    even_.data() + outside_before_ * lanes_,
                    odd_.data() + outside_before_ * lanes_);
        for (const auto &end_sample : ends_)
            for (i64 lane = 0; lane < lanes_; ++lane) {
                const auto &e = end_sample.extension;
                T value = 0;
                for (int s = 0; s < e.count; ++s)
                    value += e.weight[s] * x[e.index[s] * lanes_ + lane];
                end_sample.to[lane] = value;
            }
        sum_.pair_into(low, high, (end - begin) * lanes_);
    }

  private:
    struct EndSample {
        T *to;
        Extension<T> extension;
    };

    // Where the samples of this part of a line go, the same for every line.
    void prepare(i64 begin, i64 end) {
        begin_ = begin, end_ = end;
        const i64 taps = filters_.taps, pairs = end - begin + taps / 2 - 1;
        const i64 start = 2 * begin + first_sample(taps, mode_) - (taps - 1);
        even_.resize(pairs * lanes_), odd_.resize(pairs * lanes_);
        sum_.set(taps, filters_.low_reversed.data(), filters_.high_reversed.data(),
                 [&](i64 q) { return (q % 2 ? odd_ : even_).data() + q / 2 * lanes_; });
        outside_before_ = start >= 0 ? 0 : std::min((1 - start) / 2, pairs);
        const i64 behind = std::clamp<i64>((n_ - start) / 2, outside_before_, pairs);
        first_inside_ = start + 2 * outside_before_;
        inside_pairs_ = behind - outside_before_;
        ends_.clear();
        for (i64 i = 0; i < pairs; ++i)
            if (i < outside_before_ || i >= behind)
                for (int side = 0; side < 2; ++side)
                    ends_.push_back({(side ? odd_ : even_).data() + i * lanes_,
                                     extend<T>(mode_, start + 2 * i + side, n_)});
    }

    const FilterPair<T> &filters_;
    int mode_;
    i64 n_, lanes_, begin_ = -1, end_ = -1;
    i64 outside_before_ = 0, first_inside_ = 0, inside_pairs_ = 0; // pairs, a sample, pairs
    std::vector<T> even_, odd_;
    std::vector<EndSample> ends_;
    RowSum<T> sum_;
};

// Sample pairs [begin, end) of a line from its coefficients.
template <class T> class JoinLine {
  public:
    JoinLine(const FilterPair<T> &f, const SynthesisPlan &plan, i64 m, i64 lanes)
        : filters_(f), plan_(plan), m_(m), lanes_(lanes) {}

    void synthesise(const T *low, const T *high, i64 begin, i64 end, T *out) {
        const i64 start = plan_.start + begin, count = end - begin + filters_.taps / 2 - 1;
        join(unwrap(low, start, count, m_, lanes_, low_),
             unwrap(high, start, count, m_, lanes_, high_), begin, end, out);
    }

    // Numbers that synthesise_whole() writes before and behind a line of coefficients.
    i64 before() const { return std::max<i64>(0, -plan_.start) * lanes_; }
    i64 behind() const {
        return std::max<i64>(0, plan_.start + plan_.pairs + filters_.taps / 2 - 1 - m_) * lanes_;
    }

    // The whole line, without a copy of the coefficients.
    void synthesise_whole(T *low, T *high, T *out) {
        for (T *line : {low, high}) {
            const i64 n = m_ * lanes_;
            for (i64 i = 1; i <= before(); ++i)
                line[-i] = line[wrap(-i, n)];
            for (i64 i = 0; i < behind(); ++i)
                line[n + i] = line[wrap(i, n)];
        }
        join(low + plan_.start * lanes_, high + plan_.start * lanes_, 0, plan_.pairs, out);
    }

  private:
    void join(const T *low, const T *high, i64 begin, i64 end, T *out) {
        const i64 pairs = end - begin;
        sum_.set(filters_.taps, filters_.first.data(), filters_.second.data(),
                 [&](i64 t) { return (t % 2 ? high : low) + t / 2 * lanes_; });
        even_.resize(pairs * lanes_), odd_.resize(pairs * lanes_);
        sum_.pair_into(even_.data(), odd_.data(), pairs * lanes_);
        if (plan_.first == 0)
            return join_pairs(even_.data(), odd_.data(), pairs, lanes_, out + 2 * begin * lanes_);
        // Pairs (2i - 1, 2i): the samples between the first and the last one pair up anew.
        join_pairs(odd_.data(), even_.data() + lanes_, pairs - 1, lanes_, out + 2 * begin * lanes_);
        T *const first = out + wrap(2 * begin - 1, 2 * m_) * lanes_,
                 *last = out + 2 * (end - 1) * lanes_;
        for (i64 lane = 0; lane < lanes_; ++lane) {
            first[lane] = even_[lane];
            last[lane] = odd_[(pairs - 1) * lanes_ + lane];
        }
    }

    const FilterPair<T> &filters_;
    const SynthesisPlan plan_;
    i64 m_, lanes_;
    std::vector<T> even_, odd_, low_, high_;
    RowSum<T> sum_;
};

} // namespace pyrad
