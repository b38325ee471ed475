// CUDA twin of phase_constraint.cpp: one thread per value.
#include "mr/phase_constraint_math.hpp"

namespace {

template <class T>
__device__ void constrain_phase(const pyrad::Complex<T> *phases, int magnitude, long long count,
                                pyrad::Complex<T> *images) {
    const long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < count)
        images[i] = pyrad::length_along(images[i], phases[i], magnitude != 0) * phases[i];
}

} // namespace

PYRAD_KERNEL(constrain_phase_c64)(const pyrad::Complex<float> *phases, int magnitude,
                                  long long count, pyrad::Complex<float> *images) {
    constrain_phase(phases, magnitude, count, images);
}

PYRAD_KERNEL(constrain_phase_c128)(const pyrad::Complex<double> *phases, int magnitude,
                                   long long count, pyrad::Complex<double> *images) {
    constrain_phase(phases, magnitude, count, images);
}
