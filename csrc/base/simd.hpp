// Run-time choice of instruction set. PYRAD_CLONES in front of a plain loop makes the compiler
// emit one version per level and bind the best one at load time (glibc ifunc). Contraction is off
// (-ffp-contract=off), so every version gives the same bits.
#pragma once

#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && defined(__GNUC__) &&        \
    !defined(__clang__) && !defined(PYRAD_EMULATE) && !defined(__SANITIZE_ADDRESS__)
#define PYRAD_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
// Two versions only, for code that 512-bit registers do not speed up.
#define PYRAD_CLONES_V3 __attribute__((target_clones("default", "arch=x86-64-v3")))
#else
#define PYRAD_CLONES
#define PYRAD_CLONES_V3
#endif

namespace pyrad {

// "x86-64-v4", "x86-64-v3" or "baseline": the widest level this processor offers.
const char *isa_name();

// Floats in the widest register that hand-written loops may use: 16, 8, or 0 for none of them.
int vector_width();

// Tests: nothing wider than this (0, 8 or 16) from now on; returns the former limit.
int limit_vector_width(int floats);

} // namespace pyrad
