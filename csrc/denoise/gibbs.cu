// CUDA twin of gibbs.cpp. A thread owns one sample of two real lines (or of one complex line).
// Lines are short and all shifts are wanted, so a shifted line is a convolution with the periodic
// sinc 1/N sum_k cos(2 pi k (d + s) / N), |k| < N/2, split into its even and odd part in d: from
// the sums and differences of the samples at l - d and l + d one pass makes `group` shifts to both
// sides in registers. The line stands in shared memory; so do, for one shift at a time, the shifted
// samples of the block and their steps. Lines longer than a block are cut into tiles with a margin.
#include "denoise/gibbs_math.hpp"

namespace pyrad::gibbs {
namespace {

constexpr int group = 10; // shifts that one pass makes

template <class T> struct alignas(2 * sizeof(T)) Pair {
    T a, b;
};
template <class T> __device__ Pair<T> operator+(Pair<T> x, Pair<T> y) {
    return {x.a + y.a, x.b + y.b};
}
template <class T> __device__ Pair<T> operator-(Pair<T> x, Pair<T> y) {
    return {x.a - y.a, x.b - y.b};
}
template <class T> __device__ Pair<T> operator*(T s, Pair<T> x) { return {s * x.a, s * x.b}; }

// Kernels of two shifts at one distance.
template <class T> struct alignas(4 * sizeof(T)) Taps {
    T even0, odd0, even1, odd1;
};

template <class T> struct Block {
    Search search;
    int length, threads; // of the line; of the block along it
    int margin;          // samples before and behind those that the block writes; 0: whole line
    int local, sample;   // of this thread
    Pair<T> *line, *shifted[2], *steps[2]; // shared, of this thread's line

    // Place of the sample `offset` further on. In margins it may be no sample's, and is not used.
    __device__ int near_by(int offset) const {
        const int at = local + offset;
        if (margin == 0)
            return static_cast<int>(wrapped(at, length));
        return clamp(at, 0, threads - 1);
    }
};

template <class T> struct Best {
    Pair<T> least, value;
};

// Shows both shifted samples to the block and keeps what ripples less.
template <class T>
__device__ void choose(const Block<T> &block, const Pair<T> *shifted, T fraction, Best<T> *best) {
    const bool active = block.local < block.threads;
    const int sides = !active ? 0 : fraction == 0 ? 1 : 2, before = block.near_by(-1);
    __syncthreads();
#pragma unroll
    for (int side = 0; side < 2; ++side)
        if (side < sides)
            block.shifted[side][block.local] = shifted[side];
    __syncthreads();
#pragma unroll
    for (int side = 0; side < 2; ++side) {
        if (side >= sides)
            continue;
        const Pair<T> d = shifted[side] - block.shifted[side][before];
        Pair<T> step{fabs(d.a), fabs(d.b)};
        if (block.search.joint)
            step.a = step.b = step.a + step.b;
        block.steps[side][block.local] = step;
    }
    __syncthreads();
#pragma unroll
    for (int side = 0; side < 2; ++side) {
        if (side >= sides)
            continue;
        Pair<T> left{0, 0}, right{0, 0};
#pragma unroll 1 // code for every shift: a short loop, not four copies of it
        for (int t = block.search.near; t <= block.search.far; ++t) {
            left = left + block.steps[side][block.near_by(-t)];
            right = right + block.steps[side][block.near_by(1 + t)];
        }
        const Pair<T> neighbour = block.shifted[side][block.near_by(side == 0 ? -1 : 1)];
        const Pair<T> value = (1 - fraction) * shifted[side] + fraction * neighbour;
        const T a = min_of(left.a, right.a), b = min_of(left.b, right.b);
        if (a < best->least.a) {
            best->least.a = a;
            best->value.a = value.a;
        }
        if (b < best->least.b) {
            best->least.b = b;
            best->value.b = value.b;
        }
    }
}

// C and S of `group` shifts at this thread's sample.
template <class T>
__device__ void convolve(const Block<T> &block, const Taps<T> *taps, Pair<T> *even, Pair<T> *odd) {
    for (int j = 0; j < group; ++j)
        even[j] = odd[j] = Pair<T>{0, 0};
    int behind = block.sample, ahead = block.sample;
    for (int d = 0; 2 * d <= block.length; ++d, taps += group / 2) {
        const Pair<T> x = block.line[behind], y = block.line[ahead];
        const Pair<T> sum = x + y, difference = x - y;
#pragma unroll
        for (int j = 0; j < group; j += 2) {
            const Taps<T> tap = taps[j / 2];
            even[j] = even[j] + tap.even0 * sum;
            odd[j] = odd[j] + tap.odd0 * difference;
            even[j + 1] = even[j + 1] + tap.even1 * sum;
            odd[j + 1] = odd[j + 1] + tap.odd1 * difference;
        }
        behind = behind == 0 ? block.length - 1 : behind - 1;
        ahead = ahead == block.length - 1 ? 0 : ahead + 1;
    }
}

// x and out hold `count` real lines, `row` of them side by side; table [groups][distance][group].
template <class T>
__device__ void unring(const T *x, i64 count, i64 length, i64 row, int threads, int margin,
                       const T *table, const Search &search, unsigned char *shared, T *out) {
    Block<T> block;
    block.search = search;
    block.length = static_cast<int>(length);
    block.threads = threads;
    block.margin = margin;
    block.local = static_cast<int>(threadIdx.x);
    auto *mine = reinterpret_cast<Pair<T> *>(shared) + threadIdx.y * (length + 4 * threads);
    block.line = mine;
    for (int side = 0; side < 2; ++side) {
        block.shifted[side] = mine + length + side * threads;
        block.steps[side] = mine + length + (2 + side) * threads;
    }
    const i64 first = static_cast<i64>(blockIdx.y) * (threads - 2 * margin) - margin;
    block.sample = static_cast<int>(wrapped(first + block.local, length));
    const i64 lane = 2 * (static_cast<i64>(blockIdx.x) * blockDim.y + threadIdx.y);
    const auto place = [&](i64 at, i64 i) { return at / row * length * row + at % row + i * row; };
    for (i64 i = block.local; i < length; i += blockDim.x)
        block.line[i] = {lane < count ? x[place(lane, i)] : T(0),
                         lane + 1 < count ? x[place(lane + 1, i)] : T(0)};
    __syncthreads();
    Pair<T> both[2] = {block.line[block.sample], {0, 0}};
    Best<T> best{{T(3e38), T(3e38)}, both[0]};
    choose(block, both, T(0), &best);
    const i64 per_group = (length / 2 + 1) * group / 2;
    const auto *taps = reinterpret_cast<const Taps<T> *>(table);
    for (int begin = 0; begin < search.shifts; begin += group, taps += per_group) {
        Pair<T> even[group], odd[group];
        convolve(block, taps, even, odd);
#pragma unroll
        for (int j = 0; j < group; ++j) {
            if (begin + j >= search.shifts)
                continue;
            both[0] = even[j] + odd[j];
            both[1] = even[j] - odd[j];
            choose(block, both, T(begin + j + 1) / T(2 * search.shifts), &best);
        }
    }
    const bool writes =
        block.local >= margin && block.local < threads - margin && first + block.local < length;
    if (writes && lane < count)
        out[place(lane, block.sample)] = best.value.a;
    if (writes && lane + 1 < count)
        out[place(lane + 1, block.sample)] = best.value.b;
}

} // namespace
} // namespace pyrad::gibbs

PYRAD_KERNEL(gibbs_lines_f64)
(const double *x, long long count, long long length, long long row, int threads, int margin,
 const double *table, int shifts, int near, int far, int joint, double *out) {
    PYRAD_DYNAMIC_SHARED(unsigned char, shared);
    pyrad::gibbs::unring(x, count, length, row, threads, margin, table,
                         {shifts, near, far, joint != 0}, shared, out);
}
