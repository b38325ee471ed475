#include "denoise/mppca_lanes.hpp"

#include "base/x86.hpp"

namespace pyrad::mppca {
namespace {

#pragma GCC diagnostic ignored "-Wpsabi" // vectors pass between functions of this file only

#if defined(PYRAD_X86)
namespace avx512 {
constexpr int lanes = 8;
#define PYRAD_TARGET PYRAD_AVX512
#include "denoise/mppca_lanes.inl"
#undef PYRAD_TARGET
} // namespace avx512

namespace avx2 {
constexpr int lanes = 4;
#define PYRAD_TARGET PYRAD_AVX2
#include "denoise/mppca_lanes.inl"
#undef PYRAD_TARGET
} // namespace avx2
#endif

namespace portable {
constexpr int lanes = 4;
#define PYRAD_TARGET
#include "denoise/mppca_lanes.inl"
#undef PYRAD_TARGET
} // namespace portable

} // namespace

Solver solver() {
#if defined(PYRAD_X86)
    if (vector_width() == 16)
        return avx512::solver();
    if (vector_width() == 8)
        return avx2::solver();
#endif
    return portable::solver();
}

} // namespace pyrad::mppca
