#include "bindings/bind.hpp"
#include "bindings/complex.hpp"

#include "mr/grid_pad.hpp"
#include "mr/gridding.hpp"
#include "mr/lane_fft.hpp"

namespace pyrad::bind {

void bind_mr_sense(py::module_ &m);

namespace {

using Tuple3 = std::array<i64, 3>;

// Checked pieces of a gridding plan, as the kernels take them.
template <class T>
GridPlan<T> plan_of(const Array<i32> &start, const Array<T> &offset, const Array<i32> &order,
                    const Array<i64> &bins, const Tuple3 &tiles, const Array<T> &coefficients) {
    const auto n = shape_of<2>(offset, "offset");
    const auto table = shape_of<2>(coefficients, "coefficients");
    if (n[1] < 1 || n[1] > 3)
        fail(ErrorKind::shape, "offset has ", n[1], " axes, expected 1 to 3");
    if (table[0] < 1 || table[1] < 1 || table[1] > 16)
        fail(ErrorKind::shape, "coefficients describe a kernel of ", table[1],
             " cells, expected 1 to 16");
    require_shape<2>(shape_of<2>(start, "start"), {n[0], n[1]}, "start");
    require_shape<1>(shape_of<1>(order, "order"), {n[0]}, "order");
    require_shape<1>(shape_of<1>(bins, "bins"),
                     {checked_product({tiles[0], tiles[1], tiles[2]}) + 1}, "bins");
    return {static_cast<int>(n[1]),
            static_cast<int>(table[1]),
            static_cast<int>(table[0] - 1),
            n[0],
            coefficients.data(),
            start.data(),
            offset.data(),
            order.data(),
            bins.data(),
            tiles};
}

// Grid [z][y][x][lanes] complex.
struct Grid {
    Shape3 cells;
    i64 lanes;
};
template <class C> Grid grid_of(const Array<C> &grid) {
    const auto n = shape_of<4>(grid, "grid");
    return {{n[0], n[1], n[2]}, n[3]};
}
template <class T> void require_room(const Grid &grid, const GridPlan<T> &plan) {
    for (int d = 0; d < 3; ++d) {
        const i64 needed = d < 3 - plan.dims ? 1 : plan.width;
        if (grid.cells[d] < needed)
            fail(ErrorKind::shape, "grid has ", grid.cells[d], " cells along axis ", d,
                 ", the kernel needs ", needed);
    }
}

template <class T, class K> void def_plan(py::module_ &m) {
    m.def(
        "plan_gridding",
        [](const Array<K> &coordinates, const std::vector<double> &ratio, const Tuple3 &cells,
           Array<i32> &start, Array<T> &offset, Array<i32> &order, Array<i64> &bins,
           const Tuple3 &tiles, const Array<T> &coefficients) {
            const auto k = input<2>(coordinates, "coordinates");
            const i64 samples = k.shape[0], dims = k.shape[1];
            if (dims < 1 || dims > 3 || static_cast<i64>(ratio.size()) != dims)
                fail(ErrorKind::shape, "coordinates has ", dims, " axes, ratio ", ratio.size());
            const PlanArrays<T> out{output<2>(start, "start").data,
                                    output<2>(offset, "offset").data,
                                    output<1>(order, "order").data, output<1>(bins, "bins").data};
            const auto plan = plan_of<T>(start, offset, order, bins, tiles, coefficients);
            require_shape<2>(shape_of<2>(offset, "offset"), {samples, dims}, "offset");
            run([&] {
                plan_gridding(k.data, samples, static_cast<int>(dims), ratio.data(), cells, tiles,
                              plan.width, out);
            });
        },
        exact("coordinates"), "ratio"_a, "cells"_a, exact("start"), exact("offset"), exact("order"),
        exact("bins"), "tiles"_a, exact("coefficients"),
        "Tile order, first cells and offsets of samples (cycles per field of view).");
}

template <class T> void def_transfer(py::module_ &m) {
    using C = std::complex<T>;
    m.def(
        "grid_interpolate",
        [](const Array<C> &grid, const Array<i32> &start, const Array<T> &offset,
           const Array<i32> &order, const Array<i64> &bins, const Tuple3 &tiles,
           const Array<T> &coefficients, Array<C> &samples) {
            const auto plan = plan_of(start, offset, order, bins, tiles, coefficients);
            const Grid g = grid_of(grid);
            require_room(g, plan);
            auto out = output<2>(samples, "samples");
            require_shape<2>(out.shape, {std::min(out.shape[0], g.lanes), plan.samples}, "samples");
            run([&] {
                interpolate(reals(grid.data()), g.cells, g.lanes, plan, out.shape[0],
                            reals(out.data));
            });
        },
        exact("grid"), exact("start"), exact("offset"), exact("order"), exact("bins"), "tiles"_a,
        exact("coefficients"), exact("samples"),
        "Samples (coils, samples) from a grid (z, y, x, lanes).");
    m.def(
        "grid_spread",
        [](const Array<C> &samples, const Array<i32> &start, const Array<T> &offset,
           const Array<i32> &order, const Array<i64> &bins, const Tuple3 &tiles,
           const Array<T> &coefficients, Array<C> &grid) {
            const auto plan = plan_of(start, offset, order, bins, tiles, coefficients);
            const auto in = input<2>(samples, "samples");
            const Grid g = grid_of(grid);
            require_room(g, plan);
            require_shape<2>(in.shape, {std::min(in.shape[0], g.lanes), plan.samples}, "samples");
            auto out = output<4>(grid, "grid");
            run([&] {
                spread(reals(in.data), in.shape[0], plan, g.cells, g.lanes, reals(out.data));
            });
        },
        exact("samples"), exact("start"), exact("offset"), exact("order"), exact("bins"), "tiles"_a,
        exact("coefficients"), exact("grid"),
        "Adjoint of grid_interpolate; the grid is overwritten.");
    m.def(
        "grid_interpolate_sorted",
        [](const Array<C> &grid, const Array<i32> &start, const Array<T> &offset,
           const Array<i32> &order, const Array<i64> &bins, const Tuple3 &tiles,
           const Array<T> &coefficients, Array<C> &samples) {
            const auto plan = plan_of(start, offset, order, bins, tiles, coefficients);
            const Grid g = grid_of(grid);
            require_room(g, plan);
            auto out = output<2>(samples, "samples");
            require_shape<2>(out.shape, {plan.samples, g.lanes}, "samples");
            run([&] {
                interpolate_sorted(reals(grid.data()), g.cells, g.lanes, plan, reals(out.data));
            });
        },
        exact("grid"), exact("start"), exact("offset"), exact("order"), exact("bins"), "tiles"_a,
        exact("coefficients"), exact("samples"),
        "Samples in tile order, interleaved (samples, lanes).");
    m.def(
        "grid_spread_sorted",
        [](const Array<C> &samples, const Array<T> &density, const Array<i32> &start,
           const Array<T> &offset, const Array<i32> &order, const Array<i64> &bins,
           const Tuple3 &tiles, const Array<T> &coefficients, Array<C> &grid) {
            const auto plan = plan_of(start, offset, order, bins, tiles, coefficients);
            const auto in = input<2>(samples, "samples");
            const auto factor = input<1>(density, "density");
            const Grid g = grid_of(grid);
            require_room(g, plan);
            require_shape<2>(in.shape, {plan.samples, g.lanes}, "samples");
            require_shape<1>(factor.shape, {plan.samples}, "density");
            auto out = output<4>(grid, "grid");
            run([&] {
                spread_sorted(reals(in.data), factor.data, plan, g.cells, g.lanes, reals(out.data));
            });
        },
        exact("samples"), exact("density"), exact("start"), exact("offset"), exact("order"),
        exact("bins"), "tiles"_a, exact("coefficients"), exact("grid"),
        "Spreads samples (samples, lanes) in tile order, each times its density.");
}

void require_fit(const Grid &grid, const Tuple3 &size) {
    for (int d = 0; d < 3; ++d)
        if (size[d] < 1 || size[d] > grid.cells[d])
            fail(ErrorKind::shape, "image has ", size[d], " pixels along axis ", d,
                 ", but the grid ", grid.cells[d], " cells");
}

template <class T> void def_pad(py::module_ &m) {
    using C = std::complex<T>;
    m.def(
        "grid_pad",
        [](const Array<C> &images, const Array<T> &apodisation, Array<C> &grid) {
            const auto in = input<4>(images, "images");
            const Tuple3 size{in.shape[1], in.shape[2], in.shape[3]};
            const Grid g = grid_of(grid);
            require_fit(g, size);
            require_shape<4>(in.shape, {std::min(in.shape[0], g.lanes), size[0], size[1], size[2]},
                             "images");
            const auto factors = input<1>(apodisation, "apodisation");
            require_shape<1>(factors.shape, {size[0] + size[1] + size[2]}, "apodisation");
            auto out = output<4>(grid, "grid");
            run([&] {
                pad_images(reals(in.data), in.shape[0], size, factors.data, g.cells, g.lanes,
                           reals(out.data));
            });
        },
        exact("images"), exact("apodisation"), exact("grid"),
        "Images (coils, z, y, x) into the wrapped corner of a grid (z, y, x, lanes).");
    m.def(
        "grid_crop",
        [](const Array<C> &grid, const Array<T> &apodisation, Array<C> &images) {
            auto out = output<4>(images, "images");
            const Tuple3 size{out.shape[1], out.shape[2], out.shape[3]};
            const Grid g = grid_of(grid);
            require_fit(g, size);
            require_shape<4>(
                out.shape, {std::min(out.shape[0], g.lanes), size[0], size[1], size[2]}, "images");
            const auto factors = input<1>(apodisation, "apodisation");
            require_shape<1>(factors.shape, {size[0] + size[1] + size[2]}, "apodisation");
            run([&] {
                crop_images(reals(grid.data()), g.cells, g.lanes, factors.data, out.shape[0], size,
                            reals(out.data));
            });
        },
        exact("grid"), exact("apodisation"), exact("images"), "Adjoint of grid_pad.");
    m.def(
        "grid_pad_maps",
        [](const Array<C> &image, const Array<C> &maps, Array<C> &grid) {
            const auto in = input<3>(image, "image");
            const Grid g = grid_of(grid);
            require_fit(g, in.shape);
            const auto by = input<4>(maps, "maps");
            require_shape<4>(by.shape, {in.shape[0], in.shape[1], in.shape[2], g.lanes}, "maps");
            auto out = output<4>(grid, "grid");
            run([&] {
                pad_maps(reals(in.data), reals(by.data), in.shape, g.cells, g.lanes,
                         reals(out.data));
            });
        },
        exact("image"), exact("maps"), exact("grid"),
        "Image (z, y, x) times maps (z, y, x, lanes) into the wrapped corner of a grid.");
    m.def(
        "grid_crop_maps",
        [](const Array<C> &grid, const Array<C> &maps, Array<C> &image) {
            auto out = output<3>(image, "image");
            const Grid g = grid_of(grid);
            require_fit(g, out.shape);
            const auto by = input<4>(maps, "maps");
            require_shape<4>(by.shape, {out.shape[0], out.shape[1], out.shape[2], g.lanes}, "maps");
            run([&] {
                crop_maps(reals(grid.data()), reals(by.data), g.cells, g.lanes, out.shape,
                          reals(out.data));
            });
        },
        exact("grid"), exact("maps"), exact("image"), "Adjoint of grid_pad_maps.");
    m.def(
        "lane_fft",
        [](Array<C> &grid, int sign, const Tuple3 &band) {
            const Grid g = grid_of(grid);
            require_fit(g, band);
            auto out = output<4>(grid, "grid");
            run([&] { lane_fft(reals(out.data), g.cells, g.lanes, sign, band); });
        },
        exact("grid"), "sign"_a, "band"_a,
        "Unscaled FFT over z, y, x of a grid (z, y, x, lanes) in place. Sign -1 wants zeros "
        "outside "
        "the wrapped band; sign +1 leaves the result in the band alone.");
    m.def(
        "lane_fft_filter",
        [](Array<C> &grid, const Array<T> &factor, const Tuple3 &band) {
            const Grid g = grid_of(grid);
            require_fit(g, band);
            const auto f = input<3>(factor, "factor");
            require_shape<3>(f.shape, g.cells, "factor");
            auto out = output<4>(grid, "grid");
            run([&] { lane_fft_filter(reals(out.data), g.cells, g.lanes, f.data, band); });
        },
        exact("grid"), exact("factor"), "band"_a,
        "lane_fft with sign -1, product with one real factor per cell (z, y, x), lane_fft with "
        "sign +1.");
}

} // namespace

void bind_mr_coils(py::module_ &m);
void bind_mr_grappa(py::module_ &m);
void bind_mr_masks(py::module_ &m);
void bind_mr_subspace(py::module_ &m);

void bind_mr(py::module_ &m) {
    bind_mr_grappa(m);
    bind_mr_masks(m);
    bind_mr_subspace(m);
    def_plan<float, float>(m);
    def_plan<float, double>(m);
    def_plan<double, float>(m);
    def_plan<double, double>(m);
    def_transfer<float>(m);
    def_transfer<double>(m);
    def_pad<float>(m);
    def_pad<double>(m);
    bind_mr_coils(m);
    bind_mr_sense(m);
}

} // namespace pyrad::bind
