// CUDA twin of sphere_means.cpp: one thread per voxel of the region adds the chords of its
// neighbourhood from running sums along x (made by the launcher, `reach` values beyond both ends).
#include "base/portable.hpp"

PYRAD_KERNEL(sphere_means)
(const double *sums, const int *number, long long nz, long long ny, long long width,
 const long long *at, long long size, const int *chords, int count, long long reach, double *out) {
    using namespace pyrad;
    const i64 jump = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 k = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += jump) {
        const i64 z = at[3 * k], y = at[3 * k + 1], x = at[3 * k + 2] + reach;
        double total = 0;
        int known = 0;
        for (int c = 0; c < count; ++c) {
            const i64 cz = z + chords[3 * c], cy = y + chords[3 * c + 1], h = chords[3 * c + 2];
            if (cz < 0 || cz >= nz || cy < 0 || cy >= ny)
                continue;
            const i64 row = (cz * ny + cy) * width + x;
            total += sums[row + h + 1] - sums[row - h];
            known += number[row + h + 1] - number[row - h];
        }
        out[k] = total / known;
    }
}
