// Windows of up to most_network values run through a network of comparators, `block` voxels at a
// time; a step's operands are rows in memory, so that one loop serves every window and rank. Where
// a window has several rows, the values of one column of it are sorted once and the sorted columns
// merged for all windows that hold them.
//
// Larger windows bisect: the bits of the answer are found from the top, by counting the values
// below a trial value. Both are exact.
#include "denoise/rank_filter.hpp"

#include "base/pool.hpp"
#include "base/pack_x86.hpp"
#include "base/scratch.hpp"
#include "denoise/selection_network.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace pyrad::rank {
namespace {

constexpr i64 block = 32;
constexpr i64 most_network = 750; // values of a window; counting is faster beyond
constexpr i64 tile_work = 1 << 19;

#if defined(PYRAD_X86)
namespace avx512 {
#define PYRAD_TARGET PYRAD_AVX512
using P = Pack512;
#include "denoise/rank_filter.inl"
#undef PYRAD_TARGET
} // namespace avx512

namespace avx2 {
#define PYRAD_TARGET PYRAD_AVX2
using P = Pack256;
#include "denoise/rank_filter.inl"
#undef PYRAD_TARGET
} // namespace avx2
#endif

template <class T>
PYRAD_CLONES void run_plain(const Step *steps, i64 count, T *const *places, i64 lanes) {
    T spare[block]; // what nobody reads; also lets a step write where it reads
    T low[block], high[block];
    for (const Step *step = steps; step != steps + count; ++step) {
        const T *const a = places[step->a], *const b = places[step->b];
        for (i64 k = 0; k < lanes; ++k) {
            low[k] = min_of(a[k], b[k]);
            high[k] = max_of(a[k], b[k]);
        }
        std::memcpy(step->low == unused ? spare : places[step->low], low, lanes * sizeof(T));
        std::memcpy(step->high == unused ? spare : places[step->high], high, lanes * sizeof(T));
    }
}

void run_network(const Network &network, float *const *places, i64 lanes) {
    const i64 count = static_cast<i64>(network.steps.size());
#if defined(PYRAD_X86)
    if (lanes == block && vector_width() == 16)
        return avx512::run_steps(network.steps.data(), count, places);
    if (lanes == block && vector_width() == 8)
        return avx2::run_steps(network.steps.data(), count, places);
#endif
    run_plain(network.steps.data(), count, places, lanes);
}

void run_network(const Network &network, double *const *places, i64 lanes) {
    run_plain(network.steps.data(), static_cast<i64>(network.steps.size()), places, lanes);
}

// A network and the memory of one worker to run it.
template <class T> class Machine {
  public:
    explicit Machine(const Network &network)
        : network_(network), places_(network.places),
          memory_((network.places - network.inputs) * block) {
        for (int k = network.inputs; k < network.places; ++k)
            places_[k] = memory_.data() + (k - network.inputs) * block;
    }

    // source(k) points at input k of the first voxel; target(k) at where result k belongs.
    template <class Source, class Target>
    void run(i64 length, const Source &source, const Target &target) {
        for (i64 first = 0; first < length; first += block) {
            const i64 lanes = std::min(block, length);
            const i64 begin = std::max<i64>(0, std::min(first, length - block)); // may overlap
            for (int k = 0; k < network_.inputs; ++k)
                places_[k] = const_cast<T *>(source(k)) + begin; // inputs are not written to
            run_network(network_, places_.data(), lanes);
            for (size_t k = 0; k < network_.outputs.size(); ++k)
                std::memcpy(target(k) + begin, places_[network_.outputs[k]], lanes * sizeof(T));
        }
    }

  private:
    const Network &network_;
    std::vector<T *> places_;
    std::vector<T> memory_;
};

i64 rows_of_tile(i64 work_of_row) { return 1 + tile_work / (1 + work_of_row); }

template <class T>
void by_networks(const T *padded, const i64 *starts, const Window &window, View<T, 2> out) {
    const i64 n = out.shape[1], wide = n + window.width - 1;
    const bool by_columns = window.count > 1 && window.width > 1;
    const int count = static_cast<int>(window.count), width = static_cast<int>(window.width);
    const Network columns = sorting_network(by_columns ? count : 1);
    const Network windows =
        by_columns ? selection_network(width, count, static_cast<int>(window.rank))
                   : selection_network(count * width, 1, static_cast<int>(window.rank));
    const i64 steps = static_cast<i64>(columns.steps.size() + windows.steps.size());
    parallel_for(out.shape[0], rows_of_tile(n * (steps + 1) / 8), [&](i64 begin, i64 end, int) {
        Machine<T> sort(columns), select(windows);
        std::vector<T> sorted(by_columns ? count * wide : 0);
        for (i64 r = begin; r < end; ++r) {
            poll();
            const T *const start = padded + starts[r];
            T *const row = out.data + r * n;
            if (by_columns)
                sort.run(
                    wide, [&](int k) { return start + window.offsets[k]; },
                    [&](size_t k) { return sorted.data() + k * wide; });
            select.run(
                n,
                [&](int k) {
                    return by_columns ? sorted.data() + k % count * wide + k / count
                                      : start + window.offsets[k / width] + k % width;
                },
                [&](size_t) { return row; });
        }
    });
}

// Signed integers in the order of the values.
template <class T, class Key> Key key_of(T value) {
    Key bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits ^
           ((bits >> (8 * sizeof(T) - 1)) & static_cast<Key>(~(Key(1) << (8 * sizeof(T) - 1))));
}

template <class Key>
PYRAD_CLONES void count_below(const Key *keys, const Window &window, const Key *__restrict trial,
                              Key *__restrict below) {
    for (i64 k = 0; k < block; ++k)
        below[k] = 0;
    for (i64 w = 0; w < window.count; ++w)
        for (i64 j = 0; j < window.width; ++j) {
            const Key *const value = keys + window.offsets[w] + j;
            for (i64 k = 0; k < block; ++k)
                below[k] += value[k] < trial[k] ? 1 : 0;
        }
}

// The greatest key with no more than `rank` values below it.
template <class T, class Key>
void bisect(const Key *keys, const Window &window, i64 lanes, T *out) {
    Key found[block], trial[block], below[block];
    constexpr int bits = 8 * sizeof(Key);
    std::fill_n(found, block, static_cast<Key>(Key(1) << (bits - 1)));
    for (int bit = bits - 1; bit >= 0; --bit) {
        for (i64 k = 0; k < block; ++k)
            trial[k] = bit == bits - 1 ? Key(0) : found[k] + (Key(1) << bit);
        count_below(keys, window, trial, below);
        for (i64 k = 0; k < block; ++k)
            found[k] = below[k] <= window.rank ? trial[k] : found[k];
    }
    for (i64 k = 0; k < lanes; ++k) {
        const Key bits_of = key_of<Key, Key>(found[k]); // its own inverse
        std::memcpy(out + k, &bits_of, sizeof(T));
    }
}

template <class T, class Key>
void by_counting(const T *padded, i64 padded_size, const i64 *starts, const Window &window,
                 View<T, 2> out) {
    const i64 n = out.shape[1];
    Scratch memory((padded_size + block) * sizeof(Key)); // blocks may read beyond the last row
    Key *const keys = static_cast<Key *>(memory.data());
    parallel_for(padded_size, 1 << 16, [&](i64 begin, i64 end, int) {
        for (i64 i = begin; i < end; ++i)
            keys[i] = key_of<T, Key>(padded[i]);
    });
    std::fill_n(keys + padded_size, block, Key(0));
    const i64 work = n * window.count * window.width;
    parallel_for(out.shape[0], rows_of_tile(work), [&](i64 begin, i64 end, int) {
        for (i64 r = begin; r < end; ++r)
            for (i64 first = 0; first < n; first += block) {
                poll();
                bisect<T, Key>(keys + starts[r] + first, window, std::min(block, n - first),
                               out.data + r * n + first);
            }
    });
}

} // namespace

template <>
void rank_filter(const float *padded, i64 padded_size, const i64 *starts, const Window &window,
                 View<float, 2> out) {
    if (window.count * window.width <= most_network)
        by_networks(padded, starts, window, out);
    else
        by_counting<float, i32>(padded, padded_size, starts, window, out);
}

template <>
void rank_filter(const double *padded, i64 padded_size, const i64 *starts, const Window &window,
                 View<double, 2> out) {
    if (window.count * window.width <= most_network)
        by_networks(padded, starts, window, out);
    else
        by_counting<double, i64>(padded, padded_size, starts, window, out);
}

} // namespace pyrad::rank
