// Included by grappa_fill_x86.cpp once per instruction set; see pack_x86.hpp for its vocabulary.
// `vectors` registers of target coils for `together` cells at once. Per source coil the real and
// the imaginary part meet the same weights: sum = a + i b, a = sum re w, b = sum im w.

PYRAD_TARGET PYRAD_ALWAYS int reals_of(float) { return P::width; }
PYRAD_TARGET PYRAD_ALWAYS int reals_of(double) { return P::wide; }

template <class T, int vectors, int together>
PYRAD_TARGET void fill_cells(const FillPlan<T> &plan, i64 p, const i64 *cells, i64 column,
                             T *data) {
    using R = decltype(P::load(static_cast<const T *>(nullptr)));
    const int reals = reals_of(T(0));
    const i64 stride = 2 * plan.lanes;
    R a[together][vectors], b[together][vectors];
    for (int m = 0; m < together; ++m)
        for (int v = 0; v < vectors; ++v)
            a[m][v] = b[m][v] = P::all(T(0));
    const T *w = plan.weights + plan.begin[p] * plan.coils * stride + column;
    for (i64 s = plan.begin[p]; s < plan.begin[p + 1]; ++s) {
        const T *x[together];
        for (int m = 0; m < together; ++m)
            x[m] = data + (cells[m] + plan.offsets[s]) * stride;
        for (i64 i = 0; i < plan.coils; ++i, w += stride) {
            R by[vectors];
            for (int v = 0; v < vectors; ++v)
                by[v] = P::load(w + v * reals);
            for (int m = 0; m < together; ++m) {
                const R re = P::all(x[m][2 * i]), im = P::all(x[m][2 * i + 1]);
                for (int v = 0; v < vectors; ++v) {
                    a[m][v] = P::fma(re, by[v], a[m][v]);
                    b[m][v] = P::fma(im, by[v], b[m][v]);
                }
            }
        }
    }
    for (int m = 0; m < together; ++m)
        for (int v = 0; v < vectors; ++v)
            P::store(data + cells[m] * stride + column + v * reals, a[m][v] + times_i(b[m][v]));
}

template <class T, int vectors, int together>
PYRAD_TARGET void fill_column(const FillPlan<T> &plan, i64 p, const i64 *cells, i64 count,
                              i64 column, T *data) {
    i64 c = 0;
    for (; c + together <= count; c += together)
        fill_cells<T, vectors, together>(plan, p, cells + c, column, data);
    for (; c < count; ++c)
        fill_cells<T, vectors, 1>(plan, p, cells + c, column, data);
}

template <class T>
PYRAD_TARGET void fill_tile(const FillPlan<T> &plan, i64 p, const i64 *cells, i64 count, T *data) {
    const i64 reals = reals_of(T(0)), end = 2 * plan.lanes;
    i64 column = 0;
    if constexpr (most_vectors >= 4)
        for (; column + 4 * reals <= end; column += 4 * reals)
            fill_column<T, 4, accumulators / 8>(plan, p, cells, count, column, data);
    for (; column + 2 * reals <= end; column += 2 * reals)
        fill_column<T, 2, accumulators / 4>(plan, p, cells, count, column, data);
    for (; column < end; column += reals)
        fill_column<T, 1, accumulators / 2>(plan, p, cells, count, column, data);
}
