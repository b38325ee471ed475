// CUDA twin of local_ngtdm.cpp: a block takes a window; a voxel gathers its neighbours and adds to
// its level's row, found by a hash table. Differences are whole numbers of 1 / scale, so the order
// in which threads add does not matter; rows are ranked by level.
#include "texture/local_block.hpp"
#include "texture/ngtdm_math.hpp"

namespace {

using namespace pyrad;

// Of a block: sums of the table's cells; rows: level, number and sum of differences; the box.
struct Memory {
    unsigned long long *sum;
    double *level, *number, *spread;
    HashTable table;
    int *seen;

    __device__ Memory(int *memory, int bits, int most_rows) {
        sum = reinterpret_cast<unsigned long long *>(memory);
        level = reinterpret_cast<double *>(sum + (1 << bits));
        number = level + most_rows;
        spread = number + most_rows;
        table = {reinterpret_cast<u32 *>(spread + most_rows), nullptr, bits};
        table.count = reinterpret_cast<int *>(table.key + (1 << bits));
        seen = table.count + (1 << bits);
    }
};

__device__ void add_voxels(const BlockWindows &w, const Memory &m, int alone, double scale) {
    m.table.clear();
    for (int c = threadIdx.x; c < m.table.cells(); c += blockDim.x)
        m.sum[c] = 0;
    __syncthreads();
    for (int v = threadIdx.x; v < w.size; v += blockDim.x) {
        const int at = w.place[v], level = m.seen[at];
        int near = 0, sum = 0;
        for (int d = 0; d < w.step_count && level; ++d) {
            const int later = m.seen[at + w.steps[d]], earlier = m.seen[at - w.steps[d]];
            near += (later > 0) + (earlier > 0);
            sum += max_of(later, 0) + max_of(earlier, 0);
        }
        if (!level || !(near || alone))
            continue;
        const int cell = m.table.take(level);
        atomicAdd(m.table.count + cell, 1);
        if (near) {
            const double apart = fabs(static_cast<double>(level) * near - sum);
            atomicAdd(m.sum + cell, static_cast<unsigned long long>(llrint(apart / near * scale)));
        }
    }
    __syncthreads();
}

// The rows in the order of their levels; their number, for every thread.
__device__ int rank_rows(const Memory &m, double scale) {
    const u32 *const keys = m.table.key;
    double rows = 0;
    for (int c = threadIdx.x; c < m.table.cells(); c += blockDim.x) {
        if (!keys[c])
            continue;
        int rank = 0;
        for (int other = 0; other < m.table.cells(); ++other)
            rank += keys[other] && keys[other] < keys[c];
        m.level[rank] = keys[c];
        m.number[rank] = m.table.count[c];
        m.spread[rank] = static_cast<double>(m.sum[c]) / scale;
        rows += 1;
    }
    block_sums<1>(&rows);
    __syncthreads();
    return static_cast<int>(rows);
}

__device__ void features(const Memory &m, int rows, double *out) {
    double total = 0;
    for (int k = 0; k < rows; ++k)
        total += m.number[k];
    NgtdmSums s;
    for (int k = threadIdx.x; k < rows; k += blockDim.x)
        ngtdm_add_row(k, m.level, m.number, m.spread, total, s);
    double sums[] = {s.weighted, s.spread,     s.present, s.contrast,
                     s.steps,    s.complexity, s.strength};
    block_sums<7>(sums);
    if (threadIdx.x)
        return;
    if (rows)
        ngtdm_finish({sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6]}, total, out);
    else
        for (int f = 0; f < ngtdm_feature_count; ++f)
            out[f] = nan("");
}

template <class L>
__device__ void local_ngtdm(const L *levels, const BlockWindows &w, int *shared, int bits,
                            int most_rows, int alone, double scale, double *out) {
    const Memory m(w.memory(shared), bits, most_rows);
    for (i64 index = blockIdx.x; index < w.count; index += gridDim.x) {
        fill_box(levels, index, w, m.seen);
        add_voxels(w, m, alone, scale);
        const int rows = rank_rows(m, scale);
        features(m, rows, out + index * ngtdm_feature_count);
    }
}

} // namespace

PYRAD_KERNEL(local_ngtdm_u8)
(const unsigned char *levels, const long long *centres, long long count, const long long *window,
 const int *place, int size, int places, const int *steps, int step_count, int *scratch,
 long long words, int bits, int most_rows, int alone, double scale, double *out) {
    PYRAD_DYNAMIC_SHARED(int, shared);
    const BlockWindows w{centres, count, window,     place,   size,
                         places,  steps, step_count, scratch, words};
    local_ngtdm(levels, w, shared, bits, most_rows, alone, scale, out);
}

PYRAD_KERNEL(local_ngtdm_u16)
(const unsigned short *levels, const long long *centres, long long count, const long long *window,
 const int *place, int size, int places, const int *steps, int step_count, int *scratch,
 long long words, int bits, int most_rows, int alone, double scale, double *out) {
    PYRAD_DYNAMIC_SHARED(int, shared);
    const BlockWindows w{centres, count, window,     place,   size,
                         places,  steps, step_count, scratch, words};
    local_ngtdm(levels, w, shared, bits, most_rows, alone, scale, out);
}
