// Positions are taken in double precision and counted from the pixel's first column before they
// become float, so that single precision loses nothing on wide detectors.
#include "ct/footprint_weights.hpp"

#include "base/simd.hpp"

#include <algorithm>
#include <cmath>

namespace pyrad {
namespace {

constexpr i64 size = footprint_block;

PYRAD_CLONES void corners_flat(const FootprintView &view, double x, double y, double *column) {
    const double a0 = view.across[0], a = view.across[1] * y + view.across[2];
    const double b0 = view.along[0], b = view.along[1] * y + view.along[2];
    const double centre = view.centre;
    for (i64 i = 0; i <= size; ++i) {
        const double at = x + static_cast<double>(i);
        const double depth = b0 * at + b, there = centre + (a0 * at + a) / depth;
        column[i] = depth > 0 ? there : footprint_nowhere;
    }
}

PYRAD_CLONES void corners_curved(const FootprintView &view, double arc, double x, double y,
                                 double *column) {
    const double a0 = view.across[0], a = view.across[1] * y + view.across[2];
    const double b0 = view.along[0], b = view.along[1] * y + view.along[2];
    const double centre = view.centre;
    for (i64 i = 0; i <= size; ++i) {
        const double at = x + static_cast<double>(i);
        const double depth = b0 * at + b;
        const double there = centre + arc * footprint_angle(a0 * at + a, depth);
        column[i] = depth > 0 ? there : footprint_nowhere;
    }
}

// Vertices counted from the left edge of the first column.
template <class T> struct Vertices {
    alignas(64) T t0[size], t1[size], t2[size], t3[size], chord[size];
};

template <class T>
PYRAD_CLONES void place(const double *above, const double *below, double columns, Vertices<T> &at,
                        i32 *first, i32 *count) {
    for (i64 i = 0; i < size; ++i) {
        const Trapezoid<double> t =
            footprint_trapezoid(above[i], above[i + 1], below[i], below[i + 1]);
        const double begin = std::floor(t.t0 + 0.5), end = std::floor(t.t3 + 0.5);
        const double base = std::min(std::max(begin, -1.0), columns), edge = base - 0.5;
        const double last = std::min(end, columns - 1);
        at.t0[i] = static_cast<T>(t.t0 - edge);
        at.t1[i] = static_cast<T>(t.t1 - edge);
        at.t2[i] = static_cast<T>(t.t2 - edge);
        at.t3[i] = static_cast<T>(t.t3 - edge);
        const double seen = std::max(last - base + 1, 0.0);
        first[i] = static_cast<i32>(base);
        count[i] = static_cast<i32>((end < 0) | (t.t3 >= footprint_nowhere) ? 0.0 : seen);
    }
}

template <class T>
PYRAD_CLONES void chords(const FootprintView &view, double pitch_x, double pitch_y, double x,
                         double y, T *chord) {
    const double h = view.divergent, sx = view.source_x, sy = view.source_y;
    const double ry = h * y - sy, size_y = ry < 0 ? -ry : ry, my = ry * pitch_y;
    for (i64 i = 0; i < size; ++i) {
        const double rx = h * (x + static_cast<double>(i)) - sx, size_x = rx < 0 ? -rx : rx;
        const double mx = rx * pitch_x;
        chord[i] = static_cast<T>(std::sqrt(mx * mx + my * my) / std::max(size_x, size_y));
    }
}

// weight[j] = chord x area of the trapezoid over column j, zero for pixels that miss.
template <class T>
PYRAD_CLONES void areas(const Vertices<T> &at, const i32 *count, i64 width, T *weight) {
    alignas(64) T left[size] = {};
    for (i64 j = 0; j < width; ++j) {
        const T s = static_cast<T>(j + 1);
        for (i64 i = 0; i < size; ++i) {
            const TrapezoidArea<T> area({at.t0[i], at.t1[i], at.t2[i], at.t3[i]});
            const T here = area(s), part = std::max(here - left[i], T(0));
            weight[j * size + i] = count[i] > 0 ? at.chord[i] * part : T(0);
            left[i] = here;
        }
    }
}

void place_corners(const FootprintView &view, const FootprintPlane &plane, double x, double y,
                   FootprintCorners &corners) {
    if (plane.arc > 0)
        corners_curved(view, plane.arc, x, y, corners.column);
    else
        corners_flat(view, x, y, corners.column);
}

// Both lines of corners in double precision, where one of them could not be had wide.
void make_double(const FootprintView &view, const FootprintPlane &plane, i64 x, i64 y,
                 FootprintCorners &above, FootprintCorners &below) {
    const double x0 = static_cast<double>(x) - 0.5, y0 = static_cast<double>(y) - 0.5;
    place_corners(view, plane, x0, y0, above);
    place_corners(view, plane, x0, y0 + 1, below);
}

} // namespace

template <class T>
void footprint_corners(const FootprintView &view, const FootprintPlane &plane, i64 x, double y,
                       FootprintCorners &corners) {
    const double x0 = static_cast<double>(x) - 0.5;
    corners.wide = sizeof(T) == 4 && footprint::corners_wide(view, plane, x0, y - 0.5, corners);
    if (!corners.wide)
        place_corners(view, plane, x0, y - 0.5, corners);
}

template <class T>
void footprint_block_weights(const FootprintView &view, const FootprintPlane &plane, i64 x, i64 y,
                             const FootprintCorners &above, const FootprintCorners &below,
                             FootprintBlock<T> &block) {
    if constexpr (sizeof(T) == 4) {
        if (above.wide && below.wide)
            return footprint::weights_wide(view, plane, x, y, above, below, block);
        if (above.wide || below.wide) {
            FootprintCorners pair[2];
            make_double(view, plane, x, y, pair[0], pair[1]);
            return footprint_block_weights(view, plane, x, y, pair[0], pair[1], block);
        }
    }
    Vertices<T> at;
    place(above.column, below.column, static_cast<double>(plane.columns), at, block.first,
          block.count);
    block.width = *std::max_element(block.count, block.count + size);
    if (block.width == 0)
        return;
    chords(view, plane.pitch_x, plane.pitch_y, static_cast<double>(x), static_cast<double>(y),
           at.chord);
    if (static_cast<i64>(block.weight.size()) < block.width * size)
        block.weight.resize(block.width * size);
    areas(at, block.count, block.width, block.weight.data());
}

#define PYRAD_INSTANTIATE(T)                                                                       \
    template void footprint_corners<T>(const FootprintView &, const FootprintPlane &, i64, double, \
                                       FootprintCorners &);                                        \
    template void footprint_block_weights(const FootprintView &, const FootprintPlane &, i64, i64, \
                                          const FootprintCorners &, const FootprintCorners &,      \
                                          FootprintBlock<T> &);
PYRAD_INSTANTIATE(float)
PYRAD_INSTANTIATE(double)
#undef PYRAD_INSTANTIATE

} // namespace pyrad
