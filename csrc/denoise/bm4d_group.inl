// The blocks' transforms for one instruction set (bm4d_group.cpp): `lanes` blocks side by side,
// in place, one axis after the other.

// x[j] -> sum over j of matrix[i][j] x[j] along one axis; voxels `step` apart.
template <class T, int edge>
PYRAD_TARGET inline void transform_line(T *x, i64 step, const T *matrix) {
    typedef T V __attribute__((vector_size(bytes), may_alias));
    constexpr i64 width = bytes / sizeof(T);
    for (i64 k = 0; k < lanes; k += width) {
        V in[edge];
#pragma GCC unroll 8
        for (int j = 0; j < edge; ++j)
            in[j] = *reinterpret_cast<const V *>(x + j * step * lanes + k);
#pragma GCC unroll 8
        for (int i = 0; i < edge; ++i) {
            V sum = matrix[i * edge] * in[0];
#pragma GCC unroll 8
            for (int j = 1; j < edge; ++j)
                sum = sum + matrix[i * edge + j] * in[j];
            *reinterpret_cast<V *>(x + i * step * lanes + k) = sum;
        }
    }
}

template <class T> PYRAD_TARGET void transform_squares(T *x, const T *matrix, i64 count) {
    for (i64 h = 0; h * lanes < count; ++h, x += voxels * lanes) {
        for (i64 i = 0; i < 8; ++i)
            transform_line<T, 8>(x + 8 * i * lanes, 1, matrix);
        for (i64 i = 0; i < 8; ++i)
            transform_line<T, 8>(x + i * lanes, 8, matrix);
    }
}

template <class T> PYRAD_TARGET void transform_cubes(T *x, const T *matrix, i64 count) {
    for (i64 h = 0; h * lanes < count; ++h, x += voxels * lanes) {
        for (i64 i = 0; i < 16; ++i)
            transform_line<T, 4>(x + 4 * i * lanes, 1, matrix);
        for (i64 i = 0; i < 16; ++i)
            transform_line<T, 4>(x + (i / 4 * 16 + i % 4) * lanes, 4, matrix);
        for (i64 i = 0; i < 16; ++i)
            transform_line<T, 4>(x + i * lanes, 16, matrix);
    }
}

template <class T> PYRAD_TARGET void transform(T *x, i64 edge, const T *matrix, i64 count) {
    if (edge == 8)
        transform_squares(x, matrix, count);
    else
        transform_cubes(x, matrix, count);
}
