// Where a voxel column falls on a cone-beam detector that turns untilted about z, and with which
// weight; for CPU and GPU alike.
#pragma once

#include "base/portable.hpp"
#include "ct/fan_math.hpp"

namespace pyrad {

// The columns of a detector and the coordinates across, along of a point in the plane of the turn:
//   flat, curved    mm along the detector's column axis, and from the source down the central ray;
//   rebinned_*      parallel rays made of a flat or curved detector's: signed distance of the ray
//                   from the axis, and position along the ray counted from the axis.
enum ConeRays { flat = 0, curved = 1, rebinned_flat = 2, rebinned_curved = 3 };

template <class T> struct ConeShape {
    T centre_u, magnify_u; // column = centre_u + magnify_u * (tangent, angle or distance)
    T centre_v, magnify_v; // row = centre_v + magnify_v * slope of the ray
    T source_origin;
    T climb; // mm that the source of a rebinned ray stands higher per radian of fan angle
};

template <class T> struct ConePoint {
    T column, weight;
    T rise; // rows per mm above the source
    T lift; // mm that the source stands above the height in the view's table
};

template <class T, int Rays>
PYRAD_HD ConePoint<T> cone_point(T across, T along, const ConeShape<T> &shape) {
    const T origin = shape.source_origin;
    if (Rays == rebinned_flat || Rays == rebinned_curved) {
        const T sine = across / origin;
        const T cosine = square_root(max_of(T(1) - sine * sine, T(1e-6)));
        const T reach = along + origin * cosine;
        const T rise = shape.magnify_v / (Rays == rebinned_flat ? reach * cosine : reach);
        const T lift = shape.climb * arc_tangent(sine / cosine);
        return {shape.centre_u + shape.magnify_u * across, T(1), rise, lift};
    }
    if (Rays == curved) {
        const T distance2 = across * across + along * along;
        const T distance = square_root(distance2);
        return {shape.centre_u + shape.magnify_u * arc_tangent(across / along),
                origin * origin / distance2, shape.magnify_v / distance, T(0)};
    }
    const T inverse = T(1) / along, ratio = origin * inverse;
    return {shape.centre_u + shape.magnify_u * across * inverse, ratio * ratio,
            shape.magnify_v * inverse, T(0)};
}

} // namespace pyrad
