// Features of the window around every voxel (maps).
#include "bindings/bind.hpp"
#include "texture/first_order_math.hpp"
#include "texture/glcm_math.hpp"
#include "texture/local_custom.hpp"
#include "texture/local_first_order.hpp"
#include "texture/local_glcm.hpp"
#include "texture/local_matrices.hpp"
#include "texture/local_pair_sums.hpp"
#include "texture/ngtdm_math.hpp"
#include "texture/packed_levels.hpp"
#include "texture/pair_plan.hpp"
#include "texture/size_features_math.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace pyrad::bind {

void bind_texture_local(py::module_ &m);

namespace {

// Every voxel of every window lies inside the array.
template <class L>
void require_windows(View<const L, 3> levels, View<const i64, 1> centres,
                     View<const i64, 1> window) {
    if (!centres.shape[0] || !window.shape[0])
        return;
    const auto [low, high] = std::minmax_element(window.data, window.data + window.shape[0]);
    for (i64 c = 0; c < centres.shape[0]; ++c)
        if (centres.data[c] + *low < 0 || centres.data[c] + *high >= levels.size())
            fail(ErrorKind::shape, "the window around voxel ", centres.data[c], " leaves levels");
}

// Centres ascend, and the window around every one lies inside the array.
template <class L>
void require_reach(View<const L, 3> levels, View<const i64, 1> centres, const i64 *reach) {
    const auto &shape = levels.shape;
    for (int axis = 0; axis < 3; ++axis)
        if (reach[axis] < 0 || reach[axis] >= shape[axis])
            fail(ErrorKind::shape, "reach is ", reach[axis], " along axis ", axis, " of length ",
                 shape[axis]);
    const auto inside = [&](i64 at, int axis) {
        return at >= reach[axis] && at < shape[axis] - reach[axis];
    };
    for (i64 c = 0; c < centres.shape[0]; ++c) {
        const i64 at = centres.data[c], row = at / shape[2];
        if (at < 0 || !inside(at % shape[2], 2) || !inside(row % shape[1], 1) ||
            !inside(row / shape[1], 0))
            fail(ErrorKind::shape, "the window around voxel ", at, " leaves levels");
        if (c && centres.data[c] <= centres.data[c - 1])
            fail(ErrorKind::data, "centres is not ascending at ", c);
    }
}

void require_groups(const LocalDirections &local, i64 offsets) {
    const i64 groups = local.groups;
    if (groups < 0 || local.starts[0] != 0 || local.starts[groups] != offsets ||
        !std::is_sorted(local.starts, local.starts + groups + 1))
        fail(ErrorKind::data, "starts does not cut offsets into groups");
}

// Calls kernel(levels, centres, count, directions) with what the maps of co-occurrence have in
// common.
template <class L, class Kernel>
void run_directions(const Array<L> &levels, const Array<i64> &centres, const Array<i32> &offsets,
                    const Array<i32> &starts, const std::array<i64, 3> &reach, i64 ng,
                    View<double, 2> out, Kernel &&kernel) {
    const auto from = input<3>(levels, "levels");
    const auto at = input<1>(centres, "centres");
    const auto steps = input<2>(offsets, "offsets");
    const auto groups = input<1>(starts, "starts");
    require_shape<2>(out.shape, {at.shape[0], glcm_feature_count}, "out");
    require_shape<2>(steps.shape, {steps.shape[0], 3}, "offsets");
    const LocalDirections local{
        steps.data, groups.data, groups.shape[0] - 1, {reach[0], reach[1], reach[2]}};
    require_groups(local, steps.shape[0]);
    require_reach(from, at, local.reach);
    run([&] {
        require_below(from, ng);
        kernel(from, at.data, at.shape[0], local);
    });
}

template <class L> void def_local_glcm(py::module_ &m) {
    m.def(
        "local_glcm",
        [](const Array<L> &levels, const Array<i64> &centres, const Array<i32> &offsets,
           const Array<i32> &starts, const std::array<i64, 3> &reach, i64 ng, bool ibsi,
           bool histograms, bool mcc, Array<double> &out) {
            const auto to = output<2>(out, "out");
            run_directions(levels, centres, offsets, starts, reach, ng, to,
                           [&](auto from, const i64 *at, i64 count, const LocalDirections &local) {
                               local_glcm(from, at, count, local, ng, ibsi, histograms, mcc,
                                          to.data);
                           });
        },
        exact("levels"), exact("centres"), exact("offsets"), exact("starts"), "reach"_a, "ng"_a,
        "ibsi"_a, "histograms"_a, "mcc"_a, exact("out"));
}

template <class L> void def_local_pair_sums(py::module_ &m) {
    m.def(
        "local_pair_sums",
        [](const Array<L> &levels, const Array<i64> &centres, const Array<i32> &offsets,
           const Array<i32> &starts, const std::array<i64, 3> &reach, i64 ng, bool ibsi,
           Array<double> &out) {
            const auto to = output<2>(out, "out");
            run_directions(levels, centres, offsets, starts, reach, ng, to,
                           [&](auto from, const i64 *at, i64 count, const LocalDirections &local) {
                               local_pair_sums(from, at, count, local, ng, ibsi, to.data);
                           });
        },
        exact("levels"), exact("centres"), exact("offsets"), exact("starts"), "reach"_a, "ng"_a,
        "ibsi"_a, exact("out"));
}

// Tables of the sums over pairs (pair_sums_math.hpp); returns their units.
void def_pair_weights(py::module_ &m) {
    m.def(
        "pair_weights",
        [](i64 ng, i64 most_pairs, Array<i64> &one, Array<i64> &twice, Array<i64> &by_difference) {
            const auto ones = output<1>(one, "one"), twices = output<1>(twice, "twice");
            const auto rows = output<2>(by_difference, "by_difference");
            require_shape<1>(ones.shape, {2 * most_pairs + 2}, "one");
            require_shape<1>(twices.shape, {most_pairs + 2}, "twice");
            require_shape<2>(rows.shape, {ng, pair_difference_count}, "by_difference");
            const PairPlan plan(ng, most_pairs);
            const PairWeights w = plan.weights();
            std::copy_n(w.one, ones.size(), ones.data);
            std::copy_n(w.twice, twices.size(), twices.data);
            std::copy_n(w.by_difference, rows.size(), rows.data);
            return py::make_tuple(w.log_unit, w.share_unit);
        },
        "ng"_a, "most_pairs"_a, exact("one"), exact("twice"), exact("by_difference"));
}

template <class T, class L> void def_local_first_order(py::module_ &m) {
    m.def(
        "local_first_order",
        [](const Array<T> &values, const Array<L> &levels, const Array<i64> &centres,
           const std::array<i64, 3> &reach, i64 ng, double shift, double voxel_volume,
           double excess, double flat, Array<double> &out) {
            const auto from = input<3>(values, "values");
            const auto inside = input<3>(levels, "levels");
            require_shape<3>(inside.shape, from.shape, "levels");
            const auto at = input<1>(centres, "centres");
            const auto to = output<2>(out, "out");
            require_shape<2>(to.shape, {at.shape[0], first_order_feature_count}, "out");
            const i64 reaches[3] = {reach[0], reach[1], reach[2]};
            require_reach(inside, at, reaches);
            const LocalStatistics settings{shift, voxel_volume, excess, flat};
            run([&] {
                require_below(inside, ng);
                local_first_order(from, inside, at.data, at.shape[0], reaches, ng, settings,
                                  to.data);
            });
        },
        exact("values"), exact("levels"), exact("centres"), "reach"_a, "ng"_a, "shift"_a,
        "voxel_volume"_a, "excess"_a, "flat"_a, exact("out"));
}

template <class T> void def_local_custom(py::module_ &m) {
    m.def(
        "local_custom",
        [](const Array<T> &values, const Array<u8> &inside, const Array<i64> &centres,
           const Array<i64> &window, const std::array<i64, 3> &shape,
           const std::array<double, 3> &spacing, std::uintptr_t feature, Array<double> &out) {
            const auto from = input<3>(values, "values");
            const auto within = input<3>(inside, "inside");
            require_shape<3>(within.shape, from.shape, "inside");
            const auto at = input<1>(centres, "centres");
            const auto steps = input<1>(window, "window");
            const auto to = output<1>(out, "out");
            require_shape<1>(to.shape, at.shape, "out");
            require_shape<1>(steps.shape, {shape[0] * shape[1] * shape[2]}, "window");
            require_windows(within, at, steps);
            if (!feature)
                fail(ErrorKind::data, "feature is a null pointer");
            const LocalBox box{
                steps.data, {shape[0], shape[1], shape[2]}, {spacing[0], spacing[1], spacing[2]}};
            run([&] {
                local_custom(from, within, at.data, at.shape[0], box,
                             reinterpret_cast<LocalFeature>(feature), to.data);
            });
        },
        exact("values"), exact("inside"), exact("centres"), exact("window"), "shape"_a, "spacing"_a,
        "feature"_a, exact("out"));
}

// Steps to a neighbour that comes later in C order, at most `furthest` away along each axis.
void require_steps(View<const i32, 2> offsets, i32 furthest) {
    require_shape<2>(offsets.shape, {offsets.shape[0], 3}, "offsets");
    for (i64 d = 0; d < offsets.shape[0]; ++d) {
        const i32 *const step = offsets.data + 3 * d;
        const bool near =
            std::all_of(step, step + 3, [&](i32 n) { return n >= -furthest && n <= furthest; });
        const i32 first = step[0] ? step[0] : step[1] ? step[1] : step[2];
        if (!near || first <= 0)
            fail(ErrorKind::data, "offset ", d, " is (", step[0], ", ", step[1], ", ", step[2],
                 "); expected a step to a neighbour that comes later");
    }
}

constexpr i32 most_steps = 13; // to direct neighbours
constexpr i32 furthest_step = 1 << 10;

// Calls kernel(levels, centres, count, steps) with what the maps of zones and neighbourhoods have
// in common.
template <class L, class Kernel>
void run_steps(const Array<L> &levels, const Array<i64> &centres, const Array<i32> &offsets,
               const std::array<i64, 3> &reach, i32 furthest, i64 ng, View<double, 2> out,
               i64 features, Kernel &&kernel) {
    const auto from = input<3>(levels, "levels");
    const auto at = input<1>(centres, "centres");
    const auto steps = input<2>(offsets, "offsets");
    require_shape<2>(out.shape, {at.shape[0], features}, "out");
    require_steps(steps, furthest);
    const LocalSteps local{steps.data, steps.shape[0], {reach[0], reach[1], reach[2]}};
    require_reach(from, at, local.reach);
    run([&] {
        require_below(from, ng);
        kernel(from, at.data, at.shape[0], local);
    });
}

template <class L> void def_local_glrlm(py::module_ &m) {
    m.def(
        "local_glrlm",
        [](const Array<L> &levels, const Array<i64> &centres, const Array<i32> &offsets,
           const std::array<i64, 3> &reach, i64 ng, bool merged, bool left_out,
           Array<double> &out) {
            const auto to = output<2>(out, "out");
            run_steps(levels, centres, offsets, reach, 1, ng, to, size_feature_count,
                      [&](auto from, const i64 *at, i64 count, const LocalSteps &local) {
                          const RunDirections directions{
                              local.offsets,
                              local.count,
                              {local.reach[0], local.reach[1], local.reach[2]},
                              merged,
                              left_out};
                          local_glrlm(from, at, count, directions, ng, to.data);
                      });
        },
        exact("levels"), exact("centres"), exact("offsets"), "reach"_a, "ng"_a, "merged"_a,
        "left_out"_a, exact("out"));
}

template <class L> void def_local_glszm(py::module_ &m) {
    m.def(
        "local_glszm",
        [](const Array<L> &levels, const Array<i64> &centres, const Array<i32> &offsets,
           const std::array<i64, 3> &reach, i64 ng, Array<double> &out) {
            const auto to = output<2>(out, "out");
            if (offsets.shape(0) > most_steps)
                fail(ErrorKind::shape, "there are ", offsets.shape(0), " offsets; at most ",
                     most_steps, " are direct neighbours that come later");
            run_steps(levels, centres, offsets, reach, 1, ng, to, size_feature_count,
                      [&](auto from, const i64 *at, i64 count, const LocalSteps &local) {
                          local_glszm(from, at, count, local, ng, to.data);
                      });
        },
        exact("levels"), exact("centres"), exact("offsets"), "reach"_a, "ng"_a, exact("out"));
}

template <class L> void def_local_ngldm(py::module_ &m) {
    m.def(
        "local_ngldm",
        [](const Array<L> &levels, const Array<i64> &centres, const Array<i32> &offsets,
           const std::array<i64, 3> &reach, i64 ng, i64 alpha, Array<double> &out) {
            const auto to = output<2>(out, "out");
            run_steps(levels, centres, offsets, reach, furthest_step, ng, to, size_feature_count,
                      [&](auto from, const i64 *at, i64 count, const LocalSteps &local) {
                          local_ngldm(from, at, count, local, ng, alpha, to.data);
                      });
        },
        exact("levels"), exact("centres"), exact("offsets"), "reach"_a, "ng"_a, "alpha"_a,
        exact("out"));
}

template <class L> void def_local_ngtdm(py::module_ &m) {
    m.def(
        "local_ngtdm",
        [](const Array<L> &levels, const Array<i64> &centres, const Array<i32> &offsets,
           const std::array<i64, 3> &reach, i64 ng, bool alone, Array<double> &out) {
            const auto to = output<2>(out, "out");
            run_steps(levels, centres, offsets, reach, furthest_step, ng, to, ngtdm_feature_count,
                      [&](auto from, const i64 *at, i64 count, const LocalSteps &local) {
                          local_ngtdm(from, at, count, local, ng, alone, to.data);
                      });
        },
        exact("levels"), exact("centres"), exact("offsets"), "reach"_a, "ng"_a, "alone"_a,
        exact("out"));
}

void def_ngtdm_features(py::module_ &m) {
    m.def(
        "ngtdm_features",
        [](const Array<double> &number, const Array<double> &difference, Array<double> &out) {
            const auto n = input<2>(number, "number"), s = input<2>(difference, "difference");
            const auto to = output<2>(out, "out");
            require_shape<2>(s.shape, n.shape, "difference");
            require_shape<2>(to.shape, {n.shape[0], ngtdm_feature_count}, "out");
            run([&] { ngtdm_features(n.data, s.data, n.shape[0], n.shape[1], to.data); });
        },
        exact("number"), exact("difference"), exact("out"));
}

template <class L> void def_all(py::module_ &m) {
    def_local_glcm<L>(m);
    def_local_pair_sums<L>(m);
    def_local_first_order<float, L>(m);
    def_local_first_order<double, L>(m);
    def_local_glrlm<L>(m);
    def_local_glszm<L>(m);
    def_local_ngldm<L>(m);
    def_local_ngtdm<L>(m);
}

} // namespace

void bind_texture_local(py::module_ &m) {
    def_all<u8>(m);
    def_all<u16>(m);
    def_ngtdm_features(m);
    def_pair_weights(m);
    def_local_custom<float>(m);
    def_local_custom<double>(m);
}

} // namespace pyrad::bind
