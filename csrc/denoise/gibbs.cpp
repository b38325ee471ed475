// Gibbs unringing of lines (gibbs_math.hpp). Sixteen real lines (eight in double precision), or
// half as many complex ones, stand side by side as lanes of one register, so that no step looks
// across lanes: to the transform two real lines are one complex one. The spectrum X makes both
// shifts of a pair: with C = F^-1(X cos) and S = F^-1(i X sin), x_s = C + S, x_-s = C - S.
#pragma GCC diagnostic ignored "-Wpsabi" // vectors pass between inlined functions only

#include "denoise/gibbs.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "mr/lane_line.hpp"
#include "mr/lanes.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

namespace pyrad::gibbs {
namespace {

template <class T> constexpr i64 lanes = 64 / sizeof(T); // reals side by side

// cos and sin of the phases of shift j at every frequency, over the length of the line.
template <class T> std::vector<T> phase_table(i64 length, int shifts) {
    std::vector<T> table(2 * length * shifts);
    for (int j = 1; j <= shifts; ++j)
        for (i64 k = 0; k < length; ++k) {
            const i64 frequency = 2 * k < length ? k : k - length;
            const bool nyquist = 2 * k == length;
            const double phase =
                M_PI * static_cast<double>(frequency * j) / (static_cast<double>(length) * shifts);
            T *entry = table.data() + 2 * ((j - 1) * length + k);
            entry[0] = static_cast<T>(nyquist ? 0 : std::cos(phase) / length);
            entry[1] = static_cast<T>(nyquist ? 0 : std::sin(phase) / length);
        }
    return table;
}

// Arrays of a worker, `lanes` reals per sample.
template <class T> struct Work {
    T *line, *spectrum, *turned; // x, X, i X
    T *cosine, *sine;            // C and x_s, S and x_-s; one more sample before and behind
    T *steps[2];                 // D of both; samples -far .. length + far
    T *sums, *least, *result;
    T *fft;
};

template <class T> i64 work_size(i64 length, const Search &search) {
    const i64 more = 2 * search.far + 1;
    return (4 * length + 2 * (length + 2) + 2 * (length + more) + (length + more)) * lanes<T> +
           length * lanes<T> + line_scratch<T>(length);
}

template <class T> Work<T> divide(T *memory, i64 length, const Search &search) {
    const i64 more = 2 * search.far + 1;
    const auto take = [&](i64 samples, i64 before = 0) {
        T *part = memory + before * lanes<T>;
        memory += samples * lanes<T>;
        return part;
    };
    Work<T> w;
    w.line = take(length), w.spectrum = take(length), w.turned = take(length);
    w.cosine = take(length + 2, 1), w.sine = take(length + 2, 1);
    w.steps[0] = take(length + more, search.far), w.steps[1] = take(length + more, search.far);
    w.sums = take(length + more), w.least = take(length), w.result = take(length);
    w.fft = memory;
    return w;
}

template <class T> struct Lines {
    i64 length;
    const Search &search;
    const LinePlan<T> &there, &back;
    const T *phases;
    LineFft<T> fft = line_fft<T>();
};

// The steps of a line in registers of `reals` values, `lanes` reals per sample.
template <class T, int reals> struct Steps {
    using V = typename VectorOf<T, reals>::type;
    static constexpr i64 L = lanes<T>;

    static PYRAD_INLINE V load(const T *p) {
        V v;
        std::memcpy(&v, p, sizeof v);
        return v;
    }
    static PYRAD_INLINE void store(T *p, const V &v) { std::memcpy(p, &v, sizeof v); }
    static PYRAD_INLINE V size(const V &v) { return v < 0 ? -v : v; }
    template <int... i> static PYRAD_INLINE V swap_(const V &x, std::integer_sequence<int, i...>) {
        return __builtin_shufflevector(x, x, (i ^ 1)...);
    }
    static PYRAD_INLINE V swapped(const V &x) {
        return swap_(x, std::make_integer_sequence<int, reals>{});
    }

    // C and S of one pair of shifts, before their transforms.
    static PYRAD_INLINE void modulate(const Work<T> &w, const T *phases, i64 length) {
        for (i64 k = 0; k < length; ++k)
            for (i64 l = k * L; l < k * L + L; l += reals) {
                store(w.cosine + l, load(w.spectrum + l) * phases[2 * k]);
                store(w.sine + l, load(w.turned + l) * phases[2 * k + 1]);
            }
    }

    // C and S become x_s and x_-s; their steps D.
    template <bool joint> static PYRAD_INLINE void split(const Work<T> &w, i64 length) {
        for (i64 l = 0; l < L; l += reals) {
            const T *end = w.cosine + (length - 1) * L + l, *other = w.sine + (length - 1) * L + l;
            V right = load(end) + load(other), left = load(end) - load(other);
            for (i64 i = l; i < length * L; i += L) {
                const V c = load(w.cosine + i), s = load(w.sine + i);
                const V sum = c + s, difference = c - s;
                V up = size(sum - right), down = size(difference - left);
                if (joint) {
                    up += swapped(up);
                    down += swapped(down);
                }
                store(w.cosine + i, sum);
                store(w.sine + i, difference);
                store(w.steps[0] + i, up);
                store(w.steps[1] + i, down);
                right = sum;
                left = difference;
            }
        }
    }

    // Takes a shifted line where it ripples less than the best so far; `fraction` is |s|,
    // `neighbour` the place of x_s[l - sign(s)].
    static PYRAD_INLINE void choose(const Work<T> &w, const T *shifted, const T *steps,
                                    i64 neighbour, T fraction, const Lines<T> &lines) {
        const int near = lines.search.near, far = lines.search.far;
        const i64 behind = (near + far + 1) * L;
        const T rest = 1 - fraction;
        const auto sum = [&](i64 at) PYRAD_LAMBDA {
            V total = load(steps + at - near * L);
            for (int t = near + 1; t <= far; ++t)
                total += load(steps + at - t * L);
            return total;
        };
        for (i64 i = 0; i < behind; i += reals)
            store(w.sums + i, sum(i));
        for (i64 i = 0; i < lines.length * L; i += reals) {
            const V ahead = sum(i + behind), before = load(w.sums + i);
            store(w.sums + i + behind, ahead);
            const V ripple = before < ahead ? before : ahead, least = load(w.least + i);
            const V value = rest * load(shifted + i) + fraction * load(shifted + i + neighbour);
            store(w.least + i, ripple < least ? ripple : least);
            store(w.result + i, ripple < least ? value : load(w.result + i));
        }
    }

    static PYRAD_INLINE void wrap(T *line, i64 before, i64 behind, i64 length) {
        for (i64 i = -before; i < 0; ++i)
            std::memcpy(line + i * L, line + wrapped(i, length) * L, L * sizeof(T));
        for (i64 i = length; i < length + behind; ++i)
            std::memcpy(line + i * L, line + i % length * L, L * sizeof(T));
    }

    template <bool joint> static PYRAD_INLINE void start(const Work<T> &w, const Lines<T> &lines) {
        const i64 n = lines.length;
        lines.fft(lines.there, w.line, L, w.spectrum, L, L, w.fft);
        for (i64 i = 0; i < n * L; i += 2) {
            w.turned[i] = -w.spectrum[i + 1];
            w.turned[i + 1] = w.spectrum[i];
        }
        std::memcpy(w.cosine, w.line, n * L * sizeof(T));
        std::memset(w.sine, 0, n * L * sizeof(T));
        split<joint>(w, n);
        std::fill_n(w.least, n * L, std::numeric_limits<T>::infinity());
    }

    template <bool joint> static PYRAD_INLINE void all(const Work<T> &w, const Lines<T> &lines) {
        const i64 n = lines.length;
        const int count = lines.search.shifts, far = lines.search.far;
        start<joint>(w, lines);
        for (int j = 0; j <= count; ++j) {
            const T fraction = static_cast<T>(j) / static_cast<T>(2 * count);
            if (j > 0) {
                modulate(w, lines.phases + 2 * (j - 1) * n, n);
                lines.fft(lines.back, w.cosine, L, w.cosine, L, L, w.fft);
                lines.fft(lines.back, w.sine, L, w.sine, L, L, w.fft);
                split<joint>(w, n);
            }
            wrap(w.cosine, 1, 1, n);
            wrap(w.steps[0], far, far + 1, n);
            choose(w, w.cosine, w.steps[0], -L, fraction, lines);
            if (j > 0) {
                wrap(w.sine, 1, 1, n);
                wrap(w.steps[1], far, far + 1, n);
                choose(w, w.sine, w.steps[1], L, fraction, lines);
            }
        }
    }

    static PYRAD_INLINE void run(const Work<T> &w, const Lines<T> &lines) {
        lines.search.joint ? all<true>(w, lines) : all<false>(w, lines);
    }
};

template <class T> using Unring = void (*)(const Work<T> &, const Lines<T> &);

template <class T> void unring_baseline(const Work<T> &w, const Lines<T> &lines) {
    Steps<T, 16 / sizeof(T)>::run(w, lines);
}

#if defined(__x86_64__)
template <class T>
__attribute__((target("arch=x86-64-v3"))) void unring_v3(const Work<T> &w, const Lines<T> &lines) {
    Steps<T, 32 / sizeof(T)>::run(w, lines);
}
template <class T>
__attribute__((target("arch=x86-64-v4"))) void unring_v4(const Work<T> &w, const Lines<T> &lines) {
    Steps<T, 64 / sizeof(T)>::run(w, lines);
}
#endif

template <class T> Unring<T> unring() {
#if defined(__x86_64__)
    if (vector_width() == 16)
        return unring_v4<T>;
    if (vector_width() == 8)
        return unring_v3<T>;
#endif
    return unring_baseline<T>;
}

} // namespace

template <class T> void unring_lines(T *x, i64 outer, i64 length, i64 inner, const Search &search) {
    if (length < 2)
        return;
    constexpr i64 L = lanes<T>;
    const auto phases = phase_table<T>(length, search.shifts);
    const Lines<T> lines{length, search, line_plan<T>(length, -1), line_plan<T>(length, 1),
                         phases.data()};
    const Unring<T> work_on = unring<T>();
    const i64 part = search.joint ? 2 : 1; // reals per sample
    std::vector<LineScratch<T>> scratch(max_workers());
    parallel_for(outer * inner * part, L, [&](i64 begin, i64 end, int worker) {
        const Work<T> w = divide(scratch[worker].get(work_size<T>(length, search)), length, search);
        const i64 row = inner * part;
        const auto place = [&](i64 lane) { return lane / row * length * row + lane % row; };
        for (i64 l = 0; l < L; ++l)
            for (i64 i = 0; i < length; ++i)
                w.line[i * L + l] = begin + l < end ? x[place(begin + l) + i * row] : T(0);
        work_on(w, lines);
        for (i64 l = 0; l < end - begin; ++l)
            for (i64 i = 0; i < length; ++i)
                x[place(begin + l) + i * row] = w.result[i * L + l];
    });
}

template void unring_lines(double *, i64, i64, i64, const Search &);

} // namespace pyrad::gibbs
