#include "bindings/bind.hpp"

#include "denoise/tv_fields.hpp"

#include <optional>

namespace pyrad::bind {
namespace {

using Axes = std::vector<double>;
template <class T> using Maybe = std::optional<Array<T>>;

std::array<double, 3> per_axis(const Axes &values, const char *name) {
    if (values.empty() || values.size() > 3)
        fail(ErrorKind::shape, name, " has ", values.size(), " entries, expected 1 to 3");
    std::array<double, 3> all{};
    std::copy(values.begin(), values.end(), all.begin());
    return all;
}

template <class T>
tv::Fields<T> fields_of(const Array<T> &image, const Array<T> &dual, const Axes &axes, int coupling,
                        const Maybe<T> &limit, const Maybe<u8> &links) {
    const auto [channels, nz, ny, nx] = shape_of<4>(image, "image");
    const int dims = static_cast<int>(axes.size());
    if (channels * nz * ny * nx == 0 || (dims < 3 && nz != 1) || (dims < 2 && ny != 1))
        fail(ErrorKind::shape, "image has shape (", channels, ", ", nz, ", ", ny, ", ", nx,
             "), which is no image of ", dims, " dimensions");
    require_shape<5>(shape_of<5>(dual, "dual"), {channels, dims, nz, ny, nx}, "dual");
    if (coupling < 0 || coupling > tv::coupling_nuclear)
        fail(ErrorKind::data, "coupling is ", coupling, ", expected 0 to ", tv::coupling_nuclear);
    if (limit)
        require_shape<3>(shape_of<3>(*limit, "limit"), {nz, ny, nx}, "limit");
    if (links)
        require_shape<3>(shape_of<3>(*links, "links"), {nz, ny, nx}, "links");
    return {channels,
            dims,
            nz,
            ny,
            nx,
            coupling,
            limit ? limit->data() : nullptr,
            links ? links->data() : nullptr};
}

template <class T>
tv::Bounds<T> bounds_of(const tv::Fields<T> &fields, double low, double high,
                        const Maybe<T> &bounds) {
    if (bounds)
        require_shape<4>(shape_of<4>(*bounds, "bounds"), {2, fields.nz, fields.ny, fields.nx},
                         "bounds");
    return {low, high, bounds ? bounds->data() : nullptr};
}

template <class T> void def_tv_fields(py::module_ &m) {
    m.def(
        "tv_fields_dual",
        [](const Array<T> &image, const Array<T> &former, double theta, const Array<T> &dual,
           const Array<T> &earlier, double momentum, const Axes &steps, int coupling,
           const Maybe<T> &limit, const Maybe<u8> &links, Array<T> &out) {
            const auto step = per_axis(steps, "steps");
            const auto fields = fields_of(image, dual, steps, coupling, limit, links);
            require_shape<4>(shape_of<4>(former, "former"), shape_of<4>(image, "image"), "former");
            require_shape<5>(shape_of<5>(earlier, "earlier"), shape_of<5>(dual, "dual"), "earlier");
            auto to = output<5>(out, "out");
            require_shape<5>(to.shape, shape_of<5>(dual, "dual"), "out");
            run([&] {
                tv::fields_dual<T>(fields, {image.data(), former.data(), theta},
                                   {dual.data(), earlier.data(), momentum}, step, to.data);
            });
        },
        exact("image"), exact("former"), "theta"_a, exact("dual"), exact("earlier"), "momentum"_a,
        "steps"_a, "coupling"_a, exact("limit"), exact("links"), exact("out"),
        "Dual step of TV with a voxel-wise limit, links and coupled channels; out may be dual.");
    m.def(
        "tv_fields_primal",
        [](const Array<T> &f, const Array<T> &image, double take, const Array<T> &dual,
           const Array<T> &earlier, double momentum, const Axes &weights, double low, double high,
           const Maybe<T> &bounds, Array<T> &out) {
            const auto weight = per_axis(weights, "weights");
            const auto fields = fields_of<T>(f, dual, weights, 0, {}, {});
            const auto shape = shape_of<4>(f, "f");
            require_shape<4>(shape_of<4>(image, "image"), shape, "image");
            require_shape<5>(shape_of<5>(earlier, "earlier"), shape_of<5>(dual, "dual"), "earlier");
            auto to = output<4>(out, "out");
            require_shape<4>(to.shape, shape, "out");
            const auto within = bounds_of(fields, low, high, bounds);
            run([&] {
                tv::fields_primal<T>(fields, f.data(), image.data(), take,
                                     {dual.data(), earlier.data(), momentum}, weight, within,
                                     to.data);
            });
        },
        exact("f"), exact("image"), "take"_a, exact("dual"), exact("earlier"), "momentum"_a,
        "weights"_a, "low"_a, "high"_a, exact("bounds"), exact("out"),
        "Primal step of TV within bounds; weights are over the spacing; out may be image.");
    m.def(
        "tv_fields_objectives",
        [](const Array<T> &f, const Array<T> &image, double weight, const Axes &inverse_spacing,
           int coupling, const Maybe<T> &limit, const Maybe<u8> &links, double low, double high,
           const Maybe<T> &bounds, const Array<T> &dual) {
            const auto inverse = per_axis(inverse_spacing, "inverse_spacing");
            const auto fields = fields_of(f, dual, inverse_spacing, coupling, limit, links);
            require_shape<4>(shape_of<4>(image, "image"), shape_of<4>(f, "f"), "image");
            const auto within = bounds_of(fields, low, high, bounds);
            std::array<double, 2> values{};
            run([&] {
                values = tv::fields_objectives<T>(fields, f.data(), image.data(), weight, inverse,
                                                  within, dual.data());
            });
            return py::make_tuple(values[0], values[1]);
        },
        exact("f"), exact("image"), "weight"_a, "inverse_spacing"_a, "coupling"_a, exact("limit"),
        exact("links"), "low"_a, "high"_a, exact("bounds"), exact("dual"),
        "(P(image), D(dual)) of TV with fields, summed in double precision.");
}

} // namespace

void bind_denoise_tv_fields(py::module_ &m) {
    def_tv_fields<float>(m);
    def_tv_fields<double>(m);
}

} // namespace pyrad::bind
