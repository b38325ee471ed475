// Rows and lines for one instruction set; PYRAD_TARGET is its attribute, register_bytes its width.

#define PYRAD_INNER PYRAD_TARGET __attribute__((always_inline)) inline

template <class T> constexpr int width = register_bytes / sizeof(T); // reals of a register
template <class T> struct RegisterOf {
    typedef T type __attribute__((vector_size(register_bytes)));
};
template <class T> using Register = typename RegisterOf<T>::type;

template <class T> PYRAD_INNER Register<T> load(const T *p) {
    Register<T> v;
    std::memcpy(&v, p, sizeof v);
    return v;
}
template <class T> PYRAD_INNER void store(T *p, Register<T> v) { std::memcpy(p, &v, sizeof v); }

// Entries of a and b, `unit` reals each, with bit `step` of their place exchanged against the
// register: one step of a transposition.
template <class T, int unit, int step, int... i>
PYRAD_INNER void exchange(Register<T> &a, Register<T> &b, std::integer_sequence<int, i...>) {
    constexpr int n = width<T>, shift = unit * step;
    const Register<T> first = __builtin_shufflevector(a, b, (i & shift ? n + i - shift : i)...);
    b = __builtin_shufflevector(a, b, (i & shift ? n + i : i + shift)...);
    a = first;
}

// Square of entries of `unit` reals in as many registers.
template <class T, int unit, int step = 1> PYRAD_INNER void transpose(Register<T> *x) {
    constexpr int n = width<T> / unit;
    if constexpr (step < n) {
#pragma GCC unroll 16
        for (int i = 0; i < n; ++i)
            if (!(i & step))
                exchange<T, unit, step>(x[i], x[i + step],
                                        std::make_integer_sequence<int, width<T>>{});
        transpose<T, unit, 2 * step>(x);
    }
}

template <class T, int... i>
PYRAD_INNER Register<T> swapped(Register<T> x, std::integer_sequence<int, i...>) {
    return __builtin_shufflevector(x, x, (i ^ 1)...);
}
// re, im -> im, re
template <class T> PYRAD_INNER Register<T> swapped(Register<T> x) {
    return swapped<T>(x, std::make_integer_sequence<int, width<T>>{});
}

// 1, -1, 1, -1, ...
template <class T, int... i> PYRAD_INNER Register<T> signs(std::integer_sequence<int, i...>) {
    return Register<T>{T(i % 2 ? -1 : 1)...};
}
template <class T> PYRAD_INNER Register<T> signs() {
    return signs<T>(std::make_integer_sequence<int, width<T>>{});
}

template <class T> PYRAD_TARGET void spread(const T *rows, i64 step, i64 count, i64 n, T *line) {
    constexpr i64 w = width<T>, batch = row_batch<T>;
    for (i64 first = 0; first < batch; first += w) {
        i64 i = 0;
        for (; first + w <= count && i + w <= n; i += w) {
            Register<T> x[w];
#pragma GCC unroll 16
            for (i64 r = 0; r < w; ++r)
                x[r] = load(rows + (first + r) * step + i);
            transpose<T, 1>(x);
#pragma GCC unroll 16
            for (i64 r = 0; r < w; ++r)
                store(line + (i + r) * batch + first, x[r]);
        }
        for (; i < n; ++i)
            for (i64 r = first; r < first + w; ++r)
                line[i * batch + r] = r < count ? rows[r * step + i] : T(0);
    }
}

template <class T> PYRAD_TARGET void gather(const T *line, i64 n, T *rows, i64 step, i64 count) {
    constexpr i64 w = width<T>, batch = row_batch<T>;
    for (i64 first = 0; first < count; first += w) {
        i64 i = 0;
        for (; first + w <= count && i + w <= n; i += w) {
            Register<T> x[w];
#pragma GCC unroll 16
            for (i64 r = 0; r < w; ++r)
                x[r] = load(line + (i + r) * batch + first);
            transpose<T, 1>(x);
#pragma GCC unroll 16
            for (i64 r = 0; r < w; ++r)
                store(rows + (first + r) * step + i, x[r]);
        }
        for (; i < n; ++i)
            for (i64 r = first; r < std::min(first + w, count); ++r)
                rows[r * step + i] = line[i * batch + r];
    }
}

// Row r = first, first + 2, ... of up to a register's pairs: its complex numbers from k on.
template <class T>
PYRAD_INNER void put_pieces(const Register<T> *x, i64 pairs, i64 first, i64 count, i64 numbers,
                            T *spectra, i64 step) {
#pragma GCC unroll 8
    for (i64 p = 0; p < pairs; ++p)
        if (first + 2 * p < count) {
            if (2 * numbers >= width<T>)
                store(spectra + (first + 2 * p) * step, x[p]);
            else
                std::memcpy(spectra + (first + 2 * p) * step, &x[p], 2 * numbers * sizeof(T));
        }
}

template <class T>
PYRAD_TARGET void separate(const T *line, i64 n, T *spectra, i64 step, i64 count) {
    constexpr i64 w = width<T>, pairs = w / 2, batch = row_batch<T>;
    const Register<T> conjugate = signs<T>();
    const i64 half = n / 2 + 1;
    for (i64 first = 0; first < count; first += w)
        for (i64 k = 0; k < half; k += pairs) {
            Register<T> a[pairs], b[pairs];
#pragma GCC unroll 8
            for (i64 j = 0; j < pairs; ++j) {
                const i64 at = std::min(k + j, half - 1), mate = at ? n - at : 0;
                const Register<T> z = load(line + at * batch + first);
                const Register<T> m = conjugate * load(line + mate * batch + first);
                a[j] = z + m;
                b[j] = conjugate * swapped<T>(z - m);
            }
            transpose<T, 2>(a);
            transpose<T, 2>(b);
            put_pieces<T>(a, pairs, first, count, half - k, spectra + 2 * k, step);
            put_pieces<T>(b, pairs, first + 1, count, half - k, spectra + 2 * k, step);
        }
}

// Registers of rows first, first + 2, ..., zeros for absent rows and numbers.
template <class T>
PYRAD_INNER void take_pieces(const T *spectra, i64 step, i64 first, i64 count, i64 numbers,
                             Register<T> *x, i64 pairs) {
#pragma GCC unroll 8
    for (i64 p = 0; p < pairs; ++p) {
        x[p] = Register<T>{};
        if (first + 2 * p < count) {
            if (2 * numbers >= width<T>)
                x[p] = load(spectra + (first + 2 * p) * step);
            else
                std::memcpy(&x[p], spectra + (first + 2 * p) * step, 2 * numbers * sizeof(T));
        }
    }
}

template <class T> PYRAD_TARGET void join(const T *spectra, i64 step, i64 count, i64 n, T *line) {
    constexpr i64 w = width<T>, pairs = w / 2, batch = row_batch<T>;
    const Register<T> conjugate = signs<T>();
    const i64 half = n / 2 + 1;
    for (i64 first = 0; first < batch; first += w)
        for (i64 k = 0; k < half; k += pairs) {
            Register<T> a[pairs], b[pairs];
            take_pieces<T>(spectra + 2 * k, step, first, count, half - k, a, pairs);
            take_pieces<T>(spectra + 2 * k, step, first + 1, count, half - k, b, pairs);
            transpose<T, 2>(a);
            transpose<T, 2>(b);
#pragma GCC unroll 8
            for (i64 j = 0; j < pairs; ++j) {
                if (k + j >= half)
                    continue;
                const Register<T> turned = swapped<T>(conjugate * b[j]); // i B = -im, re
                const i64 mate = n - k - j;
                if (k + j > 0 && mate >= half) // conj A + i conj B
                    store(line + mate * batch + first, conjugate * (a[j] - turned));
                store(line + (k + j) * batch + first, a[j] + turned);
            }
        }
}

#undef PYRAD_INNER
