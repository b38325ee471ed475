// CUDA twin of local_glcm.cpp: a warp takes 32 centres that follow each other and, one direction
// after the other, moves the window along them; its lanes take the pairs of a plane. Counters
// change by integer atomics, whose old values say where the logarithms' tables have to be read, so
// that all sums are those of the CPU to the last bit. Lane x then finishes centre x. Mcc is worked
// out by the warp: matrix and vectors lie in its part of `scratch`.
#include "texture/eigen_math.hpp"
#include "texture/local_lanes.hpp"
#include "texture/pair_sums_math.hpp"

namespace {

using namespace pyrad;

constexpr unsigned all_lanes = 0xffffffffu;

struct Arguments {
    const i64 *centres;
    i64 count, plane, row; // strides of levels
    const int *offsets, *starts;
    int groups, reach_z, reach_y, reach_x, ng, cells, ibsi, histograms, mcc, most_levels, in_shared;
    PairWeights weights;
    int *counters;   // per warp counters_size(); not used if they lie in shared memory
    double *scratch; // per warp most_levels^2 + 4 most_levels, with mcc
    double *out;

    __device__ i64 counters_size() const { return static_cast<i64>(ng) * ng + 4 * ng + cells; }
};

struct Counters {
    int *joint, *marginal, *sum, *difference, *cells;

    __device__ Counters(int *first, const Arguments &a)
        : joint(first), marginal(joint + a.ng * a.ng), sum(marginal + a.ng),
          difference(sum + 2 * a.ng), cells(difference + a.ng) {}
};

// First voxels of an offset's pairs with one x, and the range of x, relative to the centre.
struct Plane {
    int z, y, ny, size, low, high;
    i64 offset;

    __device__ Plane(const Arguments &a, int d) {
        const int *const step = a.offsets + 3 * d;
        z = -a.reach_z + max_of(0, -step[0]);
        y = -a.reach_y + max_of(0, -step[1]);
        low = -a.reach_x + max_of(0, -step[2]);
        high = a.reach_x - max_of(0, step[2]);
        ny = max_of(0, a.reach_y - max_of(0, step[1]) - y + 1);
        size = high < low ? 0 : ny * max_of(0, a.reach_z - max_of(0, step[0]) - z + 1);
        offset = step[0] * a.plane + step[1] * a.row + step[2];
    }
};

// Sums of a lane's pairs that came, less those that went; together they are the window's.
struct LaneSums {
    PairSums sums;
    int largest = 0;
};

__device__ void count_cells(int i, int j, int sign, const Counters &c, const Arguments &a,
                            LaneSums &lane) {
    const PairWeights &w = a.weights;
    PairSums &p = lane.sums;
    const int late = sign < 0 ? 0 : 1; // the log tables are read at the larger count
    const int d = i < j ? j - i : i - j, same = d == 0, high = max_of(i, j), low = min_of(i, j);
    const i64 u = atomicAdd(&c.joint[high * a.ng + low], sign) + late;
    p.joint_log += sign * ((same ? w.twice[u] : 2 * w.one[u]));
    p.squares += sign * (2 + 2 * same) * (2 * u - 1);
    const int more = static_cast<int>(u) << same, less = static_cast<int>(u - 1) << same;
    atomicAdd(&c.cells[more], sign);
    atomicAdd(&c.cells[less], -sign);
    lane.largest = max_of(lane.largest, sign > 0 ? more : 0);
    p.marginal_log += sign * w.one[atomicAdd(&c.marginal[i], sign) + late];
    p.marginal_log += sign * w.one[atomicAdd(&c.marginal[j], sign) + late];
    p.sum_log += sign * w.twice[atomicAdd(&c.sum[i + j], sign) + late];
    p.difference_log += sign * w.twice[atomicAdd(&c.difference[d], sign) + late];
}

__device__ void count_pair(int i, int j, int sign, const Counters &c, const Arguments &a,
                           LaneSums &lane) {
    const PairWeights &w = a.weights;
    PairSums &p = lane.sums;
    const int d = i < j ? j - i : i - j;
    const u64 s = static_cast<u64>(i + j + 2), by = static_cast<u64>(static_cast<i64>(sign));
    p.power[0] += by * s;
    p.power[1] += by * s * s;
    p.power[2] += by * s * s * s;
    p.power[3] += by * s * s * s * s;
    const i64 *const row = w.by_difference + d * pair_difference_count;
    for (int m = 0; m < pair_difference_count; ++m)
        p.difference[m] += sign * row[m];
    if (a.histograms)
        count_cells(i, j, sign, c, a, lane);
}

template <class L>
__device__ void count_plane(const L *levels, i64 base, const Plane &plane, int sign,
                            const Counters &c, const Arguments &a, LaneSums &lane) {
    for (int k = threadIdx.x; k < plane.size; k += window_lanes) {
        const i64 at = base + (plane.z + k / plane.ny) * a.plane + (plane.y + k % plane.ny) * a.row;
        const int i = levels[at], j = levels[at + plane.offset];
        if (i && j)
            count_pair(i - 1, j - 1, sign, c, a, lane);
    }
}

// All planes of the window around a centre.
template <class L>
__device__ void count_window(const L *levels, i64 centre, int group, int sign, const Counters &c,
                             const Arguments &a, LaneSums &lane) {
    for (int d = a.starts[group]; d < a.starts[group + 1]; ++d) {
        const Plane plane(a, d);
        for (int x = plane.low; x <= plane.high; ++x)
            count_plane(levels, centre + x, plane, sign, c, a, lane);
    }
}

// From the window around `from` (-1: none) to that around `to`.
template <class L>
__device__ void move_window(const L *levels, i64 from, i64 to, int group, const Counters &c,
                            const Arguments &a, LaneSums &lane) {
    if (from < 0 || to - from > 2 * a.reach_x) {
        if (from >= 0)
            count_window(levels, from, group, -1, c, a, lane);
        __syncwarp();
        count_window(levels, to, group, 1, c, a, lane);
        from = to;
    }
    for (; from < to; ++from)
        for (int d = a.starts[group]; d < a.starts[group + 1]; ++d) {
            const Plane plane(a, d);
            count_plane(levels, from + plane.low, plane, -1, c, a, lane);
            __syncwarp();
            count_plane(levels, from + 1 + plane.high, plane, 1, c, a, lane);
            __syncwarp();
        }
    __syncwarp();
}

__device__ PairSums totals(const PairSums &lane) {
    PairSums p;
    for (int m = 0; m < pair_power_count; ++m)
        p.power[m] = lanes_sum(lane.power[m]);
    for (int m = 0; m < pair_difference_count; ++m)
        p.difference[m] = lanes_sum(lane.difference[m]);
    p.joint_log = lanes_sum(lane.joint_log);
    p.marginal_log = lanes_sum(lane.marginal_log);
    p.sum_log = lanes_sum(lane.sum_log);
    p.difference_log = lanes_sum(lane.difference_log);
    p.squares = lanes_sum(lane.squares);
    return p;
}

// The window's largest cell: no more than was reached, down to a size that some cell has.
__device__ int largest_cell(int reached, const Counters &c) {
    for (int step = window_lanes / 2; step > 0; step /= 2)
        reached = max_of(reached, __shfl_xor_sync(all_lanes, reached, step));
    while (reached && !c.cells[reached])
        --reached;
    return reached;
}

// Levels present in ascending order, for all lanes.
__device__ int list_levels(const Counters &c, int ng, int *list) {
    int known = 0;
    for (int first = 0; first < ng; first += window_lanes) {
        const int level = first + threadIdx.x;
        const bool present = level < ng && c.marginal[level];
        const unsigned others = __ballot_sync(all_lanes, present);
        if (present)
            list[known + __popc(others & ((1u << threadIdx.x) - 1))] = level;
        known += __popc(others);
    }
    __syncwarp();
    return known;
}

// Whether the double cover of the table's graph hangs together (pair_graph_math.hpp): from one
// level, by an even and by an odd number of steps, every level is reached. reached: 2 n.
__device__ bool graph_connected(const double *table, int n, int *reached) {
    for (int r = threadIdx.x; r < 2 * n; r += window_lanes)
        reached[r] = r == 0;
    __syncwarp();
    bool all, grows = true;
    do {
        all = true;
        grows = false;
        for (int r = threadIdx.x; r < 2 * n; r += window_lanes) {
            const int i = r % n, other = r < n ? n : 0;
            bool hit = reached[r];
            for (int j = 0; j < n && !hit; ++j)
                hit = table[j * n + i] > 0 && reached[other + j];
            grows = grows || (hit && !reached[r]);
            all = all && hit;
            reached[r] = hit;
        }
        all = __all_sync(all_lanes, all);
        grows = __any_sync(all_lanes, grows);
    } while (grows && !all);
    return all;
}

// As tridiagonalise(); a holds both triangles, so that lanes read along its rows.
__device__ void tridiagonalise_warp(double *a, int n, double *diagonal, double *off, double *v) {
    for (int k = n - 1; k >= 1; --k) {
        double norm = 0, dot = 0;
        for (int i = threadIdx.x; i < k; i += window_lanes) {
            v[i] = a[k * n + i];
            norm += v[i] * v[i];
        }
        norm = lanes_sum(norm);
        __syncwarp();
        double last = v[k - 1], below;
        const double scale = reflect(last, norm, below);
        __syncwarp();
        if (threadIdx.x == 0) {
            v[k - 1] = last;
            off[k] = below;
        }
        __syncwarp();
        for (int i = threadIdx.x; i < k; i += window_lanes) {
            double sum = 0;
            for (int j = 0; j < k; ++j)
                sum += a[j * n + i] * v[j];
            diagonal[i] = scale * sum;
            dot += diagonal[i] * v[i];
        }
        const double shift = 0.5 * scale * lanes_sum(dot);
        for (int i = threadIdx.x; i < k; i += window_lanes)
            diagonal[i] -= shift * v[i];
        __syncwarp();
        for (int i = threadIdx.x; i < k; i += window_lanes)
            for (int j = 0; j < k; ++j)
                a[j * n + i] -= v[i] * diagonal[j] + diagonal[i] * v[j];
        __syncwarp();
    }
    for (int i = threadIdx.x; i < n; i += window_lanes)
        diagonal[i] = a[i * n + i];
    if (threadIdx.x == 0)
        off[0] = 0;
    __syncwarp();
}

__device__ double window_mcc(const Counters &c, double total, const Arguments &a, double *scratch) {
    double *const table = scratch, *const diagonal = table + a.most_levels * a.most_levels;
    double *const off = diagonal + a.most_levels, *const v = off + a.most_levels;
    int *const levels = reinterpret_cast<int *>(v + a.most_levels);
    const int n = list_levels(c, a.ng, levels);
    if (n < 2)
        return 0;
    for (int i = threadIdx.x; i < n; i += window_lanes)
        for (int j = 0; j < n; ++j) {
            const int here = levels[i], there = levels[j];
            const int cell = c.joint[max_of(here, there) * a.ng + min_of(here, there)];
            table[j * n + i] = i == j ? 2 * cell : cell;
        }
    __syncwarp();
    if (!graph_connected(table, n, reinterpret_cast<int *>(diagonal)))
        return 1;
    for (int i = threadIdx.x; i < n; i += window_lanes)
        for (int j = 0; j < n; ++j) {
            const double root = sqrt(static_cast<double>(c.marginal[levels[i]]) *
                                     static_cast<double>(c.marginal[levels[j]]));
            table[j * n + i] = table[j * n + i] / root - root / total;
        }
    __syncwarp();
    tridiagonalise_warp(table, n, diagonal, off, v);
    double found = 0;
    if (threadIdx.x == 0)
        found = largest_eigenvalue(diagonal, off, n, 1.0 + 1e-12);
    found = __shfl_sync(all_lanes, found, 0);
    __syncwarp();
    return found;
}

// Sum over the groups of the values that are defined.
struct Average {
    double sum[glcm_feature_count], count[glcm_feature_count];

    __device__ void add(const double *values) {
        for (int f = 0; f < glcm_feature_count; ++f)
            if (values[f] == values[f]) {
                sum[f] += values[f];
                count[f] += 1;
            }
    }
};

// One group's values at the centres [first, first + n), lane x keeps those of centre x.
template <class L>
__device__ void move_group(const L *levels, const Arguments &a, int group, i64 first, int n,
                           const Counters &c, double *scratch, Average &average) {
    LaneSums lane;
    PairSums mine;
    int largest = 0;
    double mcc = nan("");
    i64 at = -1;
    for (int x = 0; x < n; ++x) {
        const i64 centre = a.centres[first + x];
        move_window(levels, at, centre, group, c, a, lane);
        at = centre;
        const PairSums sums = totals(lane.sums);
        lane.largest = largest_cell(lane.largest, c);
        __syncwarp();
        const double total = 2.0 * static_cast<double>(sums.difference[pair_count]);
        const double found = a.mcc && total > 0 ? window_mcc(c, total, a, scratch) : nan("");
        if (threadIdx.x == x) {
            mine = sums;
            largest = lane.largest;
            mcc = found;
        }
    }
    count_window(levels, at, group, -1, c, a, lane);
    __syncwarp();
    if (mine.difference[pair_count] == 0)
        return;
    double values[glcm_feature_count];
    for (int f = 0; f < glcm_feature_count; ++f)
        values[f] = nan("");
    const GlcmSums sums = glcm_sums(mine, largest, a.weights);
    glcm_moment_features(sums, a.ibsi ? nan("") : 1.0, values);
    if (a.histograms)
        glcm_entropy_features(sums, a.ibsi ? nan("") : 0.0, values);
    values[glcm_mcc] = mcc;
    average.add(values);
}

template <class L> __device__ void local_glcm(const L *levels, const Arguments &a) {
    PYRAD_DYNAMIC_SHARED(int, shared);
    const i64 warps = static_cast<i64>(gridDim.x) * blockDim.y;
    const i64 warp = static_cast<i64>(blockIdx.x) * blockDim.y + threadIdx.y;
    int *const own = a.in_shared ? shared + threadIdx.y * a.counters_size()
                                 : a.counters + warp * a.counters_size();
    const Counters c(own, a);
    for (i64 k = threadIdx.x; k < a.counters_size(); k += window_lanes)
        own[k] = 0;
    __syncwarp();
    const i64 most = a.most_levels;
    double *const scratch = a.scratch + warp * (most * most + 4 * most);
    for (i64 first = warp * window_lanes; first < a.count; first += warps * window_lanes) {
        const int n = static_cast<int>(min_of(a.count - first, static_cast<i64>(window_lanes)));
        Average average{};
        for (int g = 0; g < a.groups; ++g)
            move_group(levels, a, g, first, n, c, scratch, average);
        if (threadIdx.x < n)
            for (int f = 0; f < glcm_feature_count; ++f)
                a.out[(first + threadIdx.x) * glcm_feature_count + f] =
                    average.count[f] > 0 ? average.sum[f] / average.count[f] : nan("");
    }
}

} // namespace

#define PYRAD_LOCAL_GLCM(L)                                                                        \
    const L *levels, const long long *centres, long long count, long long plane, long long row,    \
        const int *offsets, const int *starts, int groups, int reach_z, int reach_y, int reach_x,  \
        int ng, int cells, int ibsi, int histograms, int mcc, int most_levels, int in_shared,      \
        const long long *one, const long long *twice, const long long *by_difference,              \
        double log_unit, double share_unit, int *counters, double *scratch, double *out

#define PYRAD_LOCAL_ARGUMENTS                                                                      \
    Arguments {                                                                                    \
        centres, count, plane, row, offsets, starts, groups, reach_z, reach_y, reach_x, ng, cells, \
            ibsi, histograms, mcc, most_levels, in_shared,                                         \
            PairWeights{one, twice, nullptr, by_difference, log_unit, share_unit}, counters,       \
            scratch, out                                                                           \
    }

PYRAD_KERNEL(local_glcm_u8)
(PYRAD_LOCAL_GLCM(unsigned char)) { local_glcm(levels, PYRAD_LOCAL_ARGUMENTS); }

PYRAD_KERNEL(local_glcm_u16)
(PYRAD_LOCAL_GLCM(unsigned short)) { local_glcm(levels, PYRAD_LOCAL_ARGUMENTS); }
