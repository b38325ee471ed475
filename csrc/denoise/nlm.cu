// CUDA twin of nlm.cpp. A block of threads owns 32 x 8 columns of `depth` voxels along z, with the
// sums in registers, and walks through all offsets of the search window. For one offset and plane
// the squared differences of the tile and its margin go to shared memory and are summed along x;
// each thread sums along y and adds to the distances, in registers, of one or two columns of
// centres. Their weights go to shared memory, where each thread finds those around its voxels.
// No two threads add to one voxel: no atomics, same bits in every run.
#include "denoise/nlm_math.hpp"

namespace pyrad::nlm {
namespace {

constexpr int tile_x = 32, tile_y = 8, depth = 8;
constexpr int threads = tile_x * tile_y;
constexpr int centres = depth + 2; // of a column, with those beside the tile
constexpr int columns = 2;         // of centres per thread: (tile_x + 2) (tile_y + 2) <= 2 threads

// `image` has margins for every tile, patch and offset: mirrored by the patch's radius, then zeros.
template <class T> struct Volume {
    int nz, ny, nx;
    int patch_z, patch_y, patch_x, search_z, search_y, search_x;
    int spread_z, spread_y, spread_x; // 1 where weights are summed over neighbours
    int high, wide;                   // rows of a plane and elements of a row of `image`
    const T *image;                   // first voxel
    const T *values;
    const T *variance; // a noise level per voxel, or not read
    bool has_variance;

    __device__ long long at(int z, int y, int x) const {
        return (static_cast<long long>(z) * ny + y) * nx + x;
    }
    __device__ bool holds(int z, int y, int x) const {
        return z >= 0 && z < nz && y >= 0 && y < ny && x >= 0 && x < nx;
    }
    __device__ int weights_wide() const { return tile_x + 2 * spread_x; }
    __device__ int weights_high() const { return tile_y + 2 * spread_y; }
};

struct Tile {
    int z, y, x, planes; // its first voxel, and how many planes are in the image
    int thread;
};

struct Offset {
    int z, y, x;
};

template <class T> struct Shared {
    T *squares, *sums, *weights;
};

// Squared differences of one plane, summed along x; ends with a barrier.
template <class T>
__device__ void sum_along_x(const Volume<T> &v, const Tile &tile, int z, Offset offset,
                            const Shared<T> &shared) {
    const int out_wide = v.weights_wide(), wide = out_wide + 2 * v.patch_x;
    const int high = v.weights_high() + 2 * v.patch_y;
    const long long first =
        (static_cast<long long>(z) * v.high + tile.y - v.spread_y - v.patch_y) * v.wide + tile.x -
        v.spread_x - v.patch_x;
    const T *a = v.image + first;
    const T *b = a + (static_cast<long long>(offset.z) * v.high + offset.y) * v.wide + offset.x;
    for (int k = tile.thread; k < wide * high; k += threads) {
        const int row = k / wide, at = row * v.wide + k - row * wide;
        const T difference = b[at] - a[at];
        shared.squares[k] = difference * difference;
    }
    __syncthreads();
    for (int k = tile.thread; k < out_wide * high; k += threads) {
        const int row = k / out_wide;
        const T *from = shared.squares + row * wide + k - row * out_wide;
        T sum = from[0];
        for (int i = 1; i <= 2 * v.patch_x; ++i)
            sum += from[i];
        shared.sums[k] = sum;
    }
    __syncthreads();
}

// Weights of all centres of the tile and around it; ends with a barrier.
template <class T>
__device__ void weigh(const Volume<T> &v, const Strength<T> &strength, const Tile &tile,
                      Offset offset, const Shared<T> &shared) {
    const int wide = v.weights_wide(), count = wide * v.weights_high();
    T distance[columns][centres] = {};
    for (int plane = -v.spread_z - v.patch_z; plane < tile.planes + v.spread_z + v.patch_z;
         ++plane) {
        sum_along_x(v, tile, tile.z + plane, offset, shared);
        for (int m = 0; m < columns; ++m) {
            const int column = tile.thread + m * threads;
            if (column >= count)
                continue;
            T sum = shared.sums[column];
            for (int i = 1; i <= 2 * v.patch_y; ++i)
                sum += shared.sums[column + i * wide];
            for (int k = 0; k < centres; ++k)
                if (plane - k + v.spread_z >= -v.patch_z && plane - k + v.spread_z <= v.patch_z)
                    distance[m][k] += sum;
        }
    }
    for (int m = 0; m < columns; ++m) {
        const int column = tile.thread + m * threads;
        if (column >= count)
            continue;
        const int y = tile.y + column / wide - v.spread_y, x = tile.x + column % wide - v.spread_x;
        for (int k = 0; k < centres; ++k) {
            const int z = tile.z + k - v.spread_z;
            const int pz = z + offset.z, py = y + offset.y, px = x + offset.x;
            T w = 0;
            if (v.holds(z, y, x) && v.holds(pz, py, px))
                w = v.has_variance ? weight(distance[m][k], strength, v.variance[v.at(z, y, x)],
                                            v.variance[v.at(pz, py, px)])
                                   : weight(distance[m][k], strength);
            shared.weights[k * count + column] = w;
        }
    }
    __syncthreads();
}

// g summed weights of one plane of centres around this thread's column.
template <class T> __device__ T spread(const Volume<T> &v, const T *weights) {
    constexpr T side = T(spread_side);
    const int wide = v.weights_wide();
    const T *at = weights + threadIdx.y * wide + threadIdx.x;
    if (!v.spread_x && !v.spread_y)
        return at[0];
    T sum = 0;
    for (int i = -v.spread_y; i <= v.spread_y; ++i) {
        const T *row = at + (i + v.spread_y) * wide + v.spread_x;
        const T rows = v.spread_x ? row[0] + side * (row[-1] + row[1]) : row[0];
        sum += i ? side * rows : rows;
    }
    return sum;
}

// Adds the pairs (i, i + offset) to the sums of this thread's voxels.
template <class T>
__device__ void add_offset(const Volume<T> &v, const Tile &tile, Offset offset,
                           const Shared<T> &shared, T *numerator, T *denominator) {
    constexpr T side = T(spread_side);
    const int count = v.weights_wide() * v.weights_high();
    const int y = tile.y + threadIdx.y, x = tile.x + threadIdx.x;
    T sums[centres];
    for (int k = 0; k < centres; ++k)
        sums[k] = spread(v, shared.weights + k * count);
    for (int k = 0; k < depth; ++k) {
        const int z = tile.z + k;
        const int pz = z + offset.z, py = y + offset.y, px = x + offset.x;
        if (!v.holds(z, y, x) || !v.holds(pz, py, px))
            continue;
        const T w = v.spread_z ? sums[k + 1] + side * (sums[k] + sums[k + 2]) : sums[k];
        numerator[k] += w * (v.values[v.at(pz, py, px)] - v.values[v.at(z, y, x)]);
        denominator[k] += w;
    }
}

__device__ bool meets(int first, int count, int offset, int n) {
    return first + count - 1 + offset >= 0 && first + offset < n;
}

template <class T> __device__ T own_weight(bool wanted, int i, int n) {
    return wanted ? 1 + T(spread_side) * ((i > 0) + (i < n - 1)) : T(1);
}

template <class T>
__device__ void filter(const Volume<T> &v, const Strength<T> &strength, const Tile &tile, T *memory,
                       T *out) {
    Shared<T> shared;
    shared.squares = memory;
    const int rows = v.weights_high() + 2 * v.patch_y;
    shared.sums = shared.squares + (v.weights_wide() + 2 * v.patch_x) * rows;
    shared.weights = shared.sums + v.weights_wide() * rows;
    const int y = tile.y + threadIdx.y, x = tile.x + threadIdx.x;
    T numerator[depth] = {}, denominator[depth];
    for (int k = 0; k < depth; ++k)
        denominator[k] = own_weight<T>(v.spread_z, tile.z + k, v.nz) *
                         own_weight<T>(v.spread_y, y, v.ny) * own_weight<T>(v.spread_x, x, v.nx);
    for (int dz = -v.search_z; dz <= v.search_z; ++dz)
        for (int dy = -v.search_y; dy <= v.search_y; ++dy)
            for (int dx = -v.search_x; dx <= v.search_x; ++dx) {
                if ((dz == 0 && dy == 0 && dx == 0) || !meets(tile.z, depth, dz, v.nz) ||
                    !meets(tile.y, tile_y, dy, v.ny) || !meets(tile.x, tile_x, dx, v.nx))
                    continue;
                weigh(v, strength, tile, {dz, dy, dx}, shared);
                add_offset(v, tile, {dz, dy, dx}, shared, numerator, denominator);
            }
    for (int k = 0; k < depth; ++k)
        if (v.holds(tile.z + k, y, x)) {
            const long long i = v.at(tile.z + k, y, x);
            out[i] = v.values[i] + numerator[k] / denominator[k];
        }
}

// sizes: nz ny nx, patch z y x, search z y x, spread z y x, rows of a padded plane, elements of a
// padded row, first voxel of a padded volume, elements of a padded volume
template <class T>
__device__ void run(const T *image, const T *values, const T *variance, int has_variance,
                    long long variance_step, const double *sigma, T *out, const long long *sizes,
                    double h, double factor, T *shared) {
    const auto size = [&](int k) { return static_cast<int>(sizes[k]); };
    const int nz = size(0), slabs = (nz + depth - 1) / depth;
    const long long volume = blockIdx.z / slabs;
    const long long voxels = static_cast<long long>(nz) * size(1) * size(2);
    const Volume<T> v{nz,
                      size(1),
                      size(2),
                      size(3),
                      size(4),
                      size(5),
                      size(6),
                      size(7),
                      size(8),
                      size(9),
                      size(10),
                      size(11),
                      size(12),
                      size(13),
                      image + volume * sizes[15] + sizes[14],
                      values + volume * voxels,
                      variance + volume * variance_step,
                      has_variance != 0};
    const int z = static_cast<int>(blockIdx.z % slabs) * depth;
    const Tile tile{z, static_cast<int>(blockIdx.y) * tile_y, static_cast<int>(blockIdx.x) * tile_x,
                    nz - z < depth ? nz - z : depth,
                    static_cast<int>(threadIdx.y * tile_x + threadIdx.x)};
    const double patch =
        static_cast<double>((2 * v.patch_z + 1) * (2 * v.patch_y + 1)) * (2 * v.patch_x + 1);
    const double level = has_variance ? 0.0 : sigma[volume];
    filter<T>(v, strength<T>(patch, level, h, factor), tile, shared, out + volume * voxels);
}

} // namespace
} // namespace pyrad::nlm

PYRAD_KERNEL(nlm_f32)(const float *image, const float *values, const float *variance,
                      int has_variance, long long variance_step, const double *sigma, float *out,
                      const long long *sizes, double h, double factor) {
    PYRAD_DYNAMIC_SHARED(float, shared);
    pyrad::nlm::run<float>(image, values, variance, has_variance, variance_step, sigma, out, sizes,
                           h, factor, shared);
}

PYRAD_KERNEL(nlm_f64)(const double *image, const double *values, const double *variance,
                      int has_variance, long long variance_step, const double *sigma, double *out,
                      const long long *sizes, double h, double factor) {
    PYRAD_DYNAMIC_SHARED(double, shared);
    pyrad::nlm::run<double>(image, values, variance, has_variance, variance_step, sigma, out, sizes,
                            h, factor, shared);
}
