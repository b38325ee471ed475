#include "bindings/bind.hpp"

#include "ct/backproject_cone.hpp"
#include "ct/backproject_free.hpp"
#include "ct/backproject_free_math.hpp"
#include "ct/backproject_helix.hpp"
#include "ct/transposed_filter.hpp"

namespace pyrad::bind {
namespace {

void check_filtered(const std::array<i64, 3> &shape, i64 rows) {
    if (rows < 1 || shape[1] < 3 || shape[2] < rows + 2 * row_pad)
        fail(ErrorKind::shape, "filtered has shape (", shape[0], ", ", shape[1], ", ", shape[2],
             "); expected (views, columns + 2, at least ", rows, " + 2 * ", row_pad, ")");
}

// Coordinates at which linear interpolation reads samples 0 .. count - 1 only.
void check_inside(const double *at, i64 size, i64 count, const char *name) {
    for (i64 i = 0; i < size; ++i)
        if (!(at[i] >= 0 && at[i] <= static_cast<double>(count - 1)))
            fail(ErrorKind::shape, name, " holds ", at[i], "; expected 0 to ", count - 1);
}

// A table with one entry, or one per view.
void require_views(i64 got, i64 views, const char *name) {
    if (got != 1 && got != views)
        fail(ErrorKind::shape, name, " has ", got, " views, expected 1 or ", views);
}

template <class T> void def_filter_transposed(py::module_ &m) {
    m.def(
        "filter_transposed",
        [](const Array<T> &x, const Array<T> &cosine, const Array<T> &rays,
           const Array<T> &response, const Array<T> &scale, i64 before, Array<T> &out) {
            const auto given = input<3>(x, "x");
            const auto weights = input<3>(cosine, "cosine");
            const auto redundancy = input<2>(rays, "rays");
            const auto filter = input<1>(response, "response");
            const auto factors = input<1>(scale, "scale");
            auto result = output<3>(out, "out");
            const auto [views, rows, columns] = given.shape;
            check_filtered(result.shape, rows);
            const i64 widened = result.shape[1] - 2, size = 2 * (filter.shape[0] - 1);
            if (size < 4 || (size & (size - 1)) || size < 2 * widened)
                fail(ErrorKind::shape, "response has ", filter.shape[0],
                     " values; expected 2^k + 1 of at least ", widened + 1);
            if (before < 0 || before + columns > widened)
                fail(ErrorKind::shape, before, " columns before ", columns, " do not fit into ",
                     widened);
            require_views(weights.shape[0], views, "cosine");
            require_views(redundancy.shape[0], views, "rays");
            require_shape<3>(weights.shape, {weights.shape[0], rows, columns}, "cosine");
            require_shape<2>(redundancy.shape, {redundancy.shape[0], columns}, "rays");
            require_shape<1>(factors.shape, {views}, "scale");
            require_shape<1>({result.shape[0]}, {views}, "out's views");
            run([&] {
                filter_transposed<T>(given, weights, redundancy, filter, factors, before, result);
            });
        },
        exact("x"), exact("cosine"), exact("rays"), exact("response"), exact("scale"), "before"_a,
        exact("out"), "Weights and filters every row, writes (view, column, row) with margins.");
}

template <class T> void def_backproject_cone(py::module_ &m) {
    m.def(
        "backproject_cone",
        [](const Array<T> &filtered, i64 rows, const Array<double> &views, int rays,
           std::array<double, 2> column, std::array<double, 2> row, double source_origin,
           double climb, double step_z, bool add, Array<T> &out) {
            const auto given = input<3>(filtered, "filtered");
            const auto table = input<2>(views, "views");
            auto volume = output<3>(out, "out");
            check_filtered(given.shape, rows);
            require_shape<2>(table.shape, {given.shape[0], 7}, "views");
            if (rays < 0 || rays > 3)
                fail(ErrorKind::data, "rays is ", rays, "; expected 0 to 3");
            const ConeScan scan{rays,          column[0], column[1], row[0], row[1],
                                source_origin, climb,     step_z,    rows};
            run([&] { backproject_cone<T>(given, table, scan, add, volume); });
        },
        exact("filtered"), "rows"_a, exact("views"), "rays"_a, "column"_a, "row"_a,
        "source_origin"_a, "climb"_a, "step_z"_a, "add"_a, exact("out"),
        "Distance-weighted backprojection of an upright detector that turns about z.");
}

template <class T> void def_backproject_free(py::module_ &m) {
    m.def(
        "backproject_free",
        [](const Array<T> &filtered, i64 rows, const Array<double> &matrices, bool add,
           Array<T> &out) {
            const auto given = input<3>(filtered, "filtered");
            const auto table = input<2>(matrices, "matrices");
            auto volume = output<3>(out, "out");
            check_filtered(given.shape, rows);
            require_shape<2>(table.shape, {given.shape[0], matrix_size}, "matrices");
            if (given.shape[1] * given.shape[2] >= i64(1) << 31)
                fail(ErrorKind::shape, "filtered has ", given.shape[1] * given.shape[2],
                     " elements per view, expected less than 2^31");
            run([&] { backproject_free<T>(given, rows, table, add, volume); });
        },
        exact("filtered"), "rows"_a, exact("matrices"), "add"_a, exact("out"),
        "Distance-weighted backprojection with a projection matrix per view.");
}

template <class T> void def_helix(py::module_ &m) {
    m.def(
        "rebin_rows",
        [](const Array<T> &x, const Array<double> &view_at, const Array<double> &column_at,
           Array<T> &out) {
            const auto given = input<3>(x, "x");
            const auto view = input<2>(view_at, "view_at");
            const auto column = input<1>(column_at, "column_at");
            auto result = output<3>(out, "out");
            const auto [views, rows, columns] = result.shape;
            require_shape<2>(view.shape, {views, columns}, "view_at");
            require_shape<1>(column.shape, {columns}, "column_at");
            require_shape<1>({rows}, {given.shape[1]}, "out's rows");
            check_inside(view.data, view.size(), given.shape[0], "view_at");
            check_inside(column.data, column.size(), given.shape[2], "column_at");
            run([&] { rebin_rows<T>(given, view, column, result); });
        },
        exact("x"), exact("view_at"), exact("column_at"), exact("out"),
        "Every row interpolated at (view, column) coordinates.");
    m.def(
        "backproject_helix",
        [](const Array<T> &filtered, i64 rows, const Array<double> &views, int rays,
           std::array<double, 2> column, std::array<double, 2> row, double source_origin,
           double climb, double step_z, i64 partners, double feather, bool add, Array<T> &out) {
            const auto given = input<3>(filtered, "filtered");
            const auto table = input<2>(views, "views");
            auto volume = output<3>(out, "out");
            check_filtered(given.shape, rows);
            require_shape<2>(table.shape, {given.shape[0], 7}, "views");
            if (rays != rebinned_flat && rays != rebinned_curved)
                fail(ErrorKind::data, "rays is ", rays, "; expected 2 or 3");
            if (partners < 1 || given.shape[0] % partners)
                fail(ErrorKind::shape, given.shape[0], " views are no groups of ", partners);
            const ConeScan scan{rays,          column[0], column[1], row[0], row[1],
                                source_origin, climb,     step_z,    rows};
            run([&] { backproject_helix<T>(given, table, scan, partners, feather, add, volume); });
        },
        exact("filtered"), "rows"_a, exact("views"), "rays"_a, "column"_a, "row"_a,
        "source_origin"_a, "climb"_a, "step_z"_a, "partners"_a, "feather"_a, "add"_a, exact("out"),
        "Backprojection of rebinned helical views, averaged over views half a turn apart.");
}

template <class T> void def_cone_all(py::module_ &m) {
    def_filter_transposed<T>(m);
    def_backproject_cone<T>(m);
    def_backproject_free<T>(m);
    def_helix<T>(m);
}

} // namespace

void bind_ct_cone(py::module_ &m) {
    def_cone_all<float>(m);
    def_cone_all<double>(m);
}

} // namespace pyrad::bind
