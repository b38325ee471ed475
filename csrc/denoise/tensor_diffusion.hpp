// Diffusion by a tensor field; formulas in tensor_diffusion_math.hpp. Images are as in
// diffusion.hpp; cell fields are (6, nz + 1, ny + 1, nx + 1).
#pragma once

#include "base/view.hpp"

namespace pyrad::tensor {

struct Spacing {
    double inverse[3]; // 1 / spacing along z, y, x
};

// The edge-enhancing tensor of an image (usually smoothed).
template <class T>
void edge_tensor(View<const T, 3> u, const Spacing &spacing, double kappa, View<T, 4> out);

// Products of the gradient's components.
template <class T>
void structure_tensor(View<const T, 3> u, const Spacing &spacing, View<T, 4> out);

// Structure tensors (usually smoothed) become coherence-enhancing ones.
template <class T> void coherence_tensor(View<T, 4> tensor, bool flat, double kappa, double alpha);

// out = u + tau div(tensor grad u).
template <class T>
void tensor_step(View<const T, 3> u, View<const T, 4> tensor, const Spacing &spacing, double tau,
                 View<T, 3> out);

} // namespace pyrad::tensor
