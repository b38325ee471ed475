// CUDA twin of local_pair_sums.cpp by summed-area tables: the pairs' weights of one offset are
// summed along x, y and z (modulo 2^64, where the sums of windows fit again), so that each window
// is eight corners. All sums are integers: the bits are those of the CPU.
#include "texture/pair_sums_math.hpp"

namespace {

using namespace pyrad;

constexpr unsigned all_lanes = 0xffffffffu;
constexpr int warp_size = 32;
constexpr int channel_count = pair_power_count + pair_difference_count;

// A slab of slices of the levels' volume, and the table of its prefix sums (channel, z, y, x).
struct Slab {
    i64 nz, ny, nx, voxels; // voxels: of the slab
    i64 first, volume_nz;   // its first slice, slices of the whole volume

    __device__ i64 at(i64 z, i64 y, i64 x) const { return (z * ny + y) * nx + x; }
};

// Weights of the pair (i, j), 0 if there is none.
__device__ void pair_weights(int i, int j, const i64 *by_difference, u64 *weights) {
    const bool pair = i && j;
    const u64 s = static_cast<u64>(i + j);
    u64 power = pair ? 1 : 0;
    for (int m = 0; m < pair_power_count; ++m)
        weights[m] = power *= s;
    const i64 *const row = by_difference + (i < j ? j - i : i - j) * pair_difference_count;
    for (int m = 0; m < pair_difference_count; ++m)
        weights[pair_power_count + m] = pair ? static_cast<u64>(row[m]) : 0;
}

// A warp takes a row.
template <class L>
__device__ void prefix_x(const L *levels, const Slab &slab, int step_z, int step_y, int step_x,
                         const i64 *by_difference, u64 *table) {
    const i64 row = static_cast<i64>(blockIdx.x) * blockDim.y + threadIdx.y;
    if (row >= slab.nz * slab.ny)
        return;
    const i64 z = row / slab.ny + slab.first, y = row % slab.ny;
    const bool row_pairs =
        z + step_z < slab.volume_nz && z + step_z >= 0 && y + step_y >= 0 && y + step_y < slab.ny;
    const i64 from = slab.at(z, y, 0), to = slab.at(z + step_z, y + step_y, step_x);
    u64 carry[channel_count] = {};
    for (i64 begin = 0; begin < slab.nx; begin += warp_size) {
        const i64 x = begin + threadIdx.x;
        const bool pairs = row_pairs && x < slab.nx && x + step_x >= 0 && x + step_x < slab.nx;
        u64 weights[channel_count];
        pair_weights(pairs ? levels[from + x] : 0, pairs ? levels[to + x] : 0, by_difference,
                     weights);
        for (int m = 0; m < channel_count; ++m) {
            u64 sum = weights[m];
            for (int k = 1; k < warp_size; k *= 2) {
                const u64 before = __shfl_up_sync(all_lanes, sum, k);
                sum += static_cast<int>(threadIdx.x) >= k ? before : 0;
            }
            sum += carry[m];
            carry[m] = __shfl_sync(all_lanes, sum, warp_size - 1);
            if (x < slab.nx)
                table[m * slab.voxels + row * slab.nx + x] = sum;
        }
    }
}

// Window of one offset: the table's corners relative to the centre, low not included.
struct Corners {
    int low[3], high[3];
};

struct Arguments {
    const i64 *centres;
    i64 count;
    Corners corners;
    PairWeights weights;
    int first, last, finish, ibsi; // first and last offset of a group; last of all
    u64 *sums;                     // (channel, centre) of groups of several offsets
    double *averages;              // (glcm_feature_count, centre), then groups and correlations
    double *out;                   // (centre, glcm_feature_count)
};

__device__ void window_sums(const Slab &slab, const u64 *table, i64 centre, const Corners &c,
                            u64 *sums) {
    const i64 x = centre % slab.nx, y = centre / slab.nx % slab.ny;
    const i64 z = centre / (slab.nx * slab.ny) - slab.first;
    for (int m = 0; m < channel_count; ++m)
        sums[m] = 0;
    for (int corner = 0; corner < 8; ++corner) {
        const int in_z = corner >> 2 & 1, in_y = corner >> 1 & 1, in_x = corner & 1;
        const i64 at_z = z + (in_z ? c.high[0] : c.low[0]);
        const i64 at_y = y + (in_y ? c.high[1] : c.low[1]);
        const i64 at_x = x + (in_x ? c.high[2] : c.low[2]);
        if (at_z < 0 || at_y < 0 || at_x < 0)
            continue;
        const u64 sign = (in_z + in_y + in_x) & 1 ? u64(1) : ~u64(0);
        const u64 *const at = table + slab.at(at_z, at_y, at_x);
        for (int m = 0; m < channel_count; ++m)
            sums[m] += sign * at[m * slab.voxels];
    }
}

__device__ void add_features(const u64 *sums, i64 c, const Arguments &a) {
    PairSums p;
    for (int m = 0; m < pair_power_count; ++m)
        p.power[m] = sums[m];
    for (int m = 0; m < pair_difference_count; ++m)
        p.difference[m] = static_cast<i64>(sums[pair_power_count + m]);
    if (p.difference[pair_count] == 0)
        return;
    double values[glcm_feature_count];
    for (int f = 0; f < glcm_feature_count; ++f)
        values[f] = 0;
    glcm_moment_features(glcm_sums(p, 0, a.weights), a.ibsi ? nan("") : 1.0, values);
    const bool correlated = values[glcm_correlation] == values[glcm_correlation];
    if (!correlated)
        values[glcm_correlation] = 0;
    for (int f = 0; f < glcm_feature_count; ++f)
        a.averages[f * a.count + c] += values[f];
    a.averages[glcm_feature_count * a.count + c] += 1;
    a.averages[(glcm_feature_count + 1) * a.count + c] += correlated;
}

// Features that need a histogram are NaN.
__device__ bool of_histograms(int feature) {
    return feature == glcm_difference_entropy || feature == glcm_joint_energy ||
           feature == glcm_joint_entropy || feature == glcm_imc1 || feature == glcm_imc2 ||
           feature == glcm_maximum_probability || feature == glcm_sum_entropy ||
           feature == glcm_mcc;
}

__device__ void write(i64 c, const Arguments &a) {
    for (int f = 0; f < glcm_feature_count; ++f) {
        const int row = glcm_feature_count + (f == glcm_correlation ? 1 : 0);
        const double n = a.averages[row * a.count + c];
        a.out[c * glcm_feature_count + f] =
            n > 0 && !of_histograms(f) ? a.averages[f * a.count + c] / n : nan("");
    }
}

} // namespace

#define PYRAD_PREFIX_X(L)                                                                          \
    const L *levels, long long nz, long long ny, long long nx, long long first,                    \
        long long volume_nz, int step_z, int step_y, int step_x, const long long *by_difference,   \
        unsigned long long *table

PYRAD_KERNEL(local_pair_prefix_x_u8)
(PYRAD_PREFIX_X(unsigned char)) {
    prefix_x(levels, Slab{nz, ny, nx, nz * ny * nx, first, volume_nz}, step_z, step_y, step_x,
             by_difference, table);
}

PYRAD_KERNEL(local_pair_prefix_x_u16)
(PYRAD_PREFIX_X(unsigned short)) {
    prefix_x(levels, Slab{nz, ny, nx, nz * ny * nx, first, volume_nz}, step_z, step_y, step_x,
             by_difference, table);
}

// In place along an axis of `length` samples `step` apart; blocks of `step` lines follow each
// other, a thread takes a line.
PYRAD_KERNEL(local_pair_prefix)(unsigned long long *table, long long lines, long long length,
                                long long step) {
    const i64 line = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (line >= lines)
        return;
    unsigned long long *at = table + line / step * (step * length) + line % step, sum = 0;
    for (i64 k = 0; k < length; ++k, at += step)
        *at = sum += *at;
}

// A thread takes a centre.
PYRAD_KERNEL(local_pair_features)
(const unsigned long long *table, long long nz, long long ny, long long nx, long long first,
 const long long *centres, long long count, int low_z, int low_y, int low_x, int high_z, int high_y,
 int high_x, double share_unit, int group_first, int group_last, int finish, int ibsi,
 unsigned long long *sums, double *averages, double *out) {
    const i64 c = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (c >= count)
        return;
    const Arguments a{centres,
                      count,
                      {{low_z, low_y, low_x}, {high_z, high_y, high_x}},
                      {nullptr, nullptr, nullptr, nullptr, 0.0, share_unit},
                      group_first,
                      group_last,
                      finish,
                      ibsi,
                      sums,
                      averages,
                      out};
    u64 own[channel_count];
    window_sums(Slab{nz, ny, nx, nz * ny * nx, first, 0}, table, centres[c], a.corners, own);
    if (!a.first)
        for (int m = 0; m < channel_count; ++m)
            own[m] += a.sums[m * count + c];
    if (!a.last)
        for (int m = 0; m < channel_count; ++m)
            a.sums[m * count + c] = own[m];
    else
        add_features(own, c, a);
    if (a.finish)
        write(c, a);
}
