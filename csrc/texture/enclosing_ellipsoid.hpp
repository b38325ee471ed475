// Weights of points whose scatter is the ellipsoid of least volume around them: Khachiyan's
// algorithm (Math. Oper. Res. 21 (1996) 307, doi:10.1287/moor.21.2.307), with steps away from
// points (Todd & Yildirim, Discrete Appl. Math. 155 (2007) 1731, doi:10.1016/j.dam.2007.02.013).
#pragma once

#include "base/view.hpp"

namespace pyrad {

// points (n, 4): coordinates and 1; weights (n) with sum 1; inverse (4, 4) of sum w p p^T; distance
// (n) = p^T inverse p. Does at most `steps` steps, updates all but the points; true when every
// distance is within 4 (1 + tolerance), and those with weight above 4 (1 - tolerance).
bool enclosing_ellipsoid_steps(View<const double, 2> points, double tolerance, i64 steps,
                               View<double, 1> weights, View<double, 2> inverse,
                               View<double, 1> distance);

} // namespace pyrad
