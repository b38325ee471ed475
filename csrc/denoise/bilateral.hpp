// Bilateral filter: Tomasi, Manduchi 1998, doi:10.1109/ICCV.1998.710815; with a guide: Petschnigg
// et al. 2004, doi:10.1145/1015706.1015777.
//
//     out(i) = v(i) + sum_w e(w) (v(i + w) - v(i)) / sum_w e(w),
//     e(w) = exp(-exponents[w] - (scale (g(i + w) - g(i)))^2),
//
// v the image, g the guide (often the image). Sums of differences keep constants as they are.
#pragma once

#include "base/view.hpp"

namespace pyrad::bilateral {

// Voxel i of row r is sample starts[r] + i + centre of the padded arrays, its neighbours are
// starts[r] + i + offsets[w].
template <class T> struct Window {
    const i64 *offsets;
    const T *exponents;
    i64 count, centre;
    T scale;
};

template <class T>
void bilateral(const T *guide, const T *values, const i64 *starts, const Window<T> &window,
               View<T, 2> out);

} // namespace pyrad::bilateral
