// CUDA twin of mppca.cpp: one block of threads per window. The Gram matrix is reduced to
// tridiagonal form with one thread per row, each thread bisects for one eigenvalue, then finds and
// transforms back one vector. A launch takes windows `step` apart along each axis, so that those
// which are added up do not overlap. Matrices are double precision for any samples.
#include "denoise/mppca_eigen.cuh"

namespace {

using namespace pyrad;

// Of the windows along axis d, a launch takes first, first + step, ...
struct Box {
    i64 size[3], window[3], count[3], first[3], step[3];
    const i64 *origins[3], *owned[3];

    PYRAD_HD explicit Box(const i64 *table) {
        const i64 *lists = table + 15;
        for (int d = 0; d < 3; ++d) {
            size[d] = table[d];
            window[d] = table[3 + d];
            count[d] = table[6 + d];
            first[d] = table[9 + d];
            step[d] = table[12 + d];
            origins[d] = lists;
            owned[d] = lists + count[d];
            lists = owned[d] + count[d] + 1;
        }
    }
    PYRAD_HD i64 launched(int d) const { return (count[d] - first[d] + step[d] - 1) / step[d]; }
    PYRAD_HD i64 voxels() const { return size[0] * size[1] * size[2]; }
    PYRAD_HD i64 place(i64 z, i64 y, i64 x) const { return (z * size[1] + y) * size[2] + x; }
};

// (z, y) line `line` of the window, all volumes, into column[volume][x].
template <class S, class C>
__device__ void load_line(const C *dwi, int volumes, const Box &box, const i64 *origin, i64 line,
                          S *column) {
    const i64 width = box.window[2];
    const i64 z = origin[0] + line / box.window[1], y = origin[1] + line % box.window[1];
    const i64 at = box.place(z, y, origin[2]), voxels = box.voxels();
    for (i64 e = threadIdx.x; e < volumes * width; e += blockDim.x)
        column[e] = wide(dwi[e / width * voxels + at + e % width]);
}

// Lower triangle of sum_x column[i][x] conj(column[j][x]), over all lines.
template <class S, class C>
__device__ void volume_gram(const C *dwi, int volumes, const Box &box, const i64 *origin,
                            const Room<S> &room) {
    const int width = static_cast<int>(box.window[2]);
    for (int e = threadIdx.x; e < room.n * room.stride; e += blockDim.x)
        room.matrix[e] = S{};
    for (i64 line = 0; line < box.window[0] * box.window[1]; ++line) {
        __syncthreads();
        load_line(dwi, volumes, box, origin, line, room.column);
        __syncthreads();
        for (int i = 0; i < room.n; ++i)
            for (int j = threadIdx.x; j <= i; j += blockDim.x) {
                S sum = room.matrix[i * room.stride + j];
                for (int x = 0; x < width; ++x)
                    sum = sum + room.column[i * width + x] * conj(room.column[j * width + x]);
                room.matrix[i * room.stride + j] = sum;
            }
    }
}

PYRAD_HD i64 voxel_at(const Box &box, const i64 *origin, i64 p) {
    const i64 x = p % box.window[2], y = p / box.window[2] % box.window[1];
    const i64 z = p / (box.window[2] * box.window[1]);
    return box.place(origin[0] + z, origin[1] + y, origin[2] + x);
}

// Lower triangle of sum_v conj(x_i) x_j over volumes, for voxels i and j.
template <class S, class C>
__device__ void voxel_gram(const C *dwi, int volumes, const Box &box, const i64 *origin,
                           const Room<S> &room) {
    const i64 voxels = box.voxels();
    for (int i = 0; i < room.n; ++i)
        for (int j = threadIdx.x; j <= i; j += blockDim.x) {
            const C *a = dwi + voxel_at(box, origin, i), *b = dwi + voxel_at(box, origin, j);
            S sum{};
            for (i64 v = 0; v < volumes; ++v)
                sum = sum + conj(wide(a[v * voxels])) * wide(b[v * voxels]);
            room.matrix[i * room.stride + j] = sum;
        }
}

template <class C, class T> struct Target {
    C *out;
    T *sigma, *rank;
    double *weight; // sum of the windows' shares, or null: no average
};

PYRAD_HD void add(float &to, double x) { to += static_cast<float>(x); }
PYRAD_HD void add(double &to, double x) { to += x; }
PYRAD_HD void add(c64 &to, c128 x) {
    to = to + c64{static_cast<float>(x.re), static_cast<float>(x.im)};
}
PYRAD_HD void add(c128 &to, c128 x) { to = to + x; }

// Projection of one voxel; room.values holds the components' weights.
template <class S, class C, class T>
__device__ void project(const C *dwi, int volumes, const Box &box, const i64 *origin, bool dense,
                        i64 z, i64 y, i64 x, const Room<S> &room, const Noise &noise,
                        const Target<C, T> &target) {
    const i64 at = box.place(z, y, x), voxels = box.voxels();
    const int n = room.n, rank = noise.rank;
    const bool whole = rank == n;
    const double share = 1.0 / (1 + rank);
    __syncthreads();
    for (int i = threadIdx.x; i < n && !dense; i += blockDim.x)
        room.u[i] = wide(dwi[i * voxels + at]);
    __syncthreads();
    const int own = static_cast<int>(
        ((z - origin[0]) * box.window[1] + y - origin[1]) * box.window[2] + x - origin[2]);
    for (int t = threadIdx.x; t < rank && !whole; t += blockDim.x) {
        S dot{};
        if (dense)
            dot = conj(room.vectors[own * n + t]);
        else
            for (int i = 0; i < n; ++i)
                dot = dot + conj(room.vectors[i * n + t]) * room.u[i];
        room.p[t] = scaled(room.values[t], dot);
    }
    __syncthreads();
    for (int i = threadIdx.x; i < n && !whole; i += blockDim.x) {
        S sum{};
        for (int t = 0; t < rank; ++t)
            sum = sum + room.vectors[i * n + t] * room.p[t];
        room.u[i] = sum;
    }
    __syncthreads();
    for (i64 v = threadIdx.x; v < volumes; v += blockDim.x) {
        S value = whole ? wide(dwi[v * voxels + at]) : dense ? S{} : room.u[v];
        if (dense && !whole)
            for (int i = 0; i < n; ++i)
                value = value + wide(dwi[v * voxels + voxel_at(box, origin, i)]) * room.u[i];
        if (target.weight)
            add(target.out[v * voxels + at], scaled(share, value));
        else
            narrow(value, target.out[v * voxels + at]);
    }
    if (threadIdx.x == 0) {
        const double variance = noise.variance * sizeof(double) / sizeof(S);
        if (target.weight) {
            target.weight[at] += share;
            add(target.sigma[at], share * variance);
            add(target.rank[at], share * rank);
        } else {
            target.sigma[at] = static_cast<T>(sqrt(variance));
            target.rank[at] = static_cast<T>(rank);
        }
    }
}

// From and to: voxels whose results are wanted.
template <class S, class C, class T>
__device__ void window(const C *dwi, int volumes, const Box &box, const i64 *origin,
                       const i64 (&from)[3], const i64 (&to)[3], const u8 *mask,
                       const mppca::Rule &rule, const Room<S> &room, const Target<C, T> &target) {
    const bool dense = volumes > room.n;
    if (dense)
        voxel_gram(dwi, volumes, box, origin, room);
    else
        volume_gram(dwi, volumes, box, origin, room);
    tridiagonalise(room);
    const double trace = find_values(room);
    const Noise noise = find_noise(room.values, room.n, rule, trace);
    const bool whole = noise.rank == room.n;
    if (!whole) {
        find_vectors(room, noise.rank);
        transform_back(room, noise.rank);
    }
    for (int t = threadIdx.x; t < noise.rank && !whole; t += blockDim.x)
        room.values[t] = rule.shrinkage
                             ? sqrt(mppca::squared_shrinkage(room.values[t] * trace /
                                                                 (rule.longer * noise.variance),
                                                             room.n / rule.longer))
                             : 1.0;
    for (i64 z = from[0]; z < to[0]; ++z)
        for (i64 y = from[1]; y < to[1]; ++y)
            for (i64 x = from[2]; x < to[2]; ++x)
                if (!mask || mask[box.place(z, y, x)])
                    project(dwi, volumes, box, origin, dense, z, y, x, room, noise, target);
    __syncthreads();
}

template <class S, class C, class T>
__device__ void all_windows(const C *dwi, int volumes, int n, const i64 *table, const u8 *mask,
                            int masked, int exp2, int shrinkage, int average, double *scratch,
                            i64 scratch_numbers, C *out, T *sigma, T *rank, double *sums) {
    if (!masked)
        mask = nullptr;
    double *const weight = average ? sums : nullptr;
    PYRAD_DYNAMIC_SHARED(double, shared);
    const Box box(table);
    const Room<S> room(scratch_numbers ? scratch + blockIdx.x * scratch_numbers : shared, n);
    const i64 voxels = box.window[0] * box.window[1] * box.window[2];
    const double longer = static_cast<double>(volumes > voxels ? volumes : voxels);
    const mppca::Rule rule{longer, exp2 != 0, shrinkage != 0};
    const i64 ny = box.launched(1), nx = box.launched(2), count = box.launched(0) * ny * nx;
    for (i64 b = blockIdx.x; b < count; b += gridDim.x) {
        const i64 place[3] = {b / (ny * nx), b / nx % ny, b % nx};
        i64 origin[3], from[3], to[3];
        for (int d = 0; d < 3; ++d) {
            const i64 k = box.first[d] + place[d] * box.step[d];
            origin[d] = box.origins[d][k];
            from[d] = weight ? origin[d] : box.owned[d][k];
            to[d] = weight ? origin[d] + box.window[d] : box.owned[d][k + 1];
        }
        bool wanted = !mask;
        for (i64 z = from[0]; z < to[0] && !wanted; ++z)
            for (i64 y = from[1]; y < to[1] && !wanted; ++y)
                for (i64 x = from[2]; x < to[2] && !wanted; ++x)
                    wanted = mask[box.place(z, y, x)] != 0;
        if (wanted)
            window(dwi, volumes, box, origin, from, to, mask, rule, room,
                   Target<C, T>{out, sigma, rank, weight});
    }
}

} // namespace

PYRAD_KERNEL(mppca_f32)(const float *dwi, int volumes, int n, const pyrad::i64 *table,
                        const pyrad::u8 *mask, int masked, int exp2, int shrinkage, int average,
                        double *scratch, pyrad::i64 scratch_numbers, float *out, float *sigma,
                        float *rank, double *sums) {
    all_windows<double>(dwi, volumes, n, table, mask, masked, exp2, shrinkage, average, scratch,
                        scratch_numbers, out, sigma, rank, sums);
}

PYRAD_KERNEL(mppca_f64)(const double *dwi, int volumes, int n, const pyrad::i64 *table,
                        const pyrad::u8 *mask, int masked, int exp2, int shrinkage, int average,
                        double *scratch, pyrad::i64 scratch_numbers, double *out, double *sigma,
                        double *rank, double *sums) {
    all_windows<double>(dwi, volumes, n, table, mask, masked, exp2, shrinkage, average, scratch,
                        scratch_numbers, out, sigma, rank, sums);
}

PYRAD_KERNEL(mppca_c64)(const pyrad::c64 *dwi, int volumes, int n, const pyrad::i64 *table,
                        const pyrad::u8 *mask, int masked, int exp2, int shrinkage, int average,
                        double *scratch, pyrad::i64 scratch_numbers, pyrad::c64 *out, float *sigma,
                        float *rank, double *sums) {
    all_windows<pyrad::c128>(dwi, volumes, n, table, mask, masked, exp2, shrinkage, average,
                             scratch, scratch_numbers, out, sigma, rank, sums);
}

PYRAD_KERNEL(mppca_c128)(const pyrad::c128 *dwi, int volumes, int n, const pyrad::i64 *table,
                         const pyrad::u8 *mask, int masked, int exp2, int shrinkage, int average,
                         double *scratch, pyrad::i64 scratch_numbers, pyrad::c128 *out,
                         double *sigma, double *rank, double *sums) {
    all_windows<pyrad::c128>(dwi, volumes, n, table, mask, masked, exp2, shrinkage, average,
                             scratch, scratch_numbers, out, sigma, rank, sums);
}
