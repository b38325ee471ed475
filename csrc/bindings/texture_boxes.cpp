#include "bindings/bind.hpp"

#include "texture/enclosing_ellipsoid.hpp"
#include "texture/oriented_box.hpp"

namespace pyrad::bind {

void bind_texture_boxes(py::module_ &m);

void bind_texture_boxes(py::module_ &m) {
    m.def(
        "oriented_boxes",
        [](const Array<double> &points, const Array<double> &normals, Array<double> &out) {
            const auto cloud = input<2>(points, "points");
            const auto directions = input<2>(normals, "normals");
            const auto boxes = output<2>(out, "out");
            require_shape<2>(cloud.shape, {cloud.shape[0], 3}, "points");
            require_shape<2>(directions.shape, {directions.shape[0], 3}, "normals");
            require_shape<2>(boxes.shape, {directions.shape[0], 6}, "out");
            if (cloud.shape[0] < 1)
                fail(ErrorKind::shape, "points is empty");
            run([&] { oriented_boxes(cloud, directions, boxes); });
        },
        exact("points"), exact("normals"), exact("out"),
        "Smallest box around points with a face across each normal: 3 extents, direction of a "
        "side.");
    m.def(
        "turn_boxes",
        [](const Array<double> &points, const Array<double> &axes, Array<double> &out) {
            const auto cloud = input<2>(points, "points");
            const auto frames = input<3>(axes, "axes");
            const auto extents = output<2>(out, "out");
            require_shape<2>(cloud.shape, {cloud.shape[0], 3}, "points");
            require_shape<3>(frames.shape, {frames.shape[0], 3, 3}, "axes");
            require_shape<2>(extents.shape, {frames.shape[0], 3}, "out");
            if (cloud.shape[0] < 1)
                fail(ErrorKind::shape, "points is empty");
            run([&] { turn_boxes(cloud, frames, extents); });
        },
        exact("points"), exact("axes"), exact("out"),
        "Extents of the smallest box near each of these, turned about all axes at once.");
    m.def(
        "enclosing_ellipsoid_steps",
        [](const Array<double> &points, double tolerance, i64 steps, Array<double> &weights,
           Array<double> &inverse, Array<double> &distance) {
            const auto cloud = input<2>(points, "points");
            const i64 n = cloud.shape[0];
            require_shape<2>(cloud.shape, {n, 4}, "points");
            const auto w = output<1>(weights, "weights"), far = output<1>(distance, "distance");
            const auto matrix = output<2>(inverse, "inverse");
            require_shape<1>(w.shape, {n}, "weights");
            require_shape<1>(far.shape, {n}, "distance");
            require_shape<2>(matrix.shape, {4, 4}, "inverse");
            if (n < 1)
                fail(ErrorKind::shape, "points is empty");
            bool done = false;
            run([&] { done = enclosing_ellipsoid_steps(cloud, tolerance, steps, w, matrix, far); });
            return done;
        },
        exact("points"), "tolerance"_a, "steps"_a, exact("weights"), exact("inverse"),
        exact("distance"), "Steps towards the ellipsoid of least volume; true when it is reached.");
}

} // namespace pyrad::bind
