#include "bindings/bind.hpp"

#include "ct/rings.hpp"

#include <limits>

namespace pyrad::bind {
namespace {

// Arrays (rows, columns, views) that hold rows first_row .. of an array (views, rows, columns).
void check_slab(const std::array<i64, 3> &slab, const std::array<i64, 3> &whole, i64 first_row,
                const char *name) {
    require_shape<3>(slab, {slab[0], whole[2], whole[0]}, name);
    if (first_row < 0 || first_row + slab[0] > whole[1])
        fail(ErrorKind::shape, "rows ", first_row, " to ", first_row + slab[0], " of ", whole[1]);
    if (whole[0] > std::numeric_limits<i32>::max())
        fail(ErrorKind::shape, whole[0], " views; at most 2^31 - 1 can be ranked");
}

template <class T> void def_rank_views(py::module_ &m) {
    m.def(
        "rank_views",
        [](const Array<T> &x, i64 first_row, Array<T> &ranked, Array<i32> &order) {
            const auto given = input<3>(x, "x");
            auto values = output<3>(ranked, "ranked");
            auto views = output<3>(order, "order");
            check_slab(values.shape, given.shape, first_row, "ranked");
            require_shape<3>(views.shape, values.shape, "order");
            run([&] { rank_views<T>(given, first_row, values, views); });
        },
        exact("x"), "first_row"_a, exact("ranked"), exact("order"),
        "Each detector pixel's values in ascending order, and the views they come from.");
    m.def(
        "unrank_views",
        [](const Array<T> &ranked, const Array<i32> &order, i64 first_row, Array<T> &out) {
            const auto values = input<3>(ranked, "ranked");
            const auto views = input<3>(order, "order");
            auto result = output<3>(out, "out");
            check_slab(values.shape, result.shape, first_row, "ranked");
            require_shape<3>(views.shape, values.shape, "order");
            u32 largest = 0;
            for (i64 i = 0; i < views.size(); ++i)
                largest = max_of(largest, static_cast<u32>(views.data[i]));
            if (largest >= result.shape[0])
                fail(ErrorKind::data, "order holds numbers that are no views");
            run([&] { unrank_views<T>(values, views, first_row, result); });
        },
        exact("ranked"), exact("order"), "first_row"_a, exact("out"), "Inverse of rank_views.");
}

template <class T> void def_median_columns(py::module_ &m) {
    m.def(
        "median_columns",
        [](const Array<T> &x, i64 size, Array<T> &out) {
            const auto given = input<3>(x, "x");
            auto result = output<3>(out, "out");
            require_shape<3>(result.shape, given.shape, "out");
            if (size < 3 || size % 2 == 0)
                fail(ErrorKind::data, "size is ", size, "; expected an odd number >= 3");
            run([&] { median_columns<T>(given, size, result); });
        },
        exact("x"), "size"_a, exact("out"), "Median of neighbouring columns at every rank.");
}

} // namespace

void bind_ct_rings(py::module_ &m) {
    def_rank_views<float>(m);
    def_rank_views<double>(m);
    def_median_columns<float>(m);
    def_median_columns<double>(m);
}

} // namespace pyrad::bind
