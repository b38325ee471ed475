// Stockham FFT whose vector lanes are coils (and, down a column, neighbouring cells): no shuffles
// between elements, no transposition, twiddles are broadcast. Radices 2 to 6 and 8; other prime
// factors by the definition.
// Reference: P. N. Swarztrauber, Parallel Comput. 1 (1984), doi:10.1016/S0167-8191(84)90413-7.
#pragma GCC diagnostic ignored "-Wpsabi" // vectors pass between inlined functions only

#include "mr/lane_line.hpp"

#include "mr/lanes.hpp"

#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace pyrad {
namespace {

constexpr double two_pi = 6.283185307179586476925286766559;

template <class T> void push_root(std::vector<T> &table, i64 numerator, i64 n, int sign) {
    // Reduced to the first octant, where sine and cosine are most accurate.
    const i64 k = (8 * (numerator % n));
    const i64 octant = k / n;
    const i64 rest = k - octant * n;
    const double angle = two_pi / 8 * (octant % 2 ? double(n - rest) : double(rest)) / n;
    double c = std::cos(angle), s = std::sin(angle);
    if (octant % 4 == 1 || octant % 4 == 2)
        std::swap(c, s);
    if (octant % 8 >= 2 && octant % 8 < 6)
        c = -c;
    if (octant % 8 >= 4)
        s = -s;
    table.push_back(static_cast<T>(c));
    table.push_back(static_cast<T>(-sign * s));
    table.push_back(static_cast<T>(sign * s));
}

// Few passes: radix 8 as far as it goes, without leaving a single 2, which goes into a 6.
int next_radix(i64 rest) {
    if (rest % 8 == 0 && (rest % 16 || rest % 32 == 0 || rest % 3 == 0))
        return 8;
    for (int r : {4, 6, 5, 3, 2})
        if (rest % r == 0)
            return r;
    int prime = 7;
    while (rest % prime)
        prime += 2;
    return prime;
}

template <class T> LinePlan<T> plan_line(i64 length, int sign) {
    LinePlan<T> plan{length, {}};
    i64 before = 1, rest = length;
    while (rest > 1) {
        const int radix = next_radix(rest);
        rest /= radix;
        LineStage<T> stage{radix, before, rest, {}, {}};
        for (i64 a = 0; a < rest; ++a)
            for (int b = 1; b < radix; ++b)
                push_root(stage.twiddle, a * b * before, length, sign);
        for (int j = 0; j < radix; ++j)
            push_root(stage.root, j, radix, sign);
        before *= radix;
        plan.stages.push_back(std::move(stage));
    }
    return plan;
}

// Complex arithmetic on `reals` interleaved values.
template <class T, int reals> struct Complexes {
    using V = typename VectorOf<T, reals>::type;

    static PYRAD_INLINE V load(const T *p) {
        V v;
        std::memcpy(&v, p, sizeof v);
        return v;
    }
    static PYRAD_INLINE void store(T *p, V v) { std::memcpy(p, &v, sizeof v); }
    template <int... i> static PYRAD_INLINE V swap_(V x, std::integer_sequence<int, i...>) {
        return __builtin_shufflevector(x, x, (i ^ 1)...);
    }
    static PYRAD_INLINE V swapped(V x) {
        return swap_(x, std::make_integer_sequence<int, reals>{});
    }
    // p[0], p[1], p[0], p[1], ...; as a broadcast of one integer where a pair fits into one.
    template <int... i> static PYRAD_INLINE V pair_(const T *p, std::integer_sequence<int, i...>) {
        return V{p[i % 2]...};
    }
    static PYRAD_INLINE V pair(const T *p) {
        if constexpr (sizeof(T) == 4) {
            typename VectorOf<i64, reals / 2>::type wide{};
            i64 both;
            std::memcpy(&both, p, sizeof both);
            wide += both;
            return (V)wide;
        } else {
            return pair_(p, std::make_integer_sequence<int, reals>{});
        }
    }
    // x (re + i im), the factor given as re, -im, im
    static PYRAD_INLINE V times(V x, const T *factor) {
        return x * factor[0] + swapped(x) * pair(factor + 1);
    }
};

template <class T, int reals> struct Butterfly {
    using C = Complexes<T, reals>;
    using V = typename C::V;

    static PYRAD_INLINE void two(V *x, const T *) {
        const V sum = x[0] + x[1];
        x[1] = x[0] - x[1];
        x[0] = sum;
    }
    // `root` is re, -im, im of exp(sign 2 pi i / 3).
    static PYRAD_INLINE void three(V *x, const T *root) {
        const V sum = x[1] + x[2], difference = x[1] - x[2];
        const V middle = x[0] + root[0] * sum;
        const V turned = C::swapped(difference) * C::pair(root + 1);
        x[0] += sum;
        x[1] = middle + turned;
        x[2] = middle - turned;
    }
    // `root` of exp(sign i pi / 2).
    static PYRAD_INLINE void four(V *x, const T *root) {
        const V a = x[0] + x[2], b = x[0] - x[2], c = x[1] + x[3];
        const V d = C::swapped(x[1] - x[3]) * C::pair(root + 1);
        x[0] = a + c;
        x[1] = b + d;
        x[2] = a - c;
        x[3] = b - d;
    }
    // Two transforms of half the length; `roots` of exp(sign 2 pi i j / 6), of 8 below.
    static PYRAD_INLINE void six(V *x, const T *roots) {
        V even[3] = {x[0], x[2], x[4]}, odd[3] = {x[1], x[3], x[5]};
        three(even, roots + 6);
        three(odd, roots + 6);
        odd[1] = C::times(odd[1], roots + 3);
        odd[2] = C::times(odd[2], roots + 6);
        for (int k = 0; k < 3; ++k) {
            x[k] = even[k] + odd[k];
            x[k + 3] = even[k] - odd[k];
        }
    }
    static PYRAD_INLINE void eight(V *x, const T *roots) {
        V even[4] = {x[0], x[2], x[4], x[6]}, odd[4] = {x[1], x[3], x[5], x[7]};
        four(even, roots + 6);
        four(odd, roots + 6);
        odd[1] = C::times(odd[1], roots + 3);
        odd[2] = C::swapped(odd[2]) * C::pair(roots + 7);
        odd[3] = C::times(odd[3], roots + 9);
        for (int k = 0; k < 4; ++k) {
            x[k] = even[k] + odd[k];
            x[k + 4] = even[k] - odd[k];
        }
    }
    static PYRAD_INLINE void five(V *x, const T *root) {
        const V a = x[1] + x[4], b = x[2] + x[3], c = C::swapped(x[1] - x[4]),
                d = C::swapped(x[2] - x[3]);
        const V s1 = C::pair(root + 4), s2 = C::pair(root + 7);
        const V p = x[0] + root[3] * a + root[6] * b, q = x[0] + root[6] * a + root[3] * b;
        const V r = s1 * c + s2 * d, s = s2 * c - s1 * d;
        x[0] += a + b;
        x[1] = p + r;
        x[2] = q + s;
        x[3] = q - s;
        x[4] = p - r;
    }
};

template <int radix, int reals, class T>
PYRAD_INLINE void pass(const LineStage<T> &stage, const T *in, i64 in_step, T *out, i64 out_step) {
    using C = Complexes<T, reals>;
    using B = Butterfly<T, reals>;
    const i64 span = stage.span, before = stage.before;
    for (i64 c = 0; c < before; ++c) {
        const T *twiddle = stage.twiddle.data();
        for (i64 a = 0; a < span; ++a, twiddle += 3 * (radix - 1)) {
            typename C::V x[radix];
            for (int b = 0; b < radix; ++b)
                x[b] = C::load(in + (a + span * (b + radix * c)) * in_step);
            if constexpr (radix == 2)
                B::two(x, stage.root.data());
            else if constexpr (radix == 3)
                B::three(x, stage.root.data() + 3);
            else if constexpr (radix == 4)
                B::four(x, stage.root.data() + 3);
            else if constexpr (radix == 6)
                B::six(x, stage.root.data());
            else if constexpr (radix == 8)
                B::eight(x, stage.root.data());
            else
                B::five(x, stage.root.data());
            T *to = out + (a + span * c) * out_step;
            C::store(to, x[0]);
            for (int b = 1; b < radix; ++b)
                C::store(to + span * before * b * out_step,
                         span == 1 ? x[b] : C::times(x[b], twiddle + 3 * (b - 1)));
        }
    }
}

// Any radix, by the definition.
template <int reals, class T>
PYRAD_INLINE void pass_any(const LineStage<T> &stage, const T *in, i64 in_step, T *out,
                           i64 out_step) {
    using C = Complexes<T, reals>;
    const i64 span = stage.span, before = stage.before, radix = stage.radix;
    for (i64 c = 0; c < before; ++c)
        for (i64 a = 0; a < span; ++a)
            for (i64 b = 0; b < radix; ++b) {
                auto sum = C::load(in + (a + span * radix * c) * in_step);
                for (i64 j = 1; j < radix; ++j)
                    sum += C::times(C::load(in + (a + span * (j + radix * c)) * in_step),
                                    stage.root.data() + 3 * (b * j % radix));
                if (b > 0 && span > 1)
                    sum = C::times(sum, stage.twiddle.data() + 3 * (a * (radix - 1) + b - 1));
                C::store(out + (a + span * (c + before * b)) * out_step, sum);
            }
}

// One line of complex vectors: element i from source + i * source_step to line + i * step, which
// may be the same place.
template <int reals, class T>
PYRAD_INLINE void transform(const LinePlan<T> &plan, const T *source, i64 source_step, T *line,
                            i64 step, T *scratch) {
    T *other = scratch + plan.length * reals;
    const T *in = source;
    i64 in_step = source_step;
    const int last = static_cast<int>(plan.stages.size()) - 1;
    for (int i = 0; i <= last; ++i) {
        const LineStage<T> &stage = plan.stages[i];
        const bool to_line = i == last && last > 0;
        T *out = to_line ? line : (in == scratch ? other : scratch);
        const i64 out_step = to_line ? step : reals;
        switch (stage.radix) {
        case 2:
            pass<2, reals>(stage, in, in_step, out, out_step);
            break;
        case 3:
            pass<3, reals>(stage, in, in_step, out, out_step);
            break;
        case 4:
            pass<4, reals>(stage, in, in_step, out, out_step);
            break;
        case 5:
            pass<5, reals>(stage, in, in_step, out, out_step);
            break;
        case 6:
            pass<6, reals>(stage, in, in_step, out, out_step);
            break;
        case 8:
            pass<8, reals>(stage, in, in_step, out, out_step);
            break;
        default:
            pass_any<reals>(stage, in, in_step, out, out_step);
        }
        in = out;
        in_step = out_step;
    }
    for (i64 i = 0; last == 0 && i < plan.length; ++i)
        std::memcpy(line + i * step, scratch + i * reals, reals * sizeof(T));
}

// `width` reals side by side, in registers of at most `reals`.
template <int reals, class T>
PYRAD_INLINE void transform_side_by_side(const LinePlan<T> &plan, const T *source, i64 source_step,
                                         T *line, i64 step, i64 width, T *scratch) {
    i64 at = 0;
    for (; at + reals <= width; at += reals)
        transform<reals>(plan, source + at, source_step, line + at, step, scratch);
    if constexpr (reals > 2)
        if (at < width)
            transform_side_by_side<reals / 2>(plan, source + at, source_step, line + at, step,
                                              width - at, scratch);
}

template <class T>
void line_baseline(const LinePlan<T> &plan, const T *source, i64 source_step, T *line, i64 step,
                   i64 width, T *scratch) {
    transform_side_by_side<16 / sizeof(T)>(plan, source, source_step, line, step, width, scratch);
}

#if defined(__x86_64__)
template <class T>
__attribute__((target("arch=x86-64-v3"))) void line_v3(const LinePlan<T> &plan, const T *source,
                                                       i64 source_step, T *line, i64 step,
                                                       i64 width, T *scratch) {
    transform_side_by_side<32 / sizeof(T)>(plan, source, source_step, line, step, width, scratch);
}
template <class T>
__attribute__((target("arch=x86-64-v4"))) void line_v4(const LinePlan<T> &plan, const T *source,
                                                       i64 source_step, T *line, i64 step,
                                                       i64 width, T *scratch) {
    transform_side_by_side<64 / sizeof(T)>(plan, source, source_step, line, step, width, scratch);
}
#endif

} // namespace

template <class T> const LinePlan<T> &line_plan(i64 length, int sign) {
    static std::mutex mutex;
    static std::map<i64, std::unique_ptr<LinePlan<T>>> plans;
    const std::lock_guard<std::mutex> guard(mutex);
    auto &plan = plans[sign < 0 ? -length : length];
    if (!plan)
        plan = std::make_unique<LinePlan<T>>(plan_line<T>(length, sign));
    return *plan;
}

template <class T> LineFft<T> line_fft() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("x86-64-v4"))
        return line_v4<T>;
    if (__builtin_cpu_supports("x86-64-v3"))
        return line_v3<T>;
#endif
    return line_baseline<T>;
}

template const LinePlan<float> &line_plan(i64, int);
template const LinePlan<double> &line_plan(i64, int);
template LineFft<float> line_fft();
template LineFft<double> line_fft();

} // namespace pyrad
