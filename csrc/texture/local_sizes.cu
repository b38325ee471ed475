// CUDA twins of local_glrlm.cpp, local_glszm.cpp and local_ngldm.cpp. A block lists the entries
// (level, size) of a window's table; a hash table counts equal entries, levels and sizes, and each
// entry reads its own: sum_cells c log2 c = sum_entries log2 c(entry), in an order that is fixed.
#include "texture/label_union.hpp"
#include "texture/local_block.hpp"
#include "texture/size_features_math.hpp"

namespace {

using namespace pyrad;

// Of a block: seen: the box; work: of the family; its first `slots` numbers are the entries.
struct Memory {
    int *seen, *work;
    HashTable table;
    int slots;

    __device__ Memory(const BlockWindows &w, int *shared, int slots, int work_size, int bits)
        : slots(slots) {
        seen = w.memory(shared);
        work = seen + w.places;
        table = {reinterpret_cast<u32 *>(work + work_size), work + work_size + (1 << bits), bits};
    }
};

__device__ u32 key_of(u32 level, u32 size) { return level << 16 | size; }

enum Sum {
    sum_entries = size_emphasis_count,
    sum_level_squares,
    sum_size_squares,
    sum_energy,
    sum_log,
    sum_level,
    sum_level_square,
    sum_size,
    sum_size_square,
    sum_count
};

__device__ void add_entry(const HashTable &table, u32 entry, int origin, double *sums) {
    const int i = static_cast<int>(entry >> 16), j = static_cast<int>(entry & 0xffff);
    const int same = table.number(entry);
    const double square = static_cast<double>(j) * j, a = i - origin, b = j - 1;
    sums[sum_entries] += 1;
    add_emphases(i, 1, 1 / square, square, sums);
    sums[sum_level_squares] += table.number(key_of(i, 0));
    sums[sum_size_squares] += table.number(key_of(0, j));
    sums[sum_energy] += same;
    sums[sum_log] += same > 1 ? log2(static_cast<double>(same)) : 0.0;
    sums[sum_level] += a;
    sums[sum_level_square] += a * a;
    sums[sum_size] += b;
    sums[sum_size_square] += b * b;
}

__device__ void finish(const double *sums, bool by_size, double *out) {
    SizeSums s;
    s.total = sums[sum_entries];
    for (int f = 0; f < size_emphasis_count; ++f)
        s.emphases[f] = sums[f];
    s.level_squares = sums[sum_level_squares];
    s.size_squares = sums[sum_size_squares];
    s.entropy = max_of(0.0, log2(s.total) - sums[sum_log] / s.total);
    s.energy = sums[sum_energy] / (s.total * s.total);
    s.level_var = variance_of(s.total, sums[sum_level], sums[sum_level_square]);
    s.size_var = variance_of(s.total, sums[sum_size], sums[sum_size_square]);
    size_finish(s, by_size ? sums[sum_size] + s.total : s.total, out);
}

// Features of the entries (0 is none) into `out`, shared; false without entries.
__device__ bool table_features(const Memory &m, bool by_size, double *out) {
    m.table.clear();
    __syncthreads();
    const u32 *const entries = reinterpret_cast<const u32 *>(m.work);
    for (int e = threadIdx.x; e < m.slots; e += blockDim.x)
        if (const u32 entry = entries[e]) {
            m.table.add(entry);
            m.table.add(entry & 0xffff0000u);
            m.table.add(entry & 0xffffu);
        }
    __syncthreads();
    double sums[sum_count] = {};
    const int origin = static_cast<int>(entries[m.slots / 2] >> 16);
    for (int e = threadIdx.x; e < m.slots; e += blockDim.x)
        if (entries[e])
            add_entry(m.table, entries[e], origin, sums);
    block_sums<sum_count>(sums);
    if (threadIdx.x == 0 && sums[sum_entries] > 0)
        finish(sums, by_size, out);
    __syncthreads();
    return sums[sum_entries] > 0;
}

__device__ void write(bool any, const double *values, double *out) {
    for (int f = threadIdx.x; f < size_feature_count; f += blockDim.x)
        out[f] = any ? values[f] : nan("");
}

// Whether a line along the step holds two voxels of the region.
__device__ bool holds_pair(const BlockWindows &w, const int *seen, int step) {
    double found = 0;
    for (int v = threadIdx.x; v < w.size; v += blockDim.x)
        if (seen[w.place[v]])
            for (int p = w.place[v] - step; !found && seen[p] >= 0; p -= step)
                found = seen[p] != 0;
    block_sums<1>(&found);
    return found > 0;
}

// Entries of a direction: the last voxel of a run holds its length.
__device__ void list_runs(const BlockWindows &w, const int *seen, int step, bool none,
                          u32 *entries) {
    for (int v = threadIdx.x; v < w.size; v += blockDim.x) {
        const int at = w.place[v], level = seen[at];
        int length = 0;
        if (level && !none && seen[at + step] != level)
            for (int p = at; seen[p] == level; p -= step)
                ++length;
        entries[v] = length ? key_of(level, length) : 0;
    }
    __syncthreads();
}

template <class L>
__device__ void local_glrlm(const L *levels, const BlockWindows &w, int *shared, int bits,
                            int merged, int left_out, double *out) {
    __shared__ double values[size_feature_count], sums[size_feature_count];
    const int slots = merged ? w.step_count * w.size : w.size;
    const Memory m(w, shared, slots, slots, bits);
    for (i64 index = blockIdx.x; index < w.count; index += gridDim.x) {
        fill_box(levels, index, w, m.seen);
        for (int f = threadIdx.x; f < size_feature_count; f += blockDim.x)
            sums[f] = 0;
        int defined = 0;
        for (int d = 0; d < w.step_count; ++d) {
            const bool none = left_out && !holds_pair(w, m.seen, w.steps[d]);
            list_runs(w, m.seen, w.steps[d], none,
                      reinterpret_cast<u32 *>(m.work) + (merged ? d * w.size : 0));
            if ((merged && d + 1 < w.step_count) || !table_features(m, true, values))
                continue;
            ++defined;
            for (int f = threadIdx.x; f < size_feature_count; f += blockDim.x)
                sums[f] += values[f];
            __syncthreads();
        }
        for (int f = threadIdx.x; f < size_feature_count; f += blockDim.x)
            sums[f] /= defined;
        write(defined > 0, sums, out + index * size_feature_count);
    }
}

// The smallest place of a zone counts its voxels.
__device__ void list_zones(const BlockWindows &w, const int *seen, int *work) {
    int *const parent = work, *const voxels = work + w.places;
    for (int p = threadIdx.x; p < w.places; p += blockDim.x) {
        parent[p] = p;
        voxels[p] = 0;
    }
    __syncthreads();
    for (int v = threadIdx.x; v < w.size; v += blockDim.x) {
        const int at = w.place[v], level = seen[at];
        for (int d = 0; d < w.step_count && level; ++d)
            if (seen[at + w.steps[d]] == level)
                unite(parent, at, at + w.steps[d]);
    }
    __syncthreads();
    for (int v = threadIdx.x; v < w.size; v += blockDim.x)
        if (seen[w.place[v]])
            atomicAdd(voxels + find(parent, w.place[v]), 1);
    __syncthreads();
    for (int v = threadIdx.x; v < w.size; v += blockDim.x) { // nobody looks for parents now
        const int at = w.place[v];
        work[v] = static_cast<int>(voxels[at] ? key_of(seen[at], voxels[at]) : 0);
    }
    __syncthreads();
}

template <class L>
__device__ void local_glszm(const L *levels, const BlockWindows &w, int *shared, int bits,
                            double *out) {
    __shared__ double values[size_feature_count];
    const Memory m(w, shared, w.size, 2 * w.places, bits);
    for (i64 index = blockIdx.x; index < w.count; index += gridDim.x) {
        fill_box(levels, index, w, m.seen);
        list_zones(w, m.seen, m.work);
        const bool any = table_features(m, true, values);
        write(any, values, out + index * size_feature_count);
    }
}

__device__ void list_dependences(const BlockWindows &w, const int *seen, i64 alpha, int *work) {
    for (int v = threadIdx.x; v < w.size; v += blockDim.x) {
        const int at = w.place[v], level = seen[at];
        int alike = 1;
        for (int d = 0; d < w.step_count && level; ++d) {
            const int later = seen[at + w.steps[d]], earlier = seen[at - w.steps[d]];
            alike += later > 0 && abs(later - level) <= alpha;
            alike += earlier > 0 && abs(earlier - level) <= alpha;
        }
        work[v] = static_cast<int>(level ? key_of(level, alike) : 0);
    }
    __syncthreads();
}

template <class L>
__device__ void local_ngldm(const L *levels, const BlockWindows &w, int *shared, int bits,
                            i64 alpha, double *out) {
    __shared__ double values[size_feature_count];
    const Memory m(w, shared, w.size, w.size, bits);
    for (i64 index = blockIdx.x; index < w.count; index += gridDim.x) {
        fill_box(levels, index, w, m.seen);
        list_dependences(w, m.seen, alpha, m.work);
        const bool any = table_features(m, false, values);
        write(any, values, out + index * size_feature_count);
    }
}

} // namespace

#define PYRAD_WINDOWS(L)                                                                           \
    const L *levels, const long long *centres, long long count, const long long *window,           \
        const int *place, int size, int places, const int *steps, int step_count, int *scratch,    \
        long long words, int bits
#define PYRAD_ITS_WINDOWS                                                                          \
    levels, BlockWindows{centres, count, window,     place,   size,                                \
                         places,  steps, step_count, scratch, words},                              \
        shared, bits

PYRAD_KERNEL(local_glrlm_u8)
(PYRAD_WINDOWS(unsigned char), int merged, int left_out, double *out) {
    PYRAD_DYNAMIC_SHARED(int, shared);
    local_glrlm(PYRAD_ITS_WINDOWS, merged, left_out, out);
}

PYRAD_KERNEL(local_glrlm_u16)
(PYRAD_WINDOWS(unsigned short), int merged, int left_out, double *out) {
    PYRAD_DYNAMIC_SHARED(int, shared);
    local_glrlm(PYRAD_ITS_WINDOWS, merged, left_out, out);
}

PYRAD_KERNEL(local_glszm_u8)(PYRAD_WINDOWS(unsigned char), double *out) {
    PYRAD_DYNAMIC_SHARED(int, shared);
    local_glszm(PYRAD_ITS_WINDOWS, out);
}

PYRAD_KERNEL(local_glszm_u16)(PYRAD_WINDOWS(unsigned short), double *out) {
    PYRAD_DYNAMIC_SHARED(int, shared);
    local_glszm(PYRAD_ITS_WINDOWS, out);
}

PYRAD_KERNEL(local_ngldm_u8)(PYRAD_WINDOWS(unsigned char), long long alpha, double *out) {
    PYRAD_DYNAMIC_SHARED(int, shared);
    local_ngldm(PYRAD_ITS_WINDOWS, alpha, out);
}

PYRAD_KERNEL(local_ngldm_u16)(PYRAD_WINDOWS(unsigned short), long long alpha, double *out) {
    PYRAD_DYNAMIC_SHARED(int, shared);
    local_ngldm(PYRAD_ITS_WINDOWS, alpha, out);
}
