#include "texture/enclosing_ellipsoid.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace pyrad {
namespace {

// distance = (distance - factor (p . image)^2) * grow for the points given by coordinate.
PYRAD_CLONES void update(const double *x, const double *y, const double *z, const double *image,
                         i64 n, double factor, double grow, double *__restrict distance) {
    for (i64 k = 0; k < n; ++k) {
        const double along = image[0] * x[k] + image[1] * y[k] + image[2] * z[k] + image[3];
        distance[k] = (distance[k] - factor * along * along) * grow;
    }
}

} // namespace

bool enclosing_ellipsoid_steps(View<const double, 2> points, double tolerance, i64 steps,
                               View<double, 1> weights, View<double, 2> inverse,
                               View<double, 1> distance) {
    const i64 n = points.shape[0];
    std::vector<double> axis[3];
    for (int d = 0; d < 3; ++d)
        for (i64 k = 0; k < n; ++k)
            axis[d].push_back(points(k, d));
    double *const w = weights.data, *const far = distance.data;
    for (i64 step_number = 0; step_number < steps; ++step_number) {
        i64 outer = 0, inner = 0;
        double least = std::numeric_limits<double>::infinity();
        for (i64 k = 0; k < n; ++k) {
            if (far[k] > far[outer])
                outer = k;
            if (w[k] > 0 && far[k] < least) {
                least = far[k];
                inner = k;
            }
        }
        const double above = far[outer] / 4 - 1, below = 1 - least / 4;
        if (above <= tolerance && below <= tolerance)
            return true;
        const i64 at = above > below ? outer : inner;
        double step = (far[at] - 4) / (4 * (far[at] - 1));
        const bool drop = step < 0 && step <= -w[at] / (1 - w[at]);
        if (drop)
            step = -w[at] / (1 - w[at]);
        for (i64 k = 0; k < n; ++k)
            w[k] *= 1 - step;
        w[at] = drop ? 0.0 : w[at] + step;
        double image[4];
        for (int i = 0; i < 4; ++i) {
            image[i] = 0;
            for (int j = 0; j < 4; ++j)
                image[i] += inverse(i, j) * points(at, j);
        }
        const double factor = step / (1 - step + step * far[at]), grow = 1 / (1 - step);
        for (int i = 0; i < 4; ++i)
            for (int j = 0; j < 4; ++j)
                inverse(i, j) = (inverse(i, j) - factor * image[i] * image[j]) * grow;
        update(axis[0].data(), axis[1].data(), axis[2].data(), image, n, factor, grow, far);
    }
    poll();
    return false;
}

} // namespace pyrad
