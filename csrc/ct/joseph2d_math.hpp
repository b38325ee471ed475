// The rays of a 2D scan and their Joseph weights, for CPU and GPU alike.
//
// A view is 8 numbers in index coordinates (x = column, y = row of the image): the ray of detector
// pixel c passes the point  O + b R  in direction  a P + b Q  with (a, b) = pixels[c]. Parallel
// rays have Q = 0 and a = 1, fans R = 0; a, b are (1, mm) on a flat and (cos, sin) on a curved
// detector.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

struct View2D {
    double origin_x, origin_y, origin_step_x, origin_step_y;
    double ray_x, ray_y, ray_step_x, ray_step_y;
};

// One ray as seen along its dominant axis: at line k of that axis (row k if steep, else column k)
// it crosses at the coordinate `start + k * slope` of the other axis. `weight` is the length in mm
// between two lines.
struct Ray2D {
    double start, slope, weight;
    bool steep; // closer to the y axis: lines are image rows
};

PYRAD_HD Ray2D ray2d(const View2D &view, double a, double b, double pitch_x, double pitch_y) {
    const double ox = view.origin_x + b * view.origin_step_x;
    const double oy = view.origin_y + b * view.origin_step_y;
    const double dx = a * view.ray_x + b * view.ray_step_x;
    const double dy = a * view.ray_y + b * view.ray_step_y;
    const double length = sqrt(dx * pitch_x * (dx * pitch_x) + dy * pitch_y * (dy * pitch_y));
    const double size_x = dx < 0 ? -dx : dx, size_y = dy < 0 ? -dy : dy;
    if (size_y >= size_x)
        return {ox - oy * (dx / dy), dx / dy, length / size_y, true};
    return {oy - ox * (dy / dx), dy / dx, length / size_x, false};
}

} // namespace pyrad
