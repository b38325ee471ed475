// Differences of many candidates from a reference block, for one instruction set (bm4d_match.cpp):
// one voxel of the reference against as many neighbours in memory as there are lanes, with
// `rows` x `chunks` sums in registers.

template <class T, int rows, int chunks> PYRAD_TARGET void compare_some(const Candidates<T> &c) {
    constexpr int lanes = bytes / sizeof(T);
    typedef T V __attribute__((vector_size(bytes)));
    typedef T Unaligned __attribute__((vector_size(bytes), aligned(sizeof(T)), may_alias));
    for (int row = 0; row < together; row += rows)
        for (int begin = 0; begin < c.count; begin += lanes * chunks) {
            V sum[rows][chunks] = {};
            for (i64 z = 0; z < c.block[0]; ++z)
                for (i64 y = 0; y < c.block[1]; ++y) {
                    const T *reference = c.reference + z * c.plane + y * c.line;
                    const T *other = c.first + z * c.plane + (row + y) * c.line + begin;
                    for (i64 x = 0; x < c.block[2]; ++x)
#pragma GCC unroll 8
                        for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
                            for (int k = 0; k < chunks; ++k) {
                                const T *at = other + r * c.line + x + k * lanes;
                                const V d = reference[x] - *reinterpret_cast<const Unaligned *>(at);
                                sum[r][k] = sum[r][k] + d * d;
                            }
                }
            for (int r = 0; r < rows; ++r)
                for (int k = 0; k < chunks; ++k) {
                    const int x = begin + k * lanes;
                    const V far = sum[r][k] - c.expected, key = far < T(0) ? -far : far;
                    *reinterpret_cast<Unaligned *>(c.keys + (row + r) * widest + x) = key;
                    const V limit = V{} + c.limit;
                    c.near[row + r] |= static_cast<u64>(below(key, limit)) << x;
                }
        }
}

template <class T> PYRAD_TARGET void compare(const Candidates<T> &c) {
    constexpr int lanes = bytes / sizeof(T);
    if (c.count <= lanes)
        compare_some<T, 6, 1>(c);
    else if (c.count <= 2 * lanes)
        compare_some<T, 3, 2>(c);
    else
        compare_some<T, 2, 3>(c);
}
