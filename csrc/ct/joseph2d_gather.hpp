// The adjoint of joseph2d.cpp as a gather: every pixel sums the rays that pass within one sample.
#pragma once

#include "ct/joseph2d_rays.hpp"
#include "ct/joseph2d_tiles.hpp"

#include <memory>

namespace pyrad::joseph {

// Single precision only, for parallel rays at even distances and for fans onto detectors of even
// distances or even angles.
class Gather {
  public:
    virtual ~Gather() = default;
    // Fills all lines with the sums over the views of one slice.
    virtual void run(const Rays<float> &rays, View<const float, 3> projections, i64 slice,
                     Lines<float> &lines) = 0;
};

// The gather of the rays that advance along one axis; null where it cannot serve or where the
// processor has no permuting kernels. samples: shape of the lines (count, length).
std::unique_ptr<Gather> make_gather(const Rays<float> &rays, bool steep,
                                    View<const double, 2> views, View<const double, 2> pixels,
                                    double pitch_x, double pitch_y);

} // namespace pyrad::joseph
