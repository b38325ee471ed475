#include "bindings/bind.hpp"

#include "denoise/bm4d.hpp"

#include <optional>

namespace pyrad::bind {
namespace {

using bm4d::Triple;

template <class T> void check_stage_tables(const bm4d::Stage<T> &stage) {
    for (int d = 0; d < 3; ++d) {
        if (stage.search[d] < 0)
            fail(ErrorKind::shape, "search radius is ", stage.search[d], " along axis ", d);
        for (i64 k = 0; k < stage.count[d]; ++k)
            if (stage.start[d][k] < 0 || stage.start[d][k] + stage.block[d] > stage.size[d] ||
                (k > 0 && stage.start[d][k] <= stage.start[d][k - 1]))
                fail(ErrorKind::shape, "block ", k, " of ", stage.block[d], " voxels begins at ",
                     stage.start[d][k], " on axis ", d, " of length ", stage.size[d],
                     "; expected ascending starts inside");
    }
    if (stage.group < 1 || stage.group > bm4d::largest_group)
        fail(ErrorKind::shape, "group is ", stage.group, ", expected 1 to ", bm4d::largest_group);
}

template <class T> void def_stage(py::module_ &m) {
    m.def(
        "bm4d_stage",
        [](const Array<T> &image, const std::optional<Array<T>> &guide, const Array<i64> &starts_z,
           const Array<i64> &starts_y, const Array<i64> &starts_x, const Array<T> &level,
           const Array<T> &forward, const Array<T> &inverse, const Array<T> &variance,
           const Array<T> &window, const Triple &search, int group, double similar, double expected,
           double threshold, Array<T> &out) {
            const auto size = shape_of<3>(image, "image");
            const auto result = output<3>(out, "out");
            require_shape<3>(result.shape, size, "out");
            if (guide)
                require_shape<3>(shape_of<3>(*guide, "guide"), size, "guide");
            const i64 edge = shape_of<1>(window, "window")[0];
            if (edge != 4 && edge != 8)
                fail(ErrorKind::shape, "window has ", edge, " entries, expected 4 or 8");
            const Triple block{edge == 8 ? 1 : 4, edge, edge};
            require_shape<2>(shape_of<2>(forward, "forward"), {edge, edge}, "forward");
            require_shape<2>(shape_of<2>(inverse, "inverse"), {edge, edge}, "inverse");
            require_shape<1>(shape_of<1>(variance, "variance"), {bm4d::voxels}, "variance");
            const Triple count{shape_of<1>(starts_z, "starts_z")[0],
                               shape_of<1>(starts_y, "starts_y")[0],
                               shape_of<1>(starts_x, "starts_x")[0]};
            require_shape<3>(shape_of<3>(level, "level"), count, "level");
            const bm4d::Stage<T> stage{size,
                                       block,
                                       search,
                                       {starts_z.data(), starts_y.data(), starts_x.data()},
                                       count,
                                       level.data(),
                                       forward.data(),
                                       inverse.data(),
                                       variance.data(),
                                       window.data(),
                                       group,
                                       static_cast<T>(similar),
                                       static_cast<T>(expected),
                                       static_cast<T>(threshold)};
            check_stage_tables(stage);
            run([&] {
                bm4d::stage(image.data(), guide ? guide->data() : nullptr, stage, result.data);
            });
        },
        exact("image"), exact("guide"), exact("starts_z"), exact("starts_y"), exact("starts_x"),
        exact("level"), exact("forward"), exact("inverse"), exact("variance"), exact("window"),
        "search"_a, "group"_a, "similar"_a, "expected"_a, "threshold"_a, exact("out"),
        "One stage of collaborative filtering, in units of the noise; guide: the first estimate.");
}

} // namespace

void bind_denoise_bm4d(py::module_ &m) {
    def_stage<float>(m);
    def_stage<double>(m);
}

} // namespace pyrad::bind
