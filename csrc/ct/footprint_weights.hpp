// Footprints of the pixels of one image line in one view: what the CPU kernels of the separable
// footprint share, in 2D and 3D.
#pragma once

#include "base/portable.hpp"
#include "ct/footprint_math.hpp"

#include <vector>

namespace pyrad {

constexpr i64 footprint_block = 32; // pixels weighed at a time

// Plane of a scan: what all views have in common.
struct FootprintPlane {
    double arc;              // columns per radian of a curved detector, 0 if it is flat
    double pitch_x, pitch_y; // of the image in mm
    i64 columns;             // of the detector
};

// Pixel i touches the columns first[i] .. first[i] + count[i] - 1 with weight[j * block + i], in
// mm x columns. `first` lies in [-1, columns]: what falls beside the detector is added up in the
// column -1 or left out, and may be written to accumulators with a spare column on the left and
// `width` of them on the right.
template <class T> struct FootprintBlock {
    i64 width = 0; // largest count
    alignas(64) i32 first[footprint_block];
    alignas(64) i32 count[footprint_block]; // 0 where the pixel misses the detector
    std::vector<T> weight;

    const T *of(i64 j) const { return weight.data() + j * footprint_block; }
};

// Columns of the corners (x - 1/2, y - 1/2) of `block` pixels and of the one behind them: in double
// precision, or (`wide`) from a whole column `origin` on, where AVX-512 takes them.
struct FootprintCorners {
    alignas(64) double column[footprint_block + 1];
    alignas(64) float local[footprint_block + 16];
    double origin = 0;
    bool wide = false;
};
template <class T>
void footprint_corners(const FootprintView &view, const FootprintPlane &plane, i64 x, double y,
                       FootprintCorners &corners);

// Footprints of the pixels x .. x + block - 1 of line y between two lines of corners.
template <class T>
void footprint_block_weights(const FootprintView &view, const FootprintPlane &plane, i64 x, i64 y,
                             const FootprintCorners &above, const FootprintCorners &below,
                             FootprintBlock<T> &block);

namespace footprint {

// AVX-512 forms in single precision; false where the processor or the view forbids them. The wide
// weights need wide corners; gather_wide: line[i] += sum over j of weight[j][i] * row[first[i] +
// j], where 48 values behind the last column may be read.
bool corners_wide(const FootprintView &view, const FootprintPlane &plane, double x, double y,
                  FootprintCorners &corners);
void weights_wide(const FootprintView &view, const FootprintPlane &plane, i64 x, i64 y,
                  const FootprintCorners &above, const FootprintCorners &below,
                  FootprintBlock<float> &block);
bool gather_wide(const FootprintBlock<float> &block, const float *row, i64 count, float *line);

} // namespace footprint

} // namespace pyrad
