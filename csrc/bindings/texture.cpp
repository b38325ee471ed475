#include "bindings/bind.hpp"

#include "texture/discretise.hpp"
#include "texture/first_order.hpp"
#include "texture/first_order_math.hpp"
#include "texture/glcm.hpp"
#include "texture/glcm_math.hpp"
#include "texture/packed_levels.hpp"
#include "texture/roi.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace pyrad::bind {

void bind_texture_batch(py::module_ &m);
void bind_texture_local(py::module_ &m);
void bind_texture_matrices(py::module_ &m);
void bind_texture_boxes(py::module_ &m);
void bind_texture_filters(py::module_ &m);

namespace {

template <class T> void def_mask_bounds(py::module_ &m) {
    m.def(
        "mask_bounds",
        [](const Array<T> &mask, double label) {
            const auto view = input<3>(mask, "mask");
            RoiBounds roi{};
            run([&] { roi = mask_bounds(view, label); });
            return py::make_tuple(py::make_tuple(roi.begin[0], roi.begin[1], roi.begin[2]),
                                  py::make_tuple(roi.end[0], roi.end[1], roi.end[2]), roi.count,
                                  roi.invalid, roi.first_invalid);
        },
        exact("mask"), "label"_a,
        "(begin, end, voxels of the label, values that are no labels, first flat index of them).");
}

template <class T> void def_gather(py::module_ &m) {
    m.def(
        "masked_range",
        [](const Array<T> &values, const Array<u8> &mask) {
            const auto from = input<3>(values, "values");
            const auto inside = input<3>(mask, "mask");
            require_shape<3>(inside.shape, from.shape, "mask");
            ValueRange range{};
            run([&] { range = masked_range(from, inside); });
            return py::make_tuple(range.nonfinite, range.low, range.high);
        },
        exact("values"), exact("mask"), "(NaN and Inf, minimum, maximum) where mask != 0.");
    m.def(
        "gather",
        [](const Array<T> &values, const Array<u8> &mask, Array<T> &out) {
            const auto from = input<3>(values, "values");
            const auto inside = input<3>(mask, "mask");
            require_shape<3>(inside.shape, from.shape, "mask");
            const auto to = output<1>(out, "out");
            run([&] { gather(from, inside, to.data, to.shape[0]); });
        },
        exact("values"), exact("mask"), exact("out"));
}

void require_levels(double width, i64 levels, size_t level_bytes) {
    const i64 top = level_bytes == 1 ? 255 : 65535;
    if (levels < 1 || levels > top)
        fail(ErrorKind::data, "levels is ", levels, "; expected 1 to ", top);
    if (!(width > 0) || !std::isfinite(width))
        fail(ErrorKind::data, "width is ", width, "; expected a number > 0");
}

i64 require_pad(i64 pad) {
    if (pad < 0 || pad > (i64(1) << 20))
        fail(ErrorKind::data, "pad is ", pad);
    return pad;
}

template <class T, class L> void def_discretise(py::module_ &m) {
    m.def(
        "discretise_uniform",
        [](const Array<T> &values, const Array<u8> &mask, double low, double width, double scale,
           i32 levels, i64 pad, Array<L> &out) {
            const auto from = input<3>(values, "values");
            const auto inside = input<3>(mask, "mask");
            require_shape<3>(inside.shape, from.shape, "mask");
            const auto to = output<3>(out, "out");
            require_levels(width, levels, sizeof(L));
            const UniformBins bins{low, width, scale, levels};
            run([&] { discretise_uniform(from, inside, bins, require_pad(pad), to); });
        },
        exact("values"), exact("mask"), "low"_a, "width"_a, "scale"_a, "levels"_a, "pad"_a,
        exact("out"));
    m.def(
        "discretise_steps",
        [](const Array<T> &values, const Array<u8> &mask, double first, double step, i32 levels,
           i64 pad, Array<L> &out) {
            const auto from = input<3>(values, "values");
            const auto inside = input<3>(mask, "mask");
            require_shape<3>(inside.shape, from.shape, "mask");
            const auto to = output<3>(out, "out");
            require_levels(step, levels, sizeof(L));
            const StepBins bins{first, step, 1 / step, levels};
            run([&] { discretise_steps(from, inside, bins, require_pad(pad), to); });
        },
        exact("values"), exact("mask"), "first"_a, "step"_a, "levels"_a, "pad"_a, exact("out"));
    m.def(
        "discretise_edges",
        [](const Array<T> &values, const Array<u8> &mask, const Array<double> &edges, i64 pad,
           Array<L> &out) {
            const auto from = input<3>(values, "values");
            const auto inside = input<3>(mask, "mask");
            require_shape<3>(inside.shape, from.shape, "mask");
            const auto at = input<1>(edges, "edges");
            const auto to = output<3>(out, "out");
            require_levels(1.0, at.shape[0], sizeof(L));
            run([&] {
                discretise_edges(from, inside, at.data, static_cast<i32>(at.shape[0]),
                                 require_pad(pad), to);
            });
        },
        exact("values"), exact("mask"), exact("edges"), "pad"_a, exact("out"));
}

template <class L> void def_level_histogram(py::module_ &m) {
    m.def(
        "level_histogram",
        [](const Array<L> &levels, Array<i64> &out) {
            const auto to = output<1>(out, "out");
            const L *from = levels.data();
            const i64 size = levels.size();
            run([&] { level_histogram(from, size, to.data, to.shape[0]); });
        },
        exact("levels"), exact("out"));
}

template <class L, class C> void def_glcm_count(py::module_ &m) {
    m.def(
        "glcm_count",
        [](const Array<L> &levels, i64 pad, const Array<i32> &offsets, Array<C> &out) {
            const auto from = input<3>(levels, "levels");
            const auto steps = input<2>(offsets, "offsets");
            require_shape<2>(steps.shape, {steps.shape[0], 3}, "offsets");
            const bool by_slice = out.ndim() == 4;
            const i64 depth = from.shape[0] - 2 * require_pad(pad), count = steps.shape[0];
            const i64 ng = out.shape(out.ndim() - 1);
            for (i64 n : from.shape)
                if (n < 2 * pad)
                    fail(ErrorKind::shape, "levels is smaller than its margin of ", pad);
            for (i64 k = 0; k < 3 * count; ++k)
                if (std::abs(i64(steps.data[k])) > pad || (by_slice && k % 3 == 0 && steps.data[k]))
                    fail(ErrorKind::data, "offset ", k / 3, " leaves the margin or the slice");
            if (by_slice)
                require_shape<4>(output<4>(out, "out").shape, {depth, count, ng, ng}, "out");
            else
                require_shape<3>(output<3>(out, "out").shape, {count, ng, ng}, "out");
            C *to = out.mutable_data();
            run([&] {
                require_below(from, ng);
                glcm_count(from, pad, steps.data, count, ng, by_slice, to);
            });
        },
        exact("levels"), "pad"_a, exact("offsets"), exact("out"));
}

template <class C> void def_glcm_features(py::module_ &m) {
    m.def(
        "glcm_features",
        [](const Array<C> &tables, bool symmetric, bool ibsi, bool mcc, Array<double> &out) {
            const auto from = input<3>(tables, "tables");
            const auto to = output<2>(out, "out");
            const i64 ng = from.shape[1];
            require_shape<3>(from.shape, {from.shape[0], ng, ng}, "tables");
            require_shape<2>(to.shape, {from.shape[0], glcm_feature_count}, "out");
            run([&] {
                glcm_features(from.data, from.shape[0], ng, symmetric, ibsi, mcc, to.data);
            });
        },
        exact("tables"), "symmetric"_a, "ibsi"_a, "mcc"_a, exact("out"));
}

template <class T> View<const T, 1> some_values(const Array<T> &values) {
    const auto view = input<1>(values, "values");
    if (view.shape[0] == 0)
        fail(ErrorKind::data, "values is empty");
    return view;
}

template <class T> void def_first_order(py::module_ &m) {
    m.def(
        "value_sums",
        [](const Array<T> &values, double shift, Array<double> &out) {
            const auto from = some_values(values);
            const auto to = output<1>(out, "out");
            require_shape<1>(to.shape, {4}, "out");
            run([&] { value_sums(from.data, from.shape[0], shift, to.data); });
        },
        exact("values"), "shift"_a, exact("out"), "sum, minimum, maximum, sum of (x + shift)^2.");
    m.def(
        "value_moments",
        [](const Array<T> &values, double mean, double median, double low, double high,
           Array<double> &out) {
            const auto from = some_values(values);
            const auto to = output<1>(out, "out");
            require_shape<1>(to.shape, {7}, "out");
            run([&] { value_moments(from.data, from.shape[0], mean, median, low, high, to.data); });
        },
        exact("values"), "mean"_a, "median"_a, "low"_a, "high"_a, exact("out"));
    m.def(
        "value_deviation",
        [](const Array<T> &values, double centre, double low, double high) {
            const auto from = some_values(values);
            double sum = 0;
            run([&] { sum = value_deviation(from.data, from.shape[0], centre, low, high); });
            return sum;
        },
        exact("values"), "centre"_a, "low"_a, "high"_a);
    m.def(
        "order_statistics",
        [](const Array<T> &values, double minimum, double maximum, const Array<i64> &ranks,
           Array<double> &out) {
            const auto from = some_values(values);
            const auto wanted = input<1>(ranks, "ranks");
            const auto to = output<1>(out, "out");
            require_shape<1>(to.shape, wanted.shape, "out");
            run([&] {
                order_statistics(from.data, from.shape[0], minimum, maximum, wanted.data,
                                 wanted.shape[0], to.data);
            });
        },
        exact("values"), "minimum"_a, "maximum"_a, exact("ranks"), exact("out"));
}

void def_first_order_features(py::module_ &m) {
    m.def(
        "first_order_features",
        [](const Array<double> &sums, double excess, double flat, Array<double> &out) {
            const auto from = input<1>(sums, "sums");
            const auto to = output<1>(out, "out");
            require_shape<1>(from.shape, {first_order_sum_count}, "sums");
            require_shape<1>(to.shape, {first_order_feature_count}, "out");
            FirstOrderSums s;
            static_assert(sizeof s == first_order_sum_count * sizeof(double));
            std::memcpy(&s, from.data, sizeof s);
            first_order_finish(s, excess, flat, std::nan(""), to.data);
        },
        exact("sums"), "excess"_a, "flat"_a, exact("out"));
}

} // namespace

void bind_texture(py::module_ &m) {
    def_mask_bounds<u8>(m);
    def_mask_bounds<u16>(m);
    def_mask_bounds<short>(m);
    def_mask_bounds<i32>(m);
    def_mask_bounds<i64>(m);
    def_mask_bounds<float>(m);
    def_mask_bounds<double>(m);
    def_gather<float>(m);
    def_gather<double>(m);
    def_discretise<float, u8>(m);
    def_discretise<float, u16>(m);
    def_discretise<double, u8>(m);
    def_discretise<double, u16>(m);
    def_level_histogram<u8>(m);
    def_level_histogram<u16>(m);
    def_glcm_count<u8, u32>(m);
    def_glcm_count<u8, u64>(m);
    def_glcm_count<u16, u32>(m);
    def_glcm_count<u16, u64>(m);
    def_glcm_features<u32>(m);
    def_glcm_features<u64>(m);
    def_glcm_features<double>(m);
    def_first_order<float>(m);
    def_first_order<double>(m);
    def_first_order_features(m);
    bind_texture_local(m);
    bind_texture_matrices(m);
    bind_texture_filters(m);
    bind_texture_batch(m);
    bind_texture_boxes(m);
}

} // namespace pyrad::bind
