// Gibbs unringing of lines (gibbs_math.hpp). Sixteen real lines (eight in double precision), or
// half as many complex ones, stand side by side as lanes of one register, so that no step looks
// across lanes: to the transform two real lines are one complex one. The spectrum X makes both
// shifts of a pair: with C = F^-1(X cos) and S = F^-1(i X sin), x_s = C + S, x_-s = C - S.
//
// Where values in single precision are enough, lines are searched in it, for the second best shift
// beside the best. Where the two ripple alike to within rounding, the sample is decided in double
// precision, from x_s as a convolution with the periodic sinc.
#pragma GCC diagnostic ignored "-Wpsabi" // vectors pass between inlined functions only

#include "denoise/gibbs.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "denoise/gibbs_decider.hpp"
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
    T *least, *result;
    // In single precision only: j of the best shift; variation, j and value of the second best.
    T *shift, *second, *second_shift, *other;
    T *fft;
};

template <class T> constexpr bool may_doubt = sizeof(T) == sizeof(float);

template <class T> i64 work_size(i64 length, const Search &search) {
    const i64 more = 2 * search.far + 1;
    const i64 samples = (may_doubt<T> ? 9 : 5) * length + 2 * (length + 2) + 2 * (length + more);
    return samples * lanes<T> + line_scratch<T>(length);
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
    w.least = take(length), w.result = take(length);
    for (T **part : {&w.shift, &w.second, &w.second_shift, &w.other})
        *part = may_doubt<T> ? take(length) : nullptr;
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

    struct Best {
        V least, result, shift, second, second_shift, other;
    };

    // Sample i of the line of shift j, where it ripples less than the best so far.
    static PYRAD_INLINE void consider(const Work<T> &w, i64 i, int j, T fraction,
                                      const Search &search, Best &best) {
        const T *shifted = (j < 0 ? w.sine : w.cosine) + i, *steps = w.steps[j < 0] + i;
        V left = load(steps - search.near * L), right = load(steps + (1 + search.near) * L);
        for (i64 t = search.near + 1; t <= search.far; ++t) {
            left += load(steps - t * L);
            right += load(steps + (1 + t) * L);
        }
        const V ripple = left < right ? left : right;
        const V value =
            (1 - fraction) * load(shifted) + fraction * load(shifted + (j < 0 ? L : -L));
        if constexpr (may_doubt<T>) {
            const V here = V{} + static_cast<T>(j);
            const auto less = ripple < best.least, closer = ripple < best.second;
            best.second_shift = less ? best.shift : (closer ? here : best.second_shift);
            best.other = less ? best.result : (closer ? value : best.other);
            best.second = less ? best.least : (closer ? ripple : best.second);
            best.shift = less ? here : best.shift;
        }
        best.result = ripple < best.least ? value : best.result;
        best.least = ripple < best.least ? ripple : best.least;
    }

    // Shift j, and -j unless it is the same, against the best so far.
    static PYRAD_INLINE void choose(const Work<T> &w, int j, const Lines<T> &lines) {
        const T fraction = static_cast<T>(j) / static_cast<T>(2 * lines.search.shifts);
        for (i64 i = 0; i < lines.length * L; i += reals) {
            Best best{load(w.least + i), load(w.result + i), {}, {}, {}, {}};
            if constexpr (may_doubt<T>) {
                best.shift = load(w.shift + i);
                best.second = load(w.second + i);
                best.second_shift = load(w.second_shift + i);
                best.other = load(w.other + i);
            }
            consider(w, i, j, fraction, lines.search, best);
            if (j > 0)
                consider(w, i, -j, fraction, lines.search, best);
            store(w.least + i, best.least);
            store(w.result + i, best.result);
            if constexpr (may_doubt<T>) {
                store(w.shift + i, best.shift);
                store(w.second + i, best.second);
                store(w.second_shift + i, best.second_shift);
                store(w.other + i, best.other);
            }
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
        if constexpr (may_doubt<T>)
            std::fill_n(w.second, n * L, std::numeric_limits<T>::infinity());
    }

    template <bool joint> static PYRAD_INLINE void all(const Work<T> &w, const Lines<T> &lines) {
        const i64 n = lines.length;
        const int count = lines.search.shifts, far = lines.search.far;
        start<joint>(w, lines);
        for (int j = 0; j <= count; ++j) {
            if (j > 0) {
                modulate(w, lines.phases + 2 * (j - 1) * n, n);
                lines.fft(lines.back, w.cosine, L, w.cosine, L, L, w.fft);
                lines.fft(lines.back, w.sine, L, w.sine, L, L, w.fft);
                split<joint>(w, n);
            }
            wrap(w.cosine, 1, 1, n);
            wrap(w.sine, 1, 1, n);
            for (T *steps : w.steps)
                wrap(steps, far, far + 1, n);
            choose(w, j, lines);
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

// The reals that lines are made of, each a lane, and where they stand.
struct Layout {
    double *x;
    i64 length, row; // reals side by side, which is also the step along a line
    double *lane(i64 i) const { return x + i / row * length * row + i % row; }
};

// Decides again where rounding may have chosen between two shifts: lanes `lane`, and the next one
// of a complex line, which stand as `first` and after it in the image.
void decide(const Work<float> &w, i64 lane, const Layout &layout, i64 first, const Decider &decider,
            std::vector<double> *line) {
    constexpr i64 L = lanes<float>;
    const i64 n = layout.length, parts = decider.search.joint ? 2 : 1;
    float largest = 0;
    for (i64 part = 0; part < parts; ++part)
        for (i64 i = lane + part; i < n * L; i += L)
            largest = std::max(largest, std::abs(w.line[i]));
    const auto width = static_cast<float>(parts * (decider.search.far - decider.search.near + 1));
    const float alike = 6e-7f * width * largest, equal = 1e-5f * largest;
    bool filled = false;
    for (i64 i = 0; i < n; ++i) {
        const i64 at = i * L + lane;
        if (!(w.second[at] - w.least[at] < alike))
            continue;
        float apart = 0;
        for (i64 part = 0; part < parts; ++part)
            apart = std::max(apart, std::abs(w.other[at + part] - w.result[at + part]));
        if (!(apart > equal))
            continue;
        line->resize(parts * n);
        for (i64 part = 0; part < parts && !filled; ++part)
            for (i64 k = 0; k < n; ++k)
                (*line)[part * n + k] = layout.lane(first + part)[k * layout.row];
        filled = true;
        double value[2];
        decider.better(line->data(), i, static_cast<int>(w.shift[at]),
                       static_cast<int>(w.second_shift[at]), value);
        for (i64 part = 0; part < parts; ++part)
            w.result[at + part] = static_cast<float>(value[part]);
    }
}

template <class T> void unring_all(const Layout &layout, i64 count, const Search &search) {
    constexpr i64 L = lanes<T>;
    const i64 n = layout.length;
    const auto phases = phase_table<T>(n, search.shifts);
    const Lines<T> lines{n, search, line_plan<T>(n, -1), line_plan<T>(n, 1), phases.data()};
    const Unring<T> work_on = unring<T>();
    const Decider decider(may_doubt<T> ? n : 0, search);
    std::vector<LineScratch<T>> scratch(max_workers());
    std::vector<std::vector<double>> line(max_workers());
    parallel_for(count, L, [&](i64 begin, i64 end, int worker) {
        const Work<T> w = divide(scratch[worker].get(work_size<T>(n, search)), n, search);
        std::fill_n(w.line, n * L, T(0));
        for (i64 l = 0; l < end - begin; ++l) {
            const double *from = layout.lane(begin + l);
            for (i64 i = 0; i < n; ++i)
                w.line[i * L + l] = static_cast<T>(from[i * layout.row]);
        }
        work_on(w, lines);
        if constexpr (may_doubt<T>)
            for (i64 l = 0; l < end - begin; l += search.joint ? 2 : 1)
                decide(w, l, layout, begin + l, decider, &line[worker]);
        for (i64 l = 0; l < end - begin; ++l) {
            double *to = layout.lane(begin + l);
            for (i64 i = 0; i < n; ++i)
                to[i * layout.row] = w.result[i * L + l];
        }
    });
}

} // namespace

void unring_lines(double *x, i64 outer, i64 length, i64 inner, bool single, const Search &search) {
    if (length < 2)
        return;
    const Layout layout{x, length, inner * (search.joint ? 2 : 1)};
    const i64 count = outer * layout.row;
    single ? unring_all<float>(layout, count, search) : unring_all<double>(layout, count, search);
}

} // namespace pyrad::gibbs
