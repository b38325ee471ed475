#include "bindings/bind.hpp"

#include "denoise/nlm.hpp"
#include "denoise/nlm_blocks.hpp"

#include <optional>

namespace pyrad::bind {
namespace {

using Triple = std::array<i64, 3>;

// Radii that the kernels can work with on volumes of this shape.
void require_radii(const Triple &patch, const Triple &search, const std::array<i64, 4> &shape) {
    for (int d = 0; d < 3; ++d)
        if (patch[d] < 0 || search[d] < 0 || patch[d] >= std::max<i64>(1, shape[d + 1]))
            fail(ErrorKind::shape, "patch radius ", patch[d], " and search radius ", search[d],
                 " do not fit axis ", d, " of length ", shape[d + 1]);
}

// Noise levels: a map, or one number per volume.
template <class T>
nlm::Noise<T> noise_of(const std::optional<Array<T>> &variance, const std::vector<double> &sigma,
                       double h, double factor, const std::array<i64, 4> &shape) {
    if (!variance && static_cast<i64>(sigma.size()) != shape[0])
        fail(ErrorKind::shape, "sigma has ", sigma.size(), " entries, expected ", shape[0]);
    if (!variance)
        return {nullptr, 0, sigma.data(), h, factor};
    auto expected = shape;
    const auto got = shape_of<4>(*variance, "variance");
    if (got[0] == 1)
        expected[0] = 1;
    require_shape<4>(got, expected, "variance");
    return {variance->data(), got[0] > 1 ? shape[1] * shape[2] * shape[3] : 0, nullptr, h, factor};
}

template <class T> void def_nlm(py::module_ &m) {
    m.def(
        "nlm",
        [](const Array<T> &image, const Array<T> &values, const Triple &patch, const Triple &search,
           const std::optional<Array<T>> &variance, const std::vector<double> &sigma, double h,
           double factor, bool patchwise, Array<T> &out) {
            const auto shape = shape_of<4>(image, "image");
            require_shape<4>(shape_of<4>(values, "values"), shape, "values");
            const auto result = output<4>(out, "out");
            require_shape<4>(result.shape, shape, "out");
            require_radii(patch, search, shape);
            const auto noise = noise_of(variance, sigma, h, factor, shape);
            run([&] {
                nlm::nlm(image.data(), values.data(), shape[0], {shape[1], shape[2], shape[3]},
                         {patch[0], patch[1], patch[2]}, {search[0], search[1], search[2]}, noise,
                         patchwise, result.data);
            });
        },
        exact("image"), exact("values"), "patch"_a, "search"_a, exact("variance"), "sigma"_a, "h"_a,
        "factor"_a, "patchwise"_a, exact("out"),
        "Non-local means of volumes, weights from image, average of values; patch and search are "
        "radii, variance is one per voxel or None, sigma one per volume.");
}

template <class T> void def_nlm_blocks(py::module_ &m) {
    m.def(
        "nlm_blocks",
        [](const Array<T> &image, const Array<T> &values, const Array<T> &mean,
           const Array<T> &spread, const Triple &patch, const Triple &search, const Triple &step,
           const std::optional<Array<T>> &variance, double sigma, double h, double factor,
           const std::array<double, 2> &limits, Array<T> &out) {
            const auto n = shape_of<3>(mean, "mean"), padded = shape_of<3>(image, "image");
            require_shape<3>(shape_of<3>(values, "values"), padded, "values");
            require_shape<3>(shape_of<3>(spread, "spread"), n, "spread");
            if (variance)
                require_shape<3>(shape_of<3>(*variance, "variance"), n, "variance");
            require_radii(patch, search, {1, n[0], n[1], n[2]});
            std::array<i64, 3> wanted{}, grid{};
            for (int d = 0; d < 3; ++d) {
                if (step[d] < 1 || step[d] > patch[d] + 1 || n[d] < 1)
                    fail(ErrorKind::shape, "step ", step[d], " does not fit patch radius ",
                         patch[d]);
                wanted[d] = n[d] + 2 * patch[d] + (d == 2 ? nlm::block_lanes : 0);
                grid[d] = (n[d] + step[d] - 1) / step[d];
            }
            require_shape<3>(padded, wanted, "image");
            nlm::Blocks<T> b{n[0],
                             n[1],
                             n[2],
                             grid[0],
                             grid[1],
                             grid[2],
                             padded[1],
                             padded[2],
                             {patch[0], patch[1], patch[2]},
                             {search[0], search[1], search[2]},
                             {step[0], step[1], step[2]},
                             image.data(),
                             values.data(),
                             mean.data(),
                             spread.data(),
                             variance ? variance->data() : nullptr,
                             static_cast<T>(limits[0]),
                             static_cast<T>(limits[1]),
                             {}};
            const auto result = output<4>(out, "out");
            require_shape<4>(result.shape, {grid[0], grid[1], grid[2], b.patch_size()}, "out");
            b.strength = nlm::strength<T>(static_cast<double>(b.patch_size()),
                                          variance ? 0.0 : sigma, h, factor);
            run([&] { nlm::block_estimates(b, result.data); });
        },
        exact("image"), exact("values"), exact("mean"), exact("spread"), "patch"_a, "search"_a,
        "step"_a, exact("variance"), "sigma"_a, "h"_a, "factor"_a, "limits"_a, exact("out"),
        "Estimates of blocks [z, y, x, patch] of one volume; image and values are padded by the "
        "patch radius, and by 16 more at the end of rows.");
}

} // namespace

void bind_denoise_nlm(py::module_ &m) {
    def_nlm<float>(m);
    def_nlm<double>(m);
    def_nlm_blocks<float>(m);
    def_nlm_blocks<double>(m);
}

} // namespace pyrad::bind
