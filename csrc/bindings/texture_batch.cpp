// Matrices of many regions in one call, and the boxes of all labels.
#include "bindings/bind.hpp"
#include "texture/batch.hpp"
#include "texture/label_boxes.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace pyrad::bind {
namespace {

template <class T> void def_label_boxes(py::module_ &m) {
    m.def(
        "label_boxes",
        [](const Array<T> &mask, Array<i64> &out) {
            const auto from = input<3>(mask, "mask");
            const auto to = output<2>(out, "out");
            require_shape<2>(to.shape, {to.shape[0], label_box_columns}, "out");
            run([&] { label_boxes(from, to.shape[0], to.data); });
        },
        exact("mask"), exact("out"),
        "(begin, end, voxels) of the labels 0, 1, ... below len(out).");
}

// Volumes within `size` elements, larger than their margins, with levels that fit.
template <class L>
PackedRegions<L> regions_of(const L *levels, i64 size, const Array<i64> &shapes, i64 pad) {
    const auto table = input<2>(shapes, "shapes");
    require_shape<2>(table.shape, {table.shape[0], shape_columns}, "shapes");
    if (pad < 1 || pad > (i64(1) << 20))
        fail(ErrorKind::data, "pad is ", pad, "; expected at least 1");
    for (i64 r = 0; r < table.shape[0]; ++r) {
        const i64 *const s = table.data + shape_columns * r;
        const bool small = std::min({s[1], s[2], s[3]}) >= 2 * pad &&
                           std::max({s[1], s[2], s[3]}) <= (i64(1) << 20);
        if (!small || s[0] < 0 || s[0] > size || s[1] * s[2] * s[3] > size - s[0])
            fail(ErrorKind::shape, "region ", r, " leaves levels or is smaller than its margin");
        if (s[4] < 1 || s[4] > (sizeof(L) == 1 ? 255 : 65535))
            fail(ErrorKind::data, "region ", r, " has ", s[4], " levels");
    }
    return {levels, table.data, table.shape[0], pad};
}

// Tables of cells(r) elements each, within `size`.
template <class L, class Cells>
const i64 *starts_of(const Array<i64> &starts, const PackedRegions<L> &regions, i64 size,
                     Cells &&cells) {
    const auto at = input<1>(starts, "starts");
    require_shape<1>(at.shape, {regions.count + 1}, "starts");
    for (i64 r = 0; r < regions.count; ++r)
        if (at.data[r] < 0 || at.data[r + 1] > size || at.data[r + 1] - at.data[r] < cells(r))
            fail(ErrorKind::shape, "the tables of region ", r, " do not fit between its starts");
    return at.data;
}

View<const i32, 2> steps_of(const Array<i32> &offsets, i64 reach, bool forwards) {
    const auto steps = input<2>(offsets, "offsets");
    require_shape<2>(steps.shape, {steps.shape[0], 3}, "offsets");
    for (i64 k = 0; k < steps.shape[0]; ++k) {
        const i32 *o = steps.data + 3 * k;
        const i64 far = std::max({std::abs(i64(o[0])), std::abs(i64(o[1])), std::abs(i64(o[2]))});
        if (far > reach || far == 0 || (forwards && (o[0] ? o[0] : o[1] ? o[1] : o[2]) < 0))
            fail(ErrorKind::data, "offset ", k, " is 0, leaves the margin or points backwards");
    }
    return steps;
}

template <class T, class L> void def_discretise_batch(py::module_ &m) {
    m.def(
        "discretise_batch",
        [](const Array<T> &values, const Array<u8> &mask, const Array<i64> &boxes,
           const Array<double> &rules, const Array<i64> &shapes, i64 pad, Array<L> &out,
           Array<i64> &counts) {
            const auto from = input<1>(values, "values");
            const auto inside = input<1>(mask, "mask");
            require_shape<1>(inside.shape, from.shape, "mask");
            const auto to = output<1>(out, "out");
            const auto regions = regions_of<L>(to.data, to.shape[0], shapes, pad);
            const auto box = input<2>(boxes, "boxes");
            const auto rule = input<2>(rules, "rules");
            const auto histogram = output<2>(counts, "counts");
            require_shape<2>(box.shape, {regions.count, 4}, "boxes");
            require_shape<2>(rule.shape, {regions.count, 4}, "rules");
            require_shape<2>(histogram.shape, {regions.count, histogram.shape[1]}, "counts");
            for (i64 r = 0; r < regions.count; ++r) {
                const i64 *const b = box.data + 4 * r, *const s = regions.shapes + 5 * r;
                bool fits = b[0] >= 0 && b[0] <= from.shape[0] &&
                            b[1] * b[2] * b[3] <= from.shape[0] - b[0];
                for (int d = 1; d < 4; ++d)
                    fits &= b[d] == s[d] - 2 * pad;
                if (!fits)
                    fail(ErrorKind::shape, "box ", r, " leaves values or is not its region's");
                const double width = rule.data[4 * r + 2];
                if (!(width > 0) || !std::isfinite(width))
                    fail(ErrorKind::data, "the width of region ", r, " is ", width);
            }
            run([&] {
                discretise_batch(from.data, inside.data, box.data, rule.data, regions, to.data,
                                 histogram.shape[1], histogram.data);
            });
        },
        exact("values"), exact("mask"), exact("boxes"), exact("rules"), exact("shapes"), "pad"_a,
        exact("out"), exact("counts"));
}

template <class L> void def_matrices(py::module_ &m) {
    m.def(
        "glcm_count_batch",
        [](const Array<L> &levels, const Array<i64> &shapes, i64 pad, const Array<i32> &offsets,
           const Array<i64> &starts, Array<u32> &out) {
            const auto from = input<1>(levels, "levels");
            const auto regions = regions_of<L>(from.data, from.shape[0], shapes, pad);
            const auto steps = steps_of(offsets, pad, false);
            const auto to = output<1>(out, "out");
            const i64 *at = starts_of(starts, regions, to.shape[0], [&](i64 r) {
                return steps.shape[0] * regions.ng(r) * regions.ng(r);
            });
            run([&] { glcm_count_batch(regions, at, steps.data, steps.shape[0], to.data); });
        },
        exact("levels"), exact("shapes"), "pad"_a, exact("offsets"), exact("starts"), exact("out"));
    m.def(
        "run_lengths_batch",
        [](const Array<L> &levels, const Array<i64> &shapes, i64 pad, const Array<i32> &offsets,
           const Array<i64> &starts, Array<u64> &out) {
            const auto from = input<1>(levels, "levels");
            const auto regions = regions_of<L>(from.data, from.shape[0], shapes, pad);
            const auto steps = steps_of(offsets, 1, true);
            const auto to = output<1>(out, "out");
            const i64 *at = starts_of(starts, regions, to.shape[0], [&](i64 r) {
                const auto n = regions.view(r).shape;
                const i64 longest = *std::max_element(n.begin(), n.end()) - 2 * pad;
                return steps.shape[0] * regions.ng(r) * longest;
            });
            run([&] { run_lengths_batch(regions, at, steps.data, steps.shape[0], to.data); });
        },
        exact("levels"), exact("shapes"), "pad"_a, exact("offsets"), exact("starts"), exact("out"));
    m.def(
        "neighbourhood_batch",
        [](const Array<L> &levels, const Array<i64> &shapes, i64 pad, const Array<i32> &offsets,
           i32 alpha, const Array<i64> &starts, Array<u64> &tones, Array<u64> &dependences) {
            const auto from = input<1>(levels, "levels");
            const auto regions = regions_of<L>(from.data, from.shape[0], shapes, pad);
            const auto steps = steps_of(offsets, pad, false);
            const auto tone = output<1>(tones, "tones");
            const auto dependence = output<1>(dependences, "dependences");
            require_shape<1>(tone.shape, {2 * dependence.shape[0]}, "tones");
            if (alpha < 0 || steps.shape[0] > 65535)
                fail(ErrorKind::data, "alpha is ", alpha, ", neighbours are ", steps.shape[0]);
            const i64 *at = starts_of(starts, regions, dependence.shape[0],
                                      [&](i64 r) { return regions.ng(r) * (steps.shape[0] + 1); });
            run([&] {
                neighbourhood_batch(regions, at, steps.data, steps.shape[0], alpha, tone.data,
                                    dependence.data);
            });
        },
        exact("levels"), exact("shapes"), "pad"_a, exact("offsets"), "alpha"_a, exact("starts"),
        exact("tones"), exact("dependences"));
    m.def(
        "find_zones_batch",
        [](const Array<L> &levels, const Array<i64> &shapes, i64 pad, bool in_plane,
           const Array<i64> &starts, Array<i32> &zones, Array<i64> &counts) {
            const auto from = input<1>(levels, "levels");
            const auto regions = regions_of<L>(from.data, from.shape[0], shapes, pad);
            const auto to = output<2>(zones, "zones");
            const auto found = output<1>(counts, "counts");
            require_shape<2>(to.shape, {to.shape[0], 4}, "zones");
            require_shape<1>(found.shape, {regions.count}, "counts");
            const i64 *at = starts_of(starts, regions, to.shape[0], [](i64) { return i64(0); });
            run([&] { find_zones_batch(regions, at, in_plane, to.data, found.data); });
        },
        exact("levels"), exact("shapes"), "pad"_a, "in_plane"_a, exact("starts"), exact("zones"),
        exact("counts"));
}

} // namespace

void bind_texture_batch(py::module_ &m) {
    def_label_boxes<u8>(m);
    def_label_boxes<u16>(m);
    def_label_boxes<short>(m);
    def_label_boxes<i32>(m);
    def_label_boxes<i64>(m);
    def_discretise_batch<float, u8>(m);
    def_discretise_batch<float, u16>(m);
    def_discretise_batch<double, u8>(m);
    def_discretise_batch<double, u16>(m);
    def_matrices<u8>(m);
    def_matrices<u16>(m);
}

} // namespace pyrad::bind
