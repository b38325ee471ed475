// CUDA twin of nlm.cpp. A block of threads owns 32 x 8 columns of `depth` voxels along z, with the
// sums in registers, and walks through all offsets of the search window. For one offset and plane
// the squared differences of the tile and its margin go to shared memory, are summed along x, then
// along y by each thread, and are added to those of its voxels whose patch holds the plane.
// No two threads add to one voxel: no atomics, same bits in every run.
#include "denoise/nlm_math.hpp"

namespace pyrad::nlm {
namespace {

constexpr int tile_x = 32, tile_y = 8, depth = 4;

template <class T> struct Volume {
    long long nz, ny, nx; // of the image
    Radius patch, search;
    const T *image; // mirrored by the patch radius on every side
    const T *values;
    const T *variance; // a noise level per voxel, or not read
    bool has_variance;

    __device__ long long wide() const { return nx + 2 * patch.x; }
    __device__ long long high() const { return ny + 2 * patch.y; }
    __device__ long long deep() const { return nz + 2 * patch.z; }
    __device__ long long at(long long z, long long y, long long x) const {
        return (z * ny + y) * nx + x;
    }
    // Mirrored image at a voxel up to the patch radius outside; 0 farther away.
    __device__ T mirrored(long long z, long long y, long long x) const {
        z += patch.z, y += patch.y, x += patch.x;
        const bool inside = z >= 0 && y >= 0 && x >= 0 && z < deep() && y < high() && x < wide();
        return inside ? image[(z * high() + y) * wide() + x] : T(0);
    }
};

struct Tile {
    long long z, y, x; // its first voxel
    int thread, threads;
};

// Sum over x and y of the squared differences of plane z, at this thread's column.
template <class T>
__device__ T plane_sum(const Volume<T> &volume, const Tile &tile, long long z, Radius offset,
                       T *squares, T *sums) {
    const int ry = static_cast<int>(volume.patch.y), rx = static_cast<int>(volume.patch.x);
    const int wide = tile_x + 2 * rx, high = tile_y + 2 * ry;
    for (int k = tile.thread; k < wide * high; k += tile.threads) {
        const long long y = tile.y + k / wide - ry, x = tile.x + k % wide - rx;
        const T difference =
            volume.mirrored(z + offset.z, y + offset.y, x + offset.x) - volume.mirrored(z, y, x);
        squares[k] = difference * difference;
    }
    __syncthreads();
    for (int k = tile.thread; k < tile_x * high; k += tile.threads) {
        const T *row = squares + k / tile_x * wide + k % tile_x;
        T sum = row[0];
        for (int i = 1; i <= 2 * rx; ++i)
            sum += row[i];
        sums[k] = sum;
    }
    __syncthreads();
    T sum = 0;
    for (int i = 0; i <= 2 * ry; ++i)
        sum += sums[(threadIdx.y + i) * tile_x + threadIdx.x];
    return sum;
}

// Adds the pairs (i, i + offset) to the sums of this thread's voxels.
template <class T>
__device__ void add_offset(const Volume<T> &volume, const Tile &tile, Radius offset,
                           const Strength<T> &strength, T *squares, T *sums, T *numerator,
                           T *denominator) {
    T distance[depth] = {};
    const int rz = static_cast<int>(volume.patch.z);
    for (int plane = -rz; plane < depth + rz; ++plane) {
        const T sum = plane_sum(volume, tile, tile.z + plane, offset, squares, sums);
        for (int k = 0; k < depth; ++k)
            if (plane - k >= -rz && plane - k <= rz)
                distance[k] += sum;
    }
    const long long y = tile.y + threadIdx.y, x = tile.x + threadIdx.x;
    const long long other_y = y + offset.y, other_x = x + offset.x;
    const bool valid = y < volume.ny && x < volume.nx && other_y >= 0 && other_y < volume.ny &&
                       other_x >= 0 && other_x < volume.nx;
    for (int k = 0; k < depth; ++k) {
        const long long z = tile.z + k, other_z = z + offset.z;
        if (!valid || z >= volume.nz || other_z < 0 || other_z >= volume.nz)
            continue;
        const long long i = volume.at(z, y, x), j = volume.at(other_z, other_y, other_x);
        const T w = volume.has_variance
                        ? weight(distance[k], strength, volume.variance[i], volume.variance[j])
                        : weight(distance[k], strength);
        numerator[k] += w * (volume.values[j] - volume.values[i]);
        denominator[k] += w;
    }
}

__device__ bool meets(long long first, long long count, long long offset, long long n) {
    return first + count - 1 + offset >= 0 && first + offset < n;
}

template <class T>
__device__ void filter(const Volume<T> &volume, const Strength<T> &strength, T *shared, T *out) {
    const Tile tile{static_cast<long long>(blockIdx.z) * depth,
                    static_cast<long long>(blockIdx.y) * tile_y,
                    static_cast<long long>(blockIdx.x) * tile_x,
                    static_cast<int>(threadIdx.y * tile_x + threadIdx.x), tile_x * tile_y};
    T *squares = shared;
    T *sums = squares + (tile_x + 2 * volume.patch.x) * (tile_y + 2 * volume.patch.y);
    T numerator[depth] = {}, denominator[depth];
    for (int k = 0; k < depth; ++k)
        denominator[k] = 1;
    const Radius search = volume.search;
    for (long long dz = -search.z; dz <= search.z; ++dz)
        for (long long dy = -search.y; dy <= search.y; ++dy)
            for (long long dx = -search.x; dx <= search.x; ++dx) {
                const bool centre = dz == 0 && dy == 0 && dx == 0;
                if (!centre && meets(tile.z, depth, dz, volume.nz) &&
                    meets(tile.y, tile_y, dy, volume.ny) && meets(tile.x, tile_x, dx, volume.nx))
                    add_offset(volume, tile, {dz, dy, dx}, strength, squares, sums, numerator,
                               denominator);
            }
    const long long y = tile.y + threadIdx.y, x = tile.x + threadIdx.x;
    for (int k = 0; k < depth; ++k)
        if (y < volume.ny && x < volume.nx && tile.z + k < volume.nz) {
            const long long i = volume.at(tile.z + k, y, x);
            out[i] = volume.values[i] + numerator[k] / denominator[k];
        }
}

} // namespace
} // namespace pyrad::nlm

PYRAD_KERNEL(nlm_f32)(const float *image, const float *values, const float *variance,
                      int has_variance, float *out, long long nz, long long ny, long long nx,
                      long long pz, long long py, long long px, long long sz, long long sy,
                      long long sx, double sigma, double h, double factor) {
    PYRAD_DYNAMIC_SHARED(float, shared);
    const double patch = static_cast<double>((2 * pz + 1) * (2 * py + 1) * (2 * px + 1));
    const pyrad::nlm::Volume<float> volume{nz,    ny,     nx,       {pz, py, px},     {sz, sy, sx},
                                           image, values, variance, has_variance != 0};
    pyrad::nlm::filter<float>(volume, pyrad::nlm::strength<float>(patch, sigma, h, factor), shared,
                              out);
}

PYRAD_KERNEL(nlm_f64)(const double *image, const double *values, const double *variance,
                      int has_variance, double *out, long long nz, long long ny, long long nx,
                      long long pz, long long py, long long px, long long sz, long long sy,
                      long long sx, double sigma, double h, double factor) {
    PYRAD_DYNAMIC_SHARED(double, shared);
    const double patch = static_cast<double>((2 * pz + 1) * (2 * py + 1) * (2 * px + 1));
    const pyrad::nlm::Volume<double> volume{nz,    ny,     nx,       {pz, py, px},     {sz, sy, sx},
                                            image, values, variance, has_variance != 0};
    pyrad::nlm::filter<double>(volume, pyrad::nlm::strength<double>(patch, sigma, h, factor),
                               shared, out);
}
