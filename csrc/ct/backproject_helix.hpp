// Helical projections: rebinning to parallel rays and weighted backprojection.
#pragma once

#include "base/view.hpp"
#include "ct/backproject_cone.hpp"

namespace pyrad {

// out[i, r, c] = x[., r, .] linearly interpolated at view view_at[i, c] and column column_at[c];
// both must lie inside x.
template <class T>
void rebin_rows(View<const T, 3> x, View<const double, 2> view_at, View<const double, 1> column_at,
                View<T, 3> out);

// Rebinned views come in groups of `partners` that see the same parallel rays, half a turn apart:
//   out[z, y, x] = (add ? out : 0) + sum over groups of
//                  sum_partner w(row) q(column, row) / sum_partner w(row)
// with w = pi_weight of helix_math.hpp, whose smooth outer part is the fraction `feather` of the
// half detector. scan.rays is rebinned_flat or rebinned_curved; rows between the centre of the
// outermost row and the detector's edge take that row's value. Groups whose weights are all zero
// at a voxel add nothing.
template <class T>
void backproject_helix(View<const T, 3> filtered, View<const double, 2> views, const ConeScan &scan,
                       i64 partners, double feather, bool add, View<T, 3> out);

// --- between the sampling kernels ---------------------------------------------------------------

template <class T> struct PiWeight {
    T middle, edge, per_row; // arguments of pi_weight
};

// Slices of one voxel column in one view: slice k lies at row first + k * rise between `column`
// and the column `stride` elements further, which count low and high.
template <class T> struct PartnerLine {
    const T *column;
    i64 stride;
    T low, high, first, rise;
    int rows;
};

// Adds weighted samples and weights of tile_z slices.
template <class T>
using PartnerKernel = void (*)(const PartnerLine<T> &line, const PiWeight<T> &weight, T *sum,
                               T *weights);

// Kernels for less than `permuted_rise` rows per slice that permute rows out of registers; null
// where the processor lacks them.
PartnerKernel<float> permuting_partner_kernel();
constexpr float permuted_rise = 1.99f;

} // namespace pyrad
