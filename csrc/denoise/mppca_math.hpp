// Marchenko-Pastur principal component analysis: where the noise ends, for one matrix (double, GPU)
// or one matrix per vector lane (CPU). Of the eigenvalues l_0 <= l_1 <= ... of X X^H, r of them, q
// the longer side of X, the first c are noise of variance s2 = sum(l_0 ... l_{c-1}) / (c q), where
// c is the largest number that passes
//     l_{c-1} - l_0 < 4 sqrt(g) sum(l_0 ... l_{c-1}) / c,
// g = c / q (Exp1: Veraart et al., NeuroImage 142, 2016, doi:10.1016/j.neuroimage.2016.08.016) or
// g = c / (q - r + c) (Exp2: Cordero-Grande et al., NeuroImage 200, 2019,
// doi:10.1016/j.neuroimage.2019.06.039). Only the signal's eigenvalues, the largest of the noise
// and the smallest of all are needed, since the sum is the trace less the former.
#pragma once

#include "base/portable.hpp"

namespace pyrad::mppca {

struct Rule {
    double longer;  // q
    bool exp2;      // else Exp1
    bool shrinkage; // of singular values (Gavish and Donoho 2017), else all or nothing
};

// 16 g: the condition above, squared, reads (l_{c-1} - l_0)^2 < 16 g (sum / c)^2.
PYRAD_HD double edge_factor(const Rule &rule, int r, int c) {
    return 16.0 * c / (rule.exp2 ? rule.longer - (r - c) : rule.longer);
}

// Eigenvalues below this part of the trace are rounding.
PYRAD_HD double zero_level(int n) { return 4.5e-16 * n; }

// What the component of eigenvalue l is multiplied by, with y2 = l / (q s2) and b = r / q: the
// shrinker of the Frobenius norm over y (Gavish, Donoho, IEEE Trans. Inf. Theory 63, 2017,
// doi:10.1109/TIT.2017.2653801), squared.
template <class T> PYRAD_HD T squared_shrinkage(const T &y2, double b) {
    const T inner = (y2 - b - 1.0) * (y2 - b - 1.0) - 4.0 * b;
    const T upper = y2 - (1.0 + b), value = inner / (y2 * y2);
    return upper > 0.0 && inner > 0.0 ? value : T{};
}

} // namespace pyrad::mppca
