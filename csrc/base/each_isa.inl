// Includes PYRAD_ISA_SOURCE in the namespaces avx512, avx2 (where there are any) and portable, with
// PYRAD_TARGET as the attribute of its functions; PYRAD_BEST(name) is then the address of the
// widest version of a function that vector_width() allows.
//
//     #define PYRAD_ISA_SOURCE "folder/file.inl"
//     #include "base/each_isa.inl"
#include "base/x86.hpp"

#if defined(PYRAD_X86)
namespace avx512 {
#define PYRAD_TARGET PYRAD_AVX512
#include PYRAD_ISA_SOURCE
#undef PYRAD_TARGET
} // namespace avx512

namespace avx2 {
#define PYRAD_TARGET PYRAD_AVX2
#include PYRAD_ISA_SOURCE
#undef PYRAD_TARGET
} // namespace avx2
#endif

namespace portable {
#define PYRAD_TARGET
#include PYRAD_ISA_SOURCE
#undef PYRAD_TARGET
} // namespace portable

#undef PYRAD_ISA_SOURCE

#if defined(PYRAD_X86)
#define PYRAD_BEST(name)                                                                           \
    (vector_width() == 16 ? &avx512::name : (vector_width() == 8 ? &avx2::name : &portable::name))
#else
#define PYRAD_BEST(name) (&portable::name)
#endif
