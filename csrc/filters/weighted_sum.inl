// The inner loop of convolve_axis.cpp for one instruction set; PYRAD_TARGET is its attribute.

template <class T>
PYRAD_TARGET void sum_rows(const T *last, i64 step, const T *taps, i64 count, i64 width, T *out) {
    typedef T Vector __attribute__((vector_size(64), aligned(alignof(T)), may_alias));
    constexpr i64 lanes = 64 / sizeof(T);
    const auto at = [](const T *p) PYRAD_TARGET -> const Vector & {
        return *reinterpret_cast<const Vector *>(p);
    };
    i64 c = 0;
    for (; c + 4 * lanes <= width; c += 4 * lanes) {
        Vector sum[4] = {};
        const T *row = last + c;
        for (i64 j = 0; j < count; ++j, row -= step) {
            sum[0] += taps[j] * at(row);
            sum[1] += taps[j] * at(row + lanes);
            sum[2] += taps[j] * at(row + 2 * lanes);
            sum[3] += taps[j] * at(row + 3 * lanes);
        }
        for (int k = 0; k < 4; ++k)
            *reinterpret_cast<Vector *>(out + c + k * lanes) = sum[k];
    }
    for (; c < width; ++c) {
        T sum = 0;
        for (i64 j = 0; j < count; ++j)
            sum += taps[j] * last[c - j * step];
        out[c] = sum;
    }
}
