// Included by grappa_products_x86.cpp once per instruction set; see pack_x86.hpp.

using D = P::D;

// Four coils i against one register of coils j, sums in registers over all cells.
template <int coils>
PYRAD_TARGET PYRAD_ALWAYS void add_outer_block(const double *a, const double *b, i64 cells,
                                               i64 padded, double *sum) {
    D re[coils], im[coils];
    for (int i = 0; i < coils; ++i) {
        re[i] = P::load(sum + 2 * i * padded);
        im[i] = P::load(sum + (2 * i + 1) * padded);
    }
    for (i64 u = 0; u < cells; ++u, a += 2 * padded, b += 2 * padded) {
        const D br = P::load(b), bi = P::load(b + padded);
        for (int i = 0; i < coils; ++i) {
            const D ar = P::all(a[i]), ai = P::all(a[padded + i]);
            re[i] = P::fma(ar, br, re[i]);
            im[i] = P::fma(ar, bi, im[i]);
            re[i] = P::fma(ai, bi, re[i]);
            im[i] = P::fnma(ai, br, im[i]);
        }
    }
    for (int i = 0; i < coils; ++i) {
        P::store(sum + 2 * i * padded, re[i]);
        P::store(sum + (2 * i + 1) * padded, im[i]);
    }
}

PYRAD_TARGET void add_outer(const double *a, const double *b, i64 cells, i64 coils, i64 padded,
                            double *sum) {
    i64 i = 0;
    for (; i + 4 <= coils; i += 4)
        for (i64 j = 0; j < padded; j += P::wide)
            add_outer_block<4>(a + i, b + j, cells, padded, sum + 2 * i * padded + j);
    for (; i < coils; ++i)
        for (i64 j = 0; j < padded; j += P::wide)
            add_outer_block<1>(a + i, b + j, cells, padded, sum + 2 * i * padded + j);
}

PYRAD_TARGET void eliminate(double *u, i64 width, i64 first) {
    for (i64 j = first / P::wide * P::wide; j < width; j += P::wide) {
        D re[product_rows], im[product_rows];
        for (int r = 0; r < product_rows; ++r) {
            re[r] = P::load(u + 2 * (first + r) * width + j);
            im[r] = P::load(u + (2 * (first + r) + 1) * width + j);
        }
        for (i64 l = 0; l < first; ++l) {
            const double *row = u + 2 * l * width;
            const D xr = P::load(row + j), xi = P::load(row + width + j);
            for (int r = 0; r < product_rows; ++r) {
                const D fr = P::all(row[first + r]), fi = P::all(row[width + first + r]);
                re[r] = P::fnma(fr, xr, re[r]);
                im[r] = P::fnma(fr, xi, im[r]);
                re[r] = P::fnma(fi, xi, re[r]);
                im[r] = P::fma(fi, xr, im[r]);
            }
        }
        for (int r = 0; r < product_rows; ++r) {
            P::store(u + 2 * (first + r) * width + j, re[r]);
            P::store(u + (2 * (first + r) + 1) * width + j, im[r]);
        }
    }
}
