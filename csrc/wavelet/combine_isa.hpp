// Body of combine.cpp, included once per instruction set: PYRAD_ISA names the namespace,
// PYRAD_TARGET is the attribute, P the registers. Sums run over the taps in order.
// No include guard on purpose.

namespace pyrad::PYRAD_ISA {

template <class T> constexpr i64 lanes = sizeof(T) == 4 ? P::width : P::wide;

template <bool streamed, class T, class V> PYRAD_TARGET PYRAD_INLINE void put(T *to, V x) {
    if constexpr (streamed)
        P::stream(to, x);
    else
        P::store(to, x);
}

template <class T>
PYRAD_TARGET void few(const T *const *rows, const T *u, const T *v, i64 taps, i64 begin, i64 end,
                      T *first, T *second) {
    for (i64 i = begin; i < end; ++i) {
        T a = 0, b = 0;
        for (i64 t = 0; t < taps; ++t) {
            a = P::fma(u[t], rows[t][i], a);
            b = P::fma(v[t], rows[t][i], b);
        }
        first[i] = a, second[i] = b;
    }
}

template <class T>
PYRAD_TARGET void few(const T *const *rows, const T *u, i64 taps, i64 begin, i64 end, T *sum) {
    for (i64 i = begin; i < end; ++i) {
        T a = 0;
        for (i64 t = 0; t < taps; ++t)
            a = P::fma(u[t], rows[t][i], a);
        sum[i] = a;
    }
}

// Numbers [begin, end), of which whole blocks of four registers are written; returns their end.
template <bool streamed, class T>
PYRAD_TARGET i64 blocks(const T *const *rows, const T *u, const T *v, i64 taps, i64 begin, i64 end,
                        T *first, T *second) {
    constexpr i64 w = lanes<T>;
    i64 i = begin;
    for (; i + 4 * w <= end; i += 4 * w) {
        auto a0 = P::all(T(0)), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
        for (i64 t = 0; t < taps; ++t) {
            const T *const row = rows[t] + i;
            const auto x0 = P::load(row), x1 = P::load(row + w);
            const auto x2 = P::load(row + 2 * w), x3 = P::load(row + 3 * w);
            const auto ut = P::all(u[t]), vt = P::all(v[t]);
            a0 = P::fma(ut, x0, a0), a1 = P::fma(ut, x1, a1);
            a2 = P::fma(ut, x2, a2), a3 = P::fma(ut, x3, a3);
            b0 = P::fma(vt, x0, b0), b1 = P::fma(vt, x1, b1);
            b2 = P::fma(vt, x2, b2), b3 = P::fma(vt, x3, b3);
        }
        T *const a = first + i, *const b = second + i;
        put<streamed>(a, a0), put<streamed>(a + w, a1);
        put<streamed>(a + 2 * w, a2), put<streamed>(a + 3 * w, a3);
        put<streamed>(b, b0), put<streamed>(b + w, b1);
        put<streamed>(b + 2 * w, b2), put<streamed>(b + 3 * w, b3);
    }
    return i;
}

template <bool streamed, class T>
PYRAD_TARGET i64 blocks(const T *const *rows, const T *u, i64 taps, i64 begin, i64 end, T *sum) {
    constexpr i64 w = lanes<T>;
    i64 i = begin;
    for (; i + 4 * w <= end; i += 4 * w) {
        auto a0 = P::all(T(0)), a1 = a0, a2 = a0, a3 = a0;
        for (i64 t = 0; t < taps; ++t) {
            const T *const row = rows[t] + i;
            const auto ut = P::all(u[t]);
            a0 = P::fma(ut, P::load(row), a0), a1 = P::fma(ut, P::load(row + w), a1);
            a2 = P::fma(ut, P::load(row + 2 * w), a2), a3 = P::fma(ut, P::load(row + 3 * w), a3);
        }
        put<streamed>(sum + i, a0), put<streamed>(sum + i + w, a1);
        put<streamed>(sum + i + 2 * w, a2), put<streamed>(sum + i + 3 * w, a3);
    }
    return i;
}

// Behind the blocks single registers; the last one overlaps its neighbour.
template <class T>
PYRAD_TARGET void pair(const T *const *rows, const T *u, const T *v, i64 taps, i64 n, T *first,
                       T *second) {
    constexpr i64 w = lanes<T>;
    i64 i = blocks<false>(rows, u, v, taps, 0, n, first, second);
    if (n < w)
        return few(rows, u, v, taps, 0, n, first, second);
    for (; i < n; i += w) {
        const i64 at = i + w <= n ? i : n - w;
        auto a = P::all(T(0)), b = a;
        for (i64 t = 0; t < taps; ++t) {
            const auto x = P::load(rows[t] + at);
            a = P::fma(P::all(u[t]), x, a), b = P::fma(P::all(v[t]), x, b);
        }
        P::store(first + at, a), P::store(second + at, b);
    }
}

template <class T>
PYRAD_TARGET void one(const T *const *rows, const T *u, i64 taps, i64 n, T *sum) {
    constexpr i64 w = lanes<T>;
    i64 i = blocks<false>(rows, u, taps, 0, n, sum);
    if (n < w)
        return few(rows, u, taps, 0, n, sum);
    for (; i < n; i += w) {
        const i64 at = i + w <= n ? i : n - w;
        auto a = P::all(T(0));
        for (i64 t = 0; t < taps; ++t)
            a = P::fma(P::all(u[t]), P::load(rows[t] + at), a);
        P::store(sum + at, a);
    }
}

// Numbers before the first register that begins at a multiple of its size.
template <class T> i64 unaligned(const T *p) {
    constexpr std::uintptr_t bytes = sizeof(T) * lanes<T>;
    return static_cast<i64>(-reinterpret_cast<std::uintptr_t>(p) % bytes / sizeof(T));
}

template <class T> PYRAD_TARGET void stream_copy(const T *from, i64 n, T *to) {
    constexpr i64 w = lanes<T>;
    i64 i = 0;
    for (const i64 head = std::min(n, unaligned(to)); i < head; ++i)
        to[i] = from[i];
    for (; i + w <= n; i += w)
        P::stream(to + i, P::load(from + i));
    for (; i < n; ++i)
        to[i] = from[i];
}

constexpr i64 bounce = 512; // numbers that pass through the first-level cache

template <class T>
PYRAD_TARGET void stream_pair(const T *const *rows, const T *u, const T *v, i64 taps, i64 n,
                              T *first, T *second) {
    const i64 head = std::min(n, unaligned(first));
    if (head == std::min(n, unaligned(second))) {
        few(rows, u, v, taps, 0, head, first, second);
        const i64 done = blocks<true>(rows, u, v, taps, head, n, first, second);
        few(rows, u, v, taps, done, n, first, second);
        P::fence();
        return;
    }
    alignas(64) T a[bounce], b[bounce];
    for (i64 i = 0; i < n; i += bounce) {
        const i64 count = std::min(bounce, n - i);
        const i64 done = blocks<false>(rows, u, v, taps, i, i + count, a - i, b - i);
        few(rows, u, v, taps, done, i + count, a - i, b - i);
        stream_copy(a, count, first + i);
        stream_copy(b, count, second + i);
    }
    P::fence();
}

template <class T>
PYRAD_TARGET void stream_one(const T *const *rows, const T *u, i64 taps, i64 n, T *sum) {
    const i64 head = std::min(n, unaligned(sum));
    few(rows, u, taps, 0, head, sum);
    const i64 done = blocks<true>(rows, u, taps, head, n, sum);
    few(rows, u, taps, done, n, sum);
    P::fence();
}

} // namespace pyrad::PYRAD_ISA
