// Blockwise non-local means: 16 neighbours along x at a time, where any of them counts.
#include "denoise/nlm_blocks.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <vector>

namespace pyrad::nlm {
namespace {

constexpr i64 lanes = block_lanes;

// Offsets of the patch's elements in a padded volume.
template <class T> std::vector<i64> patch_offsets(const Blocks<T> &b) {
    std::vector<i64> offsets;
    for (i64 z = -b.patch.z; z <= b.patch.z; ++z)
        for (i64 y = -b.patch.y; y <= b.patch.y; ++y)
            for (i64 x = -b.patch.x; x <= b.patch.x; ++x)
                offsets.push_back((z * b.high + y) * b.wide + x);
    return offsets;
}

template <class T> bool any_alike(const Blocks<T> &b, i64 centre, i64 other, i64 count) {
    for (i64 i = 0; i < count; ++i)
        if (alike(b.mean[centre], b.mean[other + i], b.mean_limit) &&
            alike(b.spread[centre], b.spread[other + i], b.spread_limit))
            return true;
    return false;
}

// sums[i] = sum over the patch of (other[i + k] - centre[k])^2.
template <class T>
PYRAD_CLONES void distances(const T *centre, const T *other, const i64 *offsets, i64 size,
                            T *__restrict sums) {
    T sum[lanes] = {};
    for (i64 k = 0; k < size; ++k) {
        const T own = centre[offsets[k]];
        const T *__restrict row = other + offsets[k];
        for (i64 i = 0; i < lanes; ++i)
            sum[i] += (row[i] - own) * (row[i] - own);
    }
    std::copy_n(sum, lanes, sums);
}

// sums[k][i] += w[i] (other[i + k] - centre[k]).
template <class T>
PYRAD_CLONES void add_blocks(const T *centre, const T *other, const i64 *offsets, i64 size,
                             const T *__restrict w, T *__restrict sums) {
    for (i64 k = 0; k < size; ++k) {
        const T own = centre[offsets[k]];
        const T *__restrict row = other + offsets[k];
        T *__restrict sum = sums + k * lanes;
        for (i64 i = 0; i < lanes; ++i)
            sum[i] += w[i] * (row[i] - own);
    }
}

template <class T> T total(const T *sums) {
    T sum = 0;
    for (i64 i = 0; i < lanes; ++i)
        sum += sums[i];
    return sum;
}

// One centre; `scratch` holds lanes sums per element of the patch and one more.
template <class T>
void estimate(const Blocks<T> &b, i64 z, i64 y, i64 x, const std::vector<i64> &offsets, T *scratch,
              T *out) {
    const i64 size = static_cast<i64>(offsets.size()), centre = b.at(z, y, x);
    const i64 here = b.padded(z, y, x);
    std::fill(scratch, scratch + (size + 1) * lanes, T(0));
    T *weights = scratch + size * lanes;
    const i64 end = std::min(x + b.search.x, b.nx - 1) + 1;
    for (i64 oz = std::max<i64>(z - b.search.z, 0); oz <= std::min(z + b.search.z, b.nz - 1); ++oz)
        for (i64 oy = std::max<i64>(y - b.search.y, 0); oy <= std::min(y + b.search.y, b.ny - 1);
             ++oy)
            for (i64 ox = std::max<i64>(x - b.search.x, 0); ox < end; ox += lanes) {
                const i64 other = b.at(oz, oy, ox), count = std::min(lanes, end - ox);
                if (!any_alike(b, centre, other, count))
                    continue;
                const i64 there = b.padded(oz, oy, ox);
                T w[lanes] = {}, sums[lanes];
                distances(b.image + here, b.image + there, offsets.data(), size, sums);
                for (i64 i = 0; i < count; ++i)
                    w[i] = other + i == centre ? T(1) : block_weight(b, sums[i], centre, other + i);
                for (i64 i = 0; i < lanes; ++i)
                    weights[i] += w[i];
                add_blocks(b.values + here, b.values + there, offsets.data(), size, w, scratch);
            }
    const T weight = total(weights);
    for (i64 k = 0; k < size; ++k)
        out[k] = b.values[here + offsets[k]] + total(scratch + k * lanes) / weight;
}

} // namespace

template <class T> void block_estimates(const Blocks<T> &b, T *out) {
    const std::vector<i64> offsets = patch_offsets(b);
    const i64 size = static_cast<i64>(offsets.size()), sums = (size + 1) * lanes;
    std::vector<T> scratch(max_workers() * sums);
    parallel_for(b.gz * b.gy, 1, [&](i64 row, i64, int worker) {
        for (i64 x = 0; x < b.gx; ++x) {
            poll();
            estimate(b, row / b.gy * b.step.z, row % b.gy * b.step.y, x * b.step.x, offsets,
                     scratch.data() + worker * sums, out + (row * b.gx + x) * size);
        }
    });
}

template void block_estimates(const Blocks<float> &, float *);
template void block_estimates(const Blocks<double> &, double *);

} // namespace pyrad::nlm
