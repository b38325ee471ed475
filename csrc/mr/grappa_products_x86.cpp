// The products of grappa_products.cpp with fused multiply-adds, AVX2 and AVX-512: sums stay in
// registers while cells (Gram matrix) or eliminated rows (weights) pass by.
#include "base/pack_x86.hpp"

#include "mr/grappa_products.hpp"

namespace pyrad {
namespace {

#if defined(PYRAD_X86)

namespace avx512 {
#define PYRAD_TARGET PYRAD_AVX512
using P = Pack512;
#include "mr/grappa_products.inl"
#undef PYRAD_TARGET
} // namespace avx512

namespace avx2 {
#define PYRAD_TARGET PYRAD_AVX2
using P = Pack256;
#include "mr/grappa_products.inl"
#undef PYRAD_TARGET
} // namespace avx2

#endif

} // namespace

GrappaProducts wide_grappa_products() {
#if defined(PYRAD_X86)
    const int width = vector_width();
    if (width >= 16)
        return {&avx512::add_outer, &avx512::eliminate};
    if (width >= 8)
        return {&avx2::add_outer, &avx2::eliminate};
#endif
    return {nullptr, nullptr};
}

} // namespace pyrad
