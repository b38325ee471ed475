// CUDA twin of grappa_patterns.cpp's codes: one thread per missing cell writes the binary number of
// its measured neighbours, [word][missing]; sorting is the launcher's.
#include "base/portable.hpp"

PYRAD_KERNEL(grappa_codes)(const unsigned char *mask, long long nz, long long ny, long long nx,
                           int kz, int ky, int kx, const long long *missing, long long count,
                           int words, unsigned long long *codes) {
    const long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= count)
        return;
    const long long cell = missing[i];
    const long long x = cell % nx - kx / 2, y = cell / nx % ny - ky / 2,
                    z = cell / nx / ny - kz / 2;
    unsigned long long code = 0;
    int bit = 0, word = 0;
    for (int dz = 0; dz < kz; ++dz)
        for (int dy = 0; dy < ky; ++dy)
            for (int dx = 0; dx < kx; ++dx) {
                const long long cz = z + dz, cy = y + dy, cx = x + dx;
                if (cz >= 0 && cz < nz && cy >= 0 && cy < ny && cx >= 0 && cx < nx &&
                    mask[(cz * ny + cy) * nx + cx] != 0)
                    code |= 1ull << bit;
                if (++bit == 64) {
                    codes[word++ * count + i] = code;
                    code = 0;
                    bit = 0;
                }
            }
    if (bit > 0)
        codes[word * count + i] = code;
}
