#include "texture/batch.hpp"

#include "base/error.hpp"
#include "base/pool.hpp"
#include "texture/discretise.hpp"
#include "texture/glcm.hpp"
#include "texture/neighbourhood.hpp"
#include "texture/packed_levels.hpp"
#include "texture/run_lengths.hpp"
#include "texture/zones.hpp"

#include <algorithm>

namespace pyrad {
namespace {

// each(r, volume): a kernel within runs on the thread that it is called from.
template <class L, class Each>
void for_regions(const PackedRegions<L> &regions, i64 least_pad, Each &&each) {
    parallel_for(regions.count, 1, [&](i64 r, i64, int) {
        const auto volume = regions.view(r);
        require_margin(volume, regions.pad, least_pad);
        require_below(volume, regions.ng(r));
        each(r, volume);
    });
}

template <class C> View<C, 3> box_view(C *values, const i64 *box) {
    return {values + box[0], {box[1], box[2], box[3]}, {box[2] * box[3], box[3], 1}};
}

} // namespace

template <class T, class L>
void discretise_batch(const T *values, const u8 *mask, const i64 *boxes, const double *rules,
                      const PackedRegions<L> &regions, L *levels, i64 columns, i64 *counts) {
    parallel_for(regions.count, 1, [&](i64 r, i64, int) {
        const i64 *const shape = regions.shapes + shape_columns * r;
        const double *const rule = rules + 4 * r;
        const i32 ng = static_cast<i32>(regions.ng(r));
        const View<L, 3> to{
            levels + shape[0], {shape[1], shape[2], shape[3]}, {shape[2] * shape[3], shape[3], 1}};
        const auto from = box_view<const T>(values, boxes + 4 * r);
        const auto inside = box_view<const u8>(mask, boxes + 4 * r);
        if (rule[0] == 0)
            discretise_uniform(from, inside, UniformBins{rule[1], rule[2], rule[3], ng},
                               regions.pad, to);
        else
            discretise_steps(from, inside, StepBins{rule[1], rule[2], 1 / rule[2], ng}, regions.pad,
                             to);
        level_histogram(to.data, to.size(), counts + r * columns, columns);
    });
}

template <class L>
void glcm_count_batch(const PackedRegions<L> &regions, const i64 *starts, const i32 *offsets,
                      i64 count, u32 *out) {
    for_regions(regions, 1, [&](i64 r, View<const L, 3> volume) {
        glcm_count(volume, regions.pad, offsets, count, regions.ng(r), false, out + starts[r]);
    });
}

template <class L>
void run_lengths_batch(const PackedRegions<L> &regions, const i64 *starts, const i32 *offsets,
                       i64 count, u64 *out) {
    for_regions(regions, 1, [&](i64 r, View<const L, 3> volume) {
        const i64 longest = *std::max_element(volume.shape.begin(), volume.shape.end());
        run_lengths(volume, regions.pad, offsets, count, regions.ng(r), longest - 2 * regions.pad,
                    false, out + starts[r]);
    });
}

template <class L>
void neighbourhood_batch(const PackedRegions<L> &regions, const i64 *starts, const i32 *offsets,
                         i64 count, i32 alpha, u64 *tones, u64 *dependences) {
    for_regions(regions, 1, [&](i64 r, View<const L, 3> volume) {
        neighbourhood(volume, regions.pad, offsets, count, regions.ng(r), alpha, false,
                      tones + 2 * starts[r], dependences + starts[r]);
    });
}

template <class L>
void find_zones_batch(const PackedRegions<L> &regions, const i64 *starts, bool in_plane, i32 *zones,
                      i64 *counts) {
    for_regions(regions, 1, [&](i64 r, View<const L, 3> volume) {
        const i64 room = starts[r + 1] - starts[r];
        counts[r] = find_zones(volume, regions.pad, in_plane, nullptr,
                               View<i32, 2>{zones + 4 * starts[r], {room, 4}, {4, 1}});
    });
}

#define PYRAD_BATCH(L)                                                                             \
    template void discretise_batch(const float *, const u8 *, const i64 *, const double *,         \
                                   const PackedRegions<L> &, L *, i64, i64 *);                     \
    template void discretise_batch(const double *, const u8 *, const i64 *, const double *,        \
                                   const PackedRegions<L> &, L *, i64, i64 *);                     \
    template void glcm_count_batch(const PackedRegions<L> &, const i64 *, const i32 *, i64,        \
                                   u32 *);                                                         \
    template void run_lengths_batch(const PackedRegions<L> &, const i64 *, const i32 *, i64,       \
                                    u64 *);                                                        \
    template void neighbourhood_batch(const PackedRegions<L> &, const i64 *, const i32 *, i64,     \
                                      i32, u64 *, u64 *);                                          \
    template void find_zones_batch(const PackedRegions<L> &, const i64 *, bool, i32 *, i64 *);
PYRAD_BATCH(u8)
PYRAD_BATCH(u16)
#undef PYRAD_BATCH

} // namespace pyrad
