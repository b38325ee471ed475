// CUDA's built-in vector types, with its alignments, and dim3.
#pragma once

#define PYRAD_EMU_VECTORS(base, T, align2, align4)                                                 \
    struct base##1 { T x; };                                                                       \
    struct alignas(align2) base##2 { T x, y; };                                                    \
    struct base##3 { T x, y, z; };                                                                 \
    struct alignas(align4) base##4 { T x, y, z, w; };                                              \
    inline base##1 make_##base##1(T x) { return {x}; }                                             \
    inline base##2 make_##base##2(T x, T y) { return {x, y}; }                                     \
    inline base##3 make_##base##3(T x, T y, T z) { return {x, y, z}; }                             \
    inline base##4 make_##base##4(T x, T y, T z, T w) { return {x, y, z, w}; }

PYRAD_EMU_VECTORS(char, signed char, 2, 4)
PYRAD_EMU_VECTORS(uchar, unsigned char, 2, 4)
PYRAD_EMU_VECTORS(short, short, 4, 8)
PYRAD_EMU_VECTORS(ushort, unsigned short, 4, 8)
PYRAD_EMU_VECTORS(int, int, 8, 16)
PYRAD_EMU_VECTORS(uint, unsigned int, 8, 16)
PYRAD_EMU_VECTORS(longlong, long long, 16, 16)
PYRAD_EMU_VECTORS(ulonglong, unsigned long long, 16, 16)
PYRAD_EMU_VECTORS(float, float, 8, 16)
PYRAD_EMU_VECTORS(double, double, 16, 16)
#undef PYRAD_EMU_VECTORS

struct dim3 {
    unsigned int x = 1, y = 1, z = 1;
    dim3(unsigned int x = 1, unsigned int y = 1, unsigned int z = 1) : x(x), y(y), z(z) {}
};
