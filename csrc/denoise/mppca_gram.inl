// Gram matrices: products of lines of voxels, summed over windows.

PYRAD_TARGET inline Vector eight(const double *p) {
    return *reinterpret_cast<const Unaligned *>(p);
}

// One or two rows i of the products, so that what column j reads serves both.
template <int Rows, int Parts>
PYRAD_TARGET inline void product_rows(const double *lines, int depth, int n, int columns, int i,
                                      double *products) {
    const i64 volume = static_cast<i64>(Parts) * columns, plane = n * volume;
    for (int column = 0; column < columns; column += lanes)
        for (int j = 0; j < i + Rows; ++j) {
            Vector re[Rows] = {}, im[Rows] = {};
            const double *from = lines + column;
            for (int z = 0; z < depth; ++z, from += plane) {
                const double *column_j = from + j * volume, *column_i = from + i * volume;
                const Vector b = eight(column_j), b_im = eight(column_j + (volume - columns));
                for (int r = 0; r < Rows; ++r, column_i += volume) {
                    const Vector a = eight(column_i);
                    re[r] += a * b;
                    if (Parts == 2) {
                        const Vector a_im = eight(column_i + columns);
                        re[r] += a_im * b_im;
                        im[r] += a_im * b;
                        im[r] -= a * b_im;
                    }
                }
            }
            for (int r = 0; r < Rows; ++r) {
                const i64 row = i + r;
                if (j > row)
                    continue;
                double *to = products + (row * (row + 1) / 2 + j) * volume + column;
                *reinterpret_cast<Unaligned *>(to) = re[r];
                if (Parts == 2)
                    *reinterpret_cast<Unaligned *>(to + columns) = im[r];
            }
        }
}

PYRAD_TARGET void line_products(const double *lines, int depth, int n, int parts, int columns,
                                double *products) {
    for (int i = 0; i < n; i += 2) {
        const bool pair = i + 1 < n;
        if (parts == 1 && pair)
            product_rows<2, 1>(lines, depth, n, columns, i, products);
        else if (parts == 1)
            product_rows<1, 1>(lines, depth, n, columns, i, products);
        else if (pair)
            product_rows<2, 2>(lines, depth, n, columns, i, products);
        else
            product_rows<1, 2>(lines, depth, n, columns, i, products);
    }
}

PYRAD_TARGET void column_sums(const double *products, i64 entries, int columns, int width,
                              double *sums) {
    for (i64 e = 0; e < entries; ++e, products += columns) {
        Vector sum = *reinterpret_cast<const Unaligned *>(products);
        for (int k = 1; k < width; ++k)
            sum += *reinterpret_cast<const Unaligned *>(products + k);
        *reinterpret_cast<Vector *>(sums + e * lanes) = sum;
    }
}

PYRAD_TARGET void row_sums(const double *const *rows, int count, i64 entries, double *matrix) {
    for (i64 e = 0; e < entries; ++e) {
        Vector sum = *reinterpret_cast<const Vector *>(rows[0] + e * lanes);
        for (int k = 1; k < count; ++k)
            sum += *reinterpret_cast<const Vector *>(rows[k] + e * lanes);
        *reinterpret_cast<Vector *>(matrix + e * lanes) = sum;
    }
}

// Entries (i, j) to (i + Rows - 1, j + 1); what lies above the diagonal is not stored.
template <int Rows, class S>
PYRAD_TARGET inline void gram_block(const S *samples, int length, int i, int j, S *matrix) {
    const S *a = samples + static_cast<i64>(i) * length,
            *b = samples + static_cast<i64>(j) * length;
    S sum[Rows][Rows] = {};
    for (int v = 0; v < length; ++v)
        for (int r = 0; r < Rows; ++r)
            for (int c = 0; c < Rows; ++c)
                sum[r][c] = sum[r][c] + conj(a[r * length + v]) * b[c * length + v];
    for (i64 r = 0; r < Rows; ++r)
        for (int c = 0; c < Rows && j + c <= i + r; ++c)
            matrix[(i + r) * (i + r + 1) / 2 + j + c] = sum[r][c];
}

template <class S>
PYRAD_TARGET inline void gram_of(const S *samples, int n, int length, S *matrix) {
    const int even = n / 2 * 2;
    for (int i = 0; i < even; i += 2)
        for (int j = 0; j <= i; j += 2)
            gram_block<2>(samples, length, i, j, matrix);
    for (int j = 0; even < n && j < n; ++j)
        gram_block<1>(samples, length, even, j, matrix);
}

PYRAD_TARGET void dense_gram(const double *samples, int n, int length, int parts, double *matrix) {
    if (parts == 1)
        gram_of(reinterpret_cast<const Vector *>(samples), n, length, as<Vector>(matrix));
    else
        gram_of(reinterpret_cast<const Pair *>(samples), n, length, as<Pair>(matrix));
}

// out[v] = sum_i samples[i][v] z[i]
template <class S>
PYRAD_TARGET inline void mix_of(const S *samples, int n, int length, const S *z, S *out) {
    for (int v = 0; v < length; ++v)
        out[v] = S{};
    for (int i = 0; i < n; ++i, samples += length)
        for (int v = 0; v < length; ++v)
            out[v] = out[v] + samples[v] * z[i];
}

PYRAD_TARGET void mix(const double *samples, int n, int length, int parts, const double *z,
                      double *out) {
    if (parts == 1)
        mix_of(reinterpret_cast<const Vector *>(samples), n, length,
               reinterpret_cast<const Vector *>(z), as<Vector>(out));
    else
        mix_of(reinterpret_cast<const Pair *>(samples), n, length,
               reinterpret_cast<const Pair *>(z), as<Pair>(out));
}
