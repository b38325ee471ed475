// CUDA twins of local_glrlm.cpp, local_glszm.cpp and local_ngldm.cpp. A warp takes a window and
// lists the entries (level, size) of its table in `scratch`; as they are few, each lane counts the
// entries that equal its own by comparing them all: sum_cells c log2 c = sum_entries log2 c(entry).
#include "texture/label_union.hpp"
#include "texture/local_lanes.hpp"
#include "texture/size_features_math.hpp"

namespace {

using namespace pyrad;

// Scratch of one window: its levels, one number per voxel, and the entries (0, 0 where none is).
struct Window {
    int size, slots;
    int *seen, *work, *level, *extent;

    __device__ Window(int *scratch, i64 index, int size, int slots) : size(size), slots(slots) {
        seen = scratch + index * 2 * (static_cast<i64>(size) + slots);
        work = seen + size;
        level = work + size;
        extent = level + slots;
    }

    __device__ void set(int slot, int of_level, int of_extent) const {
        const bool holds = of_level && of_extent;
        level[slot] = holds ? of_level : 0;
        extent[slot] = holds ? of_extent : 0;
    }
};

struct EntrySums {
    SizeSums sizes;
    double log_sum = 0, level = 0, level_square = 0, extent = 0, extent_square = 0;
};

__device__ void add_entry(const Window &w, int slots, int e, int origin, EntrySums &sums) {
    const int i = w.level[e], j = w.extent[e];
    int same = 0, same_level = 0, same_extent = 0;
    for (int f = 0; f < slots; ++f) {
        const bool a = w.level[f] == i, b = w.extent[f] == j;
        same_level += a;
        same_extent += b;
        same += a && b;
    }
    const double square = static_cast<double>(j) * j, a = i - origin, b = j - 1;
    sums.sizes.total += 1;
    add_emphases(i, 1, 1 / square, square, sums.sizes.emphases);
    sums.sizes.level_squares += same_level;
    sums.sizes.size_squares += same_extent;
    sums.sizes.energy += same;
    sums.log_sum += log2(static_cast<double>(same));
    sums.level += a;
    sums.level_square += a * a;
    sums.extent += b;
    sums.extent_square += b * b;
}

// Features of the first `slots` entries, for every lane; false without entries.
__device__ bool table_features(const Window &w, int slots, int by_size, double *out) {
    EntrySums sums;
    const int origin = w.seen[w.size / 2];
    for (int e = threadIdx.x; e < slots; e += window_lanes)
        if (w.level[e])
            add_entry(w, slots, e, origin, sums);
    SizeSums &s = sums.sizes;
    s.total = lanes_sum(s.total);
    if (s.total == 0)
        return false;
    for (int f = 0; f < size_emphasis_count; ++f)
        s.emphases[f] = lanes_sum(s.emphases[f]);
    s.level_squares = lanes_sum(s.level_squares);
    s.size_squares = lanes_sum(s.size_squares);
    s.entropy = max_of(0.0, log2(s.total) - lanes_sum(sums.log_sum) / s.total);
    s.energy = lanes_sum(s.energy) / (s.total * s.total);
    s.level_var = variance_of(s.total, lanes_sum(sums.level), lanes_sum(sums.level_square));
    const double extents = lanes_sum(sums.extent);
    s.size_var = variance_of(s.total, extents, lanes_sum(sums.extent_square));
    size_finish(s, by_size ? extents + s.total : s.total, out);
    return true;
}

__device__ void write(const double *values, double count, double *out) {
    for (int f = threadIdx.x; f < size_feature_count; f += window_lanes)
        out[f] = count > 0 ? values[f] / count : nan("");
}

struct Arguments {
    const long long *centres, *window;
    long long count;
    int size;
    int *scratch;
    double *out;

    // Of the calling warp.
    __device__ i64 index() const {
        return static_cast<i64>(blockIdx.x) * windows_per_block + threadIdx.y;
    }
};

// Whether a line of the direction holds two voxels of the region.
__device__ bool holds_pair(const Window &w, const int *before) {
    int found = 0;
    for (int v = threadIdx.x; v < w.size; v += window_lanes)
        for (int b = before[v]; w.seen[v] && !found && b >= 0; b = before[b])
            found = w.seen[b] != 0;
    return lanes_sum(found) > 0;
}

// Entries of a direction: the last voxel of a run holds its length.
__device__ void list_runs(const Window &w, const int *before, bool none, int first) {
    for (int v = threadIdx.x; v < w.size; v += window_lanes)
        w.work[v] = 0;
    __syncwarp();
    for (int v = threadIdx.x; v < w.size; v += window_lanes) {
        const int b = before[v];
        if (b >= 0 && w.seen[b] == w.seen[v])
            w.work[b] = 1; // goes on
    }
    __syncwarp();
    for (int v = threadIdx.x; v < w.size; v += window_lanes) {
        int length = none || w.work[v] ? 0 : 1;
        for (int b = before[v]; length && b >= 0 && w.seen[b] == w.seen[v]; b = before[b])
            ++length;
        w.set(first + v, w.seen[v], length);
    }
    __syncwarp();
}

template <class L>
__device__ void local_glrlm(const L *levels, const Arguments &a, const int *before, int directions,
                            int merged, int left_out) {
    const i64 index = a.index();
    if (index >= a.count)
        return;
    const Window w(a.scratch, index, a.size, merged ? directions * a.size : a.size);
    copy_window(levels + a.centres[index], a.window, a.size, w.seen);
    double sums[size_feature_count] = {}, values[size_feature_count], defined = 0;
    for (int d = 0; d < directions; ++d) {
        const int *const line = before + static_cast<i64>(d) * a.size;
        const bool none = left_out && !holds_pair(w, line);
        list_runs(w, line, none, merged ? d * a.size : 0);
        if (merged && d + 1 < directions)
            continue;
        if (table_features(w, w.slots, 1, values)) {
            defined += 1;
            for (int f = 0; f < size_feature_count; ++f)
                sums[f] += values[f];
        }
        __syncwarp();
    }
    write(sums, defined, a.out + index * size_feature_count);
}

template <class L>
__device__ void local_glszm(const L *levels, const Arguments &a, const int *pairs, int pair_count) {
    const i64 index = a.index();
    if (index >= a.count)
        return;
    const Window w(a.scratch, index, a.size, a.size);
    copy_window(levels + a.centres[index], a.window, a.size, w.seen);
    int *const parent = w.work;
    for (int v = threadIdx.x; v < w.size; v += window_lanes) {
        parent[v] = v;
        w.extent[v] = 0;
    }
    __syncwarp();
    for (int p = threadIdx.x; p < pair_count; p += window_lanes) {
        const int i = pairs[2 * p], j = pairs[2 * p + 1];
        if (w.seen[i] && w.seen[i] == w.seen[j])
            unite(parent, i, j);
    }
    __syncwarp();
    for (int v = threadIdx.x; v < w.size; v += window_lanes)
        atomicAdd(&w.extent[find(parent, v)], 1);
    __syncwarp();
    for (int v = threadIdx.x; v < w.size; v += window_lanes)
        w.set(v, w.seen[v], w.extent[v]);
    __syncwarp();
    double values[size_feature_count];
    const bool any = table_features(w, w.slots, 1, values);
    write(values, any ? 1.0 : 0.0, a.out + index * size_feature_count);
}

template <class L>
__device__ void local_ngldm(const L *levels, const Arguments &a, const int *pairs, int pair_count,
                            long long alpha) {
    const i64 index = a.index();
    if (index >= a.count)
        return;
    const Window w(a.scratch, index, a.size, a.size);
    copy_window(levels + a.centres[index], a.window, a.size, w.seen);
    for (int v = threadIdx.x; v < w.size; v += window_lanes)
        w.work[v] = 1;
    __syncwarp();
    for (int p = threadIdx.x; p < pair_count; p += window_lanes) {
        const int i = pairs[2 * p], j = pairs[2 * p + 1];
        if (w.seen[i] && w.seen[j] && abs(w.seen[i] - w.seen[j]) <= alpha) {
            atomicAdd(&w.work[i], 1);
            atomicAdd(&w.work[j], 1);
        }
    }
    __syncwarp();
    for (int v = threadIdx.x; v < w.size; v += window_lanes)
        w.set(v, w.seen[v], w.work[v]);
    __syncwarp();
    double values[size_feature_count];
    const bool any = table_features(w, w.slots, 0, values);
    write(values, any ? 1.0 : 0.0, a.out + index * size_feature_count);
}

} // namespace

PYRAD_KERNEL(local_glrlm_u8)
(const unsigned char *levels, const long long *centres, long long count, const long long *window,
 int size, const int *before, int directions, int merged, int left_out, int *scratch, double *out) {
    local_glrlm(levels, Arguments{centres, window, count, size, scratch, out}, before, directions,
                merged, left_out);
}

PYRAD_KERNEL(local_glrlm_u16)
(const unsigned short *levels, const long long *centres, long long count, const long long *window,
 int size, const int *before, int directions, int merged, int left_out, int *scratch, double *out) {
    local_glrlm(levels, Arguments{centres, window, count, size, scratch, out}, before, directions,
                merged, left_out);
}

PYRAD_KERNEL(local_glszm_u8)
(const unsigned char *levels, const long long *centres, long long count, const long long *window,
 int size, const int *pairs, int pair_count, int *scratch, double *out) {
    local_glszm(levels, Arguments{centres, window, count, size, scratch, out}, pairs, pair_count);
}

PYRAD_KERNEL(local_glszm_u16)
(const unsigned short *levels, const long long *centres, long long count, const long long *window,
 int size, const int *pairs, int pair_count, int *scratch, double *out) {
    local_glszm(levels, Arguments{centres, window, count, size, scratch, out}, pairs, pair_count);
}

PYRAD_KERNEL(local_ngldm_u8)
(const unsigned char *levels, const long long *centres, long long count, const long long *window,
 int size, const int *pairs, int pair_count, long long alpha, int *scratch, double *out) {
    local_ngldm(levels, Arguments{centres, window, count, size, scratch, out}, pairs, pair_count,
                alpha);
}

PYRAD_KERNEL(local_ngldm_u16)
(const unsigned short *levels, const long long *centres, long long count, const long long *window,
 int size, const int *pairs, int pair_count, long long alpha, int *scratch, double *out) {
    local_ngldm(levels, Arguments{centres, window, count, size, scratch, out}, pairs, pair_count,
                alpha);
}
