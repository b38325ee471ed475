// Run length, zone and neighbourhood matrices, and the features of tables (level, size).
#include "bindings/bind.hpp"
#include "texture/neighbourhood.hpp"
#include "texture/packed_levels.hpp"
#include "texture/run_lengths.hpp"
#include "texture/shape.hpp"
#include "texture/size_features.hpp"
#include "texture/sphere_means.hpp"
#include "texture/zones.hpp"

#include <algorithm>
#include <cstdlib>

namespace pyrad::bind {
namespace {

void require_steps(View<const i32, 2> offsets, i64 reach, bool in_plane) {
    require_shape<2>(offsets.shape, {offsets.shape[0], 3}, "offsets");
    for (i64 k = 0; k < offsets.shape[0]; ++k) {
        const i32 *o = offsets.data + 3 * k;
        const bool far =
            std::max({std::abs(i64(o[0])), std::abs(i64(o[1])), std::abs(i64(o[2]))}) > reach;
        if (far || (in_plane && o[0]) || (!o[0] && !o[1] && !o[2]))
            fail(ErrorKind::data, "offset ", k, " is 0, or leaves the margin or the slice");
    }
}

// (tables..., rows, columns) of out, whose leading axis is the slices when by_slice.
template <class L, class C>
C *tables_of(Array<C> &out, View<const L, 3> levels, i64 pad, bool by_slice,
             std::vector<i64> rest) {
    if (by_slice)
        rest.insert(rest.begin(), levels.shape[0] - 2 * pad);
    const bool same = out.ndim() == static_cast<i64>(rest.size()) &&
                      std::equal(rest.begin(), rest.end(), out.shape());
    if (!same)
        fail(ErrorKind::shape, "out does not have the shape of the tables");
    if (!out.writeable())
        fail(ErrorKind::data, "out is read-only, but it is written to");
    return out.mutable_data();
}

template <class L> void def_run_lengths(py::module_ &m) {
    m.def(
        "run_lengths",
        [](const Array<L> &levels, i64 pad, const Array<i32> &offsets, Array<u64> &out) {
            const auto from = input<3>(levels, "levels");
            const auto steps = input<2>(offsets, "offsets");
            if (out.ndim() < 3)
                fail(ErrorKind::shape, "out has ", out.ndim(), " dimensions, expected 3 or 4");
            const bool by_slice = out.ndim() == 4;
            const i64 ng = out.shape(out.ndim() - 2), longest = out.shape(out.ndim() - 1);
            require_steps(steps, 1, by_slice);
            u64 *to = tables_of(out, from, pad, by_slice, {steps.shape[0], ng, longest});
            for (int d = by_slice; d < 3; ++d)
                if (longest < from.shape[d] - 2 * pad)
                    fail(ErrorKind::shape, "out holds runs up to ", longest);
            for (i64 k = 0; k < steps.shape[0]; ++k) {
                const i32 *o = steps.data + 3 * k;
                if ((o[0] ? o[0] : o[1] ? o[1] : o[2]) < 0)
                    fail(ErrorKind::data, "offset ", k, " points backwards");
            }
            run([&] {
                require_margin(from, pad, 1);
                require_below(from, ng);
                run_lengths(from, pad, steps.data, steps.shape[0], ng, longest, by_slice, to);
            });
        },
        exact("levels"), "pad"_a, exact("offsets"), exact("out"));
}

template <class L> void def_neighbourhood(py::module_ &m) {
    m.def(
        "neighbourhood",
        [](const Array<L> &levels, i64 pad, const Array<i32> &offsets, i32 alpha, Array<u64> &tones,
           Array<u64> &dependences) {
            const auto from = input<3>(levels, "levels");
            const auto steps = input<2>(offsets, "offsets");
            if (dependences.ndim() < 2)
                fail(ErrorKind::shape, "dependences has no tables");
            const bool by_slice = dependences.ndim() == 3;
            const i64 ng = dependences.shape(dependences.ndim() - 2), count = steps.shape[0];
            require_steps(steps, pad, by_slice);
            if (alpha < 0)
                fail(ErrorKind::data, "alpha is ", alpha, "; expected a number >= 0");
            if (count > 65535 || count * ng > (i64(1) << 31))
                fail(ErrorKind::memory, count, " neighbours overflow the sums");
            u64 *tone = tables_of(tones, from, pad, by_slice, {ng, count + 1, 2});
            u64 *dependence = tables_of(dependences, from, pad, by_slice, {ng, count + 1});
            run([&] {
                require_margin(from, pad, 1);
                require_below(from, ng);
                neighbourhood(from, pad, steps.data, count, ng, alpha, by_slice, tone, dependence);
            });
        },
        exact("levels"), "pad"_a, exact("offsets"), "alpha"_a, exact("tones"),
        exact("dependences"));
}

void def_border_distance(py::module_ &m) {
    m.def(
        "border_distance",
        [](const Array<u8> &mask, i64 pad, bool in_plane, Array<u16> &out) {
            const auto from = input<3>(mask, "mask");
            const auto to = output<3>(out, "out");
            if (pad < 1 || pad > (i64(1) << 20))
                fail(ErrorKind::data, "pad is ", pad, "; expected at least 1");
            auto shape = from.shape;
            for (i64 &n : shape)
                n += 2 * pad;
            require_shape<3>(to.shape, shape, "out");
            run([&] { border_distance(from, pad, in_plane, to); });
        },
        exact("mask"), "pad"_a, "in_plane"_a, exact("out"));
}

template <class L> void def_find_zones(py::module_ &m) {
    m.def(
        "find_zones",
        [](const Array<L> &levels, i64 pad, bool in_plane, const Array<u16> &distances,
           Array<i32> &out) {
            const auto from = input<3>(levels, "levels");
            const auto to = output<2>(out, "out");
            require_shape<2>(to.shape, {to.shape[0], 4}, "out");
            const u16 *near = nullptr;
            if (distances.size()) {
                const auto view = input<3>(distances, "distances");
                require_shape<3>(view.shape, from.shape, "distances");
                near = view.data;
            }
            i64 zones = 0;
            run([&] {
                require_margin(from, pad, 1);
                zones = find_zones(from, pad, in_plane, near, to);
            });
            return zones;
        },
        exact("levels"), "pad"_a, "in_plane"_a, exact("distances"), exact("out"),
        "Writes (level, voxels, smallest distance, slice) per zone; returns the number of zones. "
        "distances may be empty.");
}

template <class T> void def_sphere_means(py::module_ &m) {
    m.def(
        "sphere_means",
        [](const Array<T> &values, const Array<u8> &mask, std::array<i64, 3> begin,
           const Array<i32> &chords, Array<double> &out) {
            const auto from = input<3>(values, "values");
            const auto inside = input<3>(mask, "mask");
            const auto lines = input<2>(chords, "chords");
            const auto to = output<1>(out, "out");
            require_shape<2>(lines.shape, {lines.shape[0], 3}, "chords");
            for (int d = 0; d < 3; ++d)
                if (begin[d] < 0 || begin[d] + inside.shape[d] > from.shape[d])
                    fail(ErrorKind::shape, "the mask leaves values along axis ", d);
            for (i64 c = 0; c < lines.shape[0]; ++c)
                if (lines.data[3 * c + 2] < 0 || lines.data[3 * c + 2] > (1 << 20))
                    fail(ErrorKind::data, "chord ", c, " has half length ", lines.data[3 * c + 2]);
            run([&] {
                sphere_means(from, inside, begin.data(), lines.data, lines.shape[0], to.data,
                             to.shape[0]);
            });
        },
        exact("values"), exact("mask"), "begin"_a, exact("chords"), exact("out"));
}

void def_shape(py::module_ &m) {
    m.def(
        "mesh_shape",
        [](const Array<u8> &mask, std::array<double, 3> spacing, Array<i32> &vertices) {
            const auto from = input<3>(mask, "mask");
            const auto to = output<2>(vertices, "vertices");
            require_shape<2>(to.shape, {to.shape[0], 3}, "vertices");
            if (to.shape[0] < mesh_capacity(from.shape))
                fail(ErrorKind::shape, "vertices has ", to.shape[0], " rows, expected ",
                     mesh_capacity(from.shape));
            MeshShape found{};
            run([&] { found = mesh_shape(from, spacing.data(), to); });
            return py::make_tuple(found.area, found.volume, found.slice, found.column, found.row,
                                  found.whole, found.extremes);
        },
        exact("mask"), "spacing"_a, exact("vertices"),
        "(area, volume, diameters of slices, columns, rows, space, vertices written).");
    m.def(
        "mask_moments",
        [](const Array<u8> &mask, Array<i64> &out) {
            const auto from = input<3>(mask, "mask");
            const auto to = output<1>(out, "out");
            require_shape<1>(to.shape, {10}, "out");
            run([&] { mask_moments(from, to.data); });
        },
        exact("mask"), exact("out"));
}

template <class C> void def_size_features(py::module_ &m) {
    m.def(
        "size_features",
        [](const Array<C> &tables, const Array<double> &sizes, const Array<double> &voxels,
           Array<double> &out) {
            const auto from = input<3>(tables, "tables");
            const auto to = output<2>(out, "out");
            const auto js = input<1>(sizes, "sizes");
            const auto counts = input<1>(voxels, "voxels");
            require_shape<1>(js.shape, {from.shape[2]}, "sizes");
            require_shape<1>(counts.shape, {from.shape[0]}, "voxels");
            require_shape<2>(to.shape, {from.shape[0], size_feature_count}, "out");
            run([&] {
                size_features(from.data, from.shape[0], from.shape[1], from.shape[2], js.data,
                              counts.data, to.data);
            });
        },
        exact("tables"), exact("sizes"), exact("voxels"), exact("out"));
}

} // namespace

void bind_texture_matrices(py::module_ &m) {
    def_run_lengths<u8>(m);
    def_run_lengths<u16>(m);
    def_neighbourhood<u8>(m);
    def_neighbourhood<u16>(m);
    def_border_distance(m);
    def_find_zones<u8>(m);
    def_find_zones<u16>(m);
    def_sphere_means<float>(m);
    def_sphere_means<double>(m);
    def_shape(m);
    def_size_features<u64>(m);
    def_size_features<double>(m);
}

} // namespace pyrad::bind
