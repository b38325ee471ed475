// Explicit steps of anisotropic diffusion; formulas in diffusion_math.hpp.
#pragma once

#include "base/view.hpp"
#include "denoise/diffusion_math.hpp"

namespace pyrad::diffusion {

// Images are (z, y, x) with one more sample at both ends of every row, equal to the outermost one.
// The result may have rows with or without them. Nothing flows through the faces.
template <class T> void diffuse(View<const T, 3> u, const Step<T> &step, View<T, 3> out);

// Sum of the squared central differences over all voxels.
template <class T> double squared_gradient(View<const T, 3> u, const Step<T> &step);

} // namespace pyrad::diffusion
