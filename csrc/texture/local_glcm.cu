// CUDA twin of local_glcm.cpp. A block holds a few windows in shared memory; each window has 16
// threads that take its groups of pairs (directions) in turn. A direction has few pairs, so a
// thread counts equal pairs by comparing them all: sum_cells c log2 c = sum_pairs log2 c(pair).
// Logarithms of counts come from a table. Mcc works in `scratch`: per thread a matrix of
// window_size^2 and two vectors.
#include "texture/eigen_math.hpp"
#include "texture/glcm_math.hpp"
#include "texture/pair_graph_math.hpp"

namespace {

using namespace pyrad;

constexpr int lanes = 16;  // threads per window
constexpr int windows = 4; // windows per block

struct Pairs {
    const int *levels; // of the window
    const int *list;   // positions (first, second)
    int begin, end;

    __device__ int first(int p) const { return levels[list[2 * p]]; }
    __device__ int second(int p) const { return levels[list[2 * p + 1]]; }
    __device__ bool inside(int p) const { return first(p) && second(p); }
};

struct PairCounts {
    int same, sum, difference, first, second; // of the pair, its i + j, |i - j|, and both levels
};

__device__ PairCounts compare(const Pairs &pairs, int i, int j) {
    PairCounts c{0, 0, 0, 0, 0};
    const int low = min_of(i, j), high = max_of(i, j);
    for (int q = pairs.begin; q < pairs.end; ++q) {
        if (!pairs.inside(q))
            continue;
        const int a = pairs.first(q), b = pairs.second(q);
        c.same += min_of(a, b) == low && max_of(a, b) == high;
        c.sum += a + b == i + j;
        c.difference += abs(a - b) == high - low;
        c.first += (a == i) + (b == i);
        c.second += (a == j) + (b == j);
    }
    return c;
}

__device__ void add_pair(const Pairs &pairs, int i, int j, double top, const double *log2_of,
                         GlcmSums &g) {
    const double a = i - g.origin, b = j - g.origin, s = a + b, d = abs(i - j);
    g.a += s;
    g.aa += a * a + b * b;
    g.ab += 2 * a * b;
    g.s2 += 2 * s * s;
    g.s3 += 2 * s * s * s;
    g.s4 += 2 * s * s * s * s;
    g.d1 += 2 * d;
    g.d2 += 2 * d * d;
    g.id += 2 / (1 + d);
    g.idn += 2 / (1 + d / top);
    g.idm += 2 / (1 + d * d);
    g.idmn += 2 / (1 + d * d / (top * top));
    g.inverse += d > 0 ? 2 / (d * d) : 0.0;
    const PairCounts c = compare(pairs, i, j);
    const int cell = i == j ? 2 * c.same : c.same;
    g.squares += 2.0 * cell;
    g.largest = max_of(g.largest, static_cast<double>(cell));
    g.joint_log += 2 * log2_of[cell];
    g.x_log += log2_of[c.first] + log2_of[c.second];
    g.sum_log += 2 * log2_of[2 * c.sum];
    g.difference_log += 2 * log2_of[2 * c.difference];
}

__device__ GlcmSums pair_sums(const Pairs &pairs, int ng, const double *log2_of) {
    GlcmSums g;
    double total = 0;
    for (int p = pairs.begin; p < pairs.end; ++p)
        if (pairs.inside(p)) {
            g.n += 2;
            total += pairs.first(p) + pairs.second(p);
        }
    if (g.n == 0)
        return g;
    g.origin = rint(total / g.n);
    for (int p = pairs.begin; p < pairs.end; ++p)
        if (pairs.inside(p))
            add_pair(pairs, pairs.first(p), pairs.second(p), ng, log2_of, g);
    g.b = g.a;
    g.bb = g.aa;
    g.y_log = g.x_log;
    return g;
}

// Position of a level in the list, appended if new.
__device__ int rank_of(double level, double *list, int &size) {
    for (int r = 0; r < size; ++r)
        if (list[r] == level)
            return r;
    list[size] = level;
    return size++;
}

__device__ bool graph_connected(const Pairs &pairs, double *levels, int size, i32 *parents) {
    DoubleCover cover(parents, size);
    for (int p = pairs.begin; p < pairs.end && !cover.connected(); ++p)
        if (pairs.inside(p))
            cover.add_pair(rank_of(pairs.first(p), levels, size),
                           rank_of(pairs.second(p), levels, size));
    return cover.connected();
}

__device__ double pair_mcc(const Pairs &pairs, double n, int most, double *scratch) {
    double *const matrix = scratch, *const levels = matrix + most * most;
    double *const marginal = levels + most;
    int size = 0;
    for (int p = pairs.begin; p < pairs.end; ++p)
        if (pairs.inside(p)) {
            rank_of(pairs.first(p), levels, size);
            rank_of(pairs.second(p), levels, size);
        }
    if (size < 2)
        return 0;
    if (!graph_connected(pairs, levels, size, reinterpret_cast<i32 *>(marginal)))
        return 1;
    for (int k = 0; k < size * size; ++k)
        matrix[k] = 0;
    for (int p = pairs.begin; p < pairs.end; ++p)
        if (pairs.inside(p)) {
            const int i = rank_of(pairs.first(p), levels, size);
            const int j = rank_of(pairs.second(p), levels, size);
            matrix[i * size + j] += 1;
            matrix[j * size + i] += 1;
        }
    for (int r = 0; r < size; ++r) {
        marginal[r] = 0;
        for (int c = 0; c < size; ++c)
            marginal[r] += matrix[r * size + c];
    }
    for (int r = 0; r < size; ++r)
        for (int c = 0; c <= r; ++c) {
            const double weight = sqrt(marginal[r] * marginal[c]);
            matrix[r * size + c] = matrix[r * size + c] / weight - weight / n;
        }
    tridiagonalise(matrix, size, levels, marginal);
    return largest_eigenvalue(levels, marginal, size, 1.0 + 1e-12);
}

struct Arguments {
    const i64 *centres, *window;
    const int *pairs, *starts;
    const double *log2_of;
    i64 count;
    int window_size, groups, ng, ibsi, mcc;
    double *scratch, *out;
};

// Mean over the threads of a window, one feature per thread and turn.
__device__ void write_means(const double *sums, const int *counts, double *out) {
    for (int f = threadIdx.x; f < glcm_feature_count; f += lanes) {
        double sum = 0;
        int defined = 0;
        for (int lane = 0; lane < lanes; ++lane) {
            sum += sums[lane * glcm_feature_count + f];
            defined += counts[lane * glcm_feature_count + f];
        }
        out[f] = defined ? sum / defined : nan("");
    }
}

template <class L> __device__ void local_glcm(const L *levels, const Arguments &a) {
    PYRAD_DYNAMIC_SHARED(int, shared); // levels of the windows
    __shared__ double sums[windows][lanes][glcm_feature_count];
    __shared__ int counts[windows][lanes][glcm_feature_count];
    const int lane = threadIdx.x, mine = threadIdx.y;
    const i64 centre = static_cast<i64>(blockIdx.x) * windows + mine;
    const bool active = centre < a.count;
    int *const seen = shared + mine * a.window_size;
    for (int v = lane; v < a.window_size; v += lanes)
        seen[v] = active ? static_cast<int>(levels[a.centres[centre] + a.window[v]]) : 0;
    for (int f = 0; f < glcm_feature_count; ++f) {
        sums[mine][lane][f] = 0;
        counts[mine][lane][f] = 0;
    }
    __syncthreads();

    const double flat_correlation = a.ibsi ? nan("") : 1.0, flat_imc1 = a.ibsi ? nan("") : 0.0;
    const i64 most = a.window_size;
    double *const scratch = a.scratch + (centre * lanes + lane) * (most * most + 2 * most);
    double values[glcm_feature_count];
    for (int g = lane; active && g < a.groups; g += lanes) {
        const Pairs pairs{seen, a.pairs, a.starts[g], a.starts[g + 1]};
        const GlcmSums found = pair_sums(pairs, a.ng, a.log2_of);
        if (found.n == 0)
            continue;
        glcm_finish(found, flat_correlation, flat_imc1, values);
        values[glcm_mcc] = a.mcc ? pair_mcc(pairs, found.n, a.window_size, scratch) : nan("");
        for (int f = 0; f < glcm_feature_count; ++f)
            if (values[f] == values[f]) {
                sums[mine][lane][f] += values[f];
                ++counts[mine][lane][f];
            }
    }
    __syncthreads();
    if (active)
        write_means(&sums[mine][0][0], &counts[mine][0][0], a.out + centre * glcm_feature_count);
}

} // namespace

PYRAD_KERNEL(local_glcm_u8)
(const unsigned char *levels, const long long *centres, long long count, const long long *window,
 int window_size, const int *pairs, const int *starts, int groups, int ng, int ibsi, int mcc,
 const double *log2_of, double *scratch, double *out) {
    local_glcm(levels, Arguments{centres, window, pairs, starts, log2_of, count, window_size,
                                 groups, ng, ibsi, mcc, scratch, out});
}

PYRAD_KERNEL(local_glcm_u16)
(const unsigned short *levels, const long long *centres, long long count, const long long *window,
 int window_size, const int *pairs, const int *starts, int groups, int ng, int ibsi, int mcc,
 const double *log2_of, double *scratch, double *out) {
    local_glcm(levels, Arguments{centres, window, pairs, starts, log2_of, count, window_size,
                                 groups, ng, ibsi, mcc, scratch, out});
}
