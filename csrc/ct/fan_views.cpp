#include "ct/fan_views.hpp"

namespace pyrad::fan {

Bounds bounds(const Beam &beam, i64 v, i64 x, i64 y) {
    const Views &n = beam.view;
    const double half_x = 0.5 * (tile_columns - 1), half_y = 0.5 * (tile_rows - 1);
    const double at_x = x + half_x, at_y = y + half_y;
    const double across = n.across_x[v] * at_x + n.across_y[v] * at_y + n.across_0[v];
    const double along = n.along_x[v] * at_x + n.along_y[v] * at_y + n.along_0[v];
    // e x h is linear in y and constant in x; along is least at a corner
    const double cross = n.across_x[v] * along - n.along_x[v] * across;
    const double turn = n.across_x[v] * n.along_y[v] - n.along_x[v] * n.across_y[v];
    const double least = along - std::abs(n.along_x[v]) * half_x - std::abs(n.along_y[v]) * half_y;
    if (!(least > 0))
        return {1e30, 1e30};
    const double most = (std::abs(cross) + std::abs(turn) * half_y) * std::abs(beam.magnify);
    const double step = beam.curved
                            ? std::sqrt(n.across_x[v] * n.across_x[v] + n.along_x[v] * n.along_x[v])
                            : std::abs(n.along_x[v]);
    return {most / (least * least), 7.5 * step / least};
}

} // namespace pyrad::fan
