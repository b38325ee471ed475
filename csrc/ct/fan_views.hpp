// The views of a fan as tile kernels see them, and bounds that choose among those kernels.
#pragma once

#include "base/portable.hpp"

namespace pyrad::fan {

constexpr i64 tile_columns = 64, tile_rows = 16, sample_pad = 48;

// Per view: across = across_x x + across_y y + across_0 and along likewise.
struct Views {
    static constexpr i64 spare = 32; // readable elements behind the last view
    const double *across_x, *across_y, *across_0, *along_x, *along_y, *along_0;
};

// Flat: column = centre + magnify * across / along. Curved: centre + magnify * atan2(across,
// along).
struct Beam {
    i64 views, columns;
    Views view;
    double centre, magnify, source_origin;
    bool curved;
};

// Bounds for one view over the tile at (x, y): columns per pixel; |k s| and |z| of
// fan_windows.inl for 16 pixels.
struct Bounds {
    double advance, series;
};
Bounds bounds(const Beam &beam, i64 view, i64 x, i64 y);

// What fits the windows and series of fan_windows.inl.
constexpr double one_register = 0.99, two_registers = 1.9;
constexpr double short_series = 0.02, long_series = 0.08;

} // namespace pyrad::fan
