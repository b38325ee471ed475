// Body of combine.cpp, included once per instruction set: PYRAD_ISA names the namespace,
// PYRAD_TARGET the attribute, PYRAD_BYTES the width of a register. Sums run over the taps in order,
// without contraction, so every instruction set gives the same bits.
// No include guard on purpose.

namespace pyrad::PYRAD_ISA {

template <class T> struct Register {
    typedef T type __attribute__((vector_size(PYRAD_BYTES), aligned(alignof(T)), may_alias));
    static constexpr i64 lanes = PYRAD_BYTES / sizeof(T);
};

// Four registers of each sum, then single ones; the last one overlaps its neighbour.
template <class T>
PYRAD_TARGET void pair(const T *const *rows, const T *u, const T *v, i64 taps, i64 n, T *first,
                       T *second) {
    using V = typename Register<T>::type;
    constexpr i64 w = Register<T>::lanes;
    i64 i = 0;
    for (; i + 4 * w <= n; i += 4 * w) {
        V a0{}, a1{}, a2{}, a3{}, b0{}, b1{}, b2{}, b3{};
        for (i64 t = 0; t < taps; ++t) {
            const T *row = rows[t] + i;
            const V x0 = *reinterpret_cast<const V *>(row);
            const V x1 = *reinterpret_cast<const V *>(row + w);
            const V x2 = *reinterpret_cast<const V *>(row + 2 * w);
            const V x3 = *reinterpret_cast<const V *>(row + 3 * w);
            const T ut = u[t], vt = v[t];
            a0 += ut * x0, a1 += ut * x1, a2 += ut * x2, a3 += ut * x3;
            b0 += vt * x0, b1 += vt * x1, b2 += vt * x2, b3 += vt * x3;
        }
        V *a = reinterpret_cast<V *>(first + i), *b = reinterpret_cast<V *>(second + i);
        a[0] = a0, a[1] = a1, a[2] = a2, a[3] = a3;
        b[0] = b0, b[1] = b1, b[2] = b2, b[3] = b3;
    }
    if (n >= w)
        for (; i < n; i += w) {
            const i64 at = i + w <= n ? i : n - w;
            V a{}, b{};
            for (i64 t = 0; t < taps; ++t) {
                const V x = *reinterpret_cast<const V *>(rows[t] + at);
                a += u[t] * x, b += v[t] * x;
            }
            *reinterpret_cast<V *>(first + at) = a;
            *reinterpret_cast<V *>(second + at) = b;
        }
    for (; i < n; ++i) {
        T a = 0, b = 0;
        for (i64 t = 0; t < taps; ++t)
            a += u[t] * rows[t][i], b += v[t] * rows[t][i];
        first[i] = a, second[i] = b;
    }
}

template <class T>
PYRAD_TARGET void one(const T *const *rows, const T *u, i64 taps, i64 n, T *sum) {
    using V = typename Register<T>::type;
    constexpr i64 w = Register<T>::lanes;
    i64 i = 0;
    for (; i + 4 * w <= n; i += 4 * w) {
        V a0{}, a1{}, a2{}, a3{};
        for (i64 t = 0; t < taps; ++t) {
            const V *x = reinterpret_cast<const V *>(rows[t] + i);
            a0 += u[t] * x[0], a1 += u[t] * x[1], a2 += u[t] * x[2], a3 += u[t] * x[3];
        }
        V *a = reinterpret_cast<V *>(sum + i);
        a[0] = a0, a[1] = a1, a[2] = a2, a[3] = a3;
    }
    if (n >= w)
        for (; i < n; i += w) {
            const i64 at = i + w <= n ? i : n - w;
            V a{};
            for (i64 t = 0; t < taps; ++t)
                a += u[t] * *reinterpret_cast<const V *>(rows[t] + at);
            *reinterpret_cast<V *>(sum + at) = a;
        }
    for (; i < n; ++i) {
        T a = 0;
        for (i64 t = 0; t < taps; ++t)
            a += u[t] * rows[t][i];
        sum[i] = a;
    }
}

} // namespace pyrad::PYRAD_ISA
