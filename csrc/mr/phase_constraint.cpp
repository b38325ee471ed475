// One pass over images and phases; the formula is in phase_constraint_math.hpp.
#include "mr/phase_constraint.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <cmath>

using std::sqrt;
#include "mr/phase_constraint_math.hpp"

namespace pyrad {
namespace {

template <class T, bool magnitude>
PYRAD_CLONES void constrain(const Complex<T> *phases, i64 begin, i64 end, Complex<T> *images) {
    for (i64 i = begin; i < end; ++i)
        images[i] = length_along(images[i], phases[i], magnitude) * phases[i];
}

} // namespace

template <class T> void constrain_phase(const T *phases, bool magnitude, i64 count, T *images) {
    const auto *p = reinterpret_cast<const Complex<T> *>(phases);
    auto *x = reinterpret_cast<Complex<T> *>(images);
    parallel_for(count, 1 << 14, [&](i64 begin, i64 end, int) {
        if (magnitude)
            constrain<T, true>(p, begin, end, x);
        else
            constrain<T, false>(p, begin, end, x);
    });
}

template void constrain_phase(const float *, bool, i64, float *);
template void constrain_phase(const double *, bool, i64, double *);

} // namespace pyrad
