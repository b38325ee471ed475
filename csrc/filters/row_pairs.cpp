#include "filters/row_pairs.hpp"

#include "base/x86.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace pyrad {
namespace {

#pragma GCC diagnostic ignored "-Wpsabi" // vectors pass between inlined functions only

#if defined(PYRAD_X86)
namespace avx512 {
constexpr int register_bytes = 64;
}
namespace avx2 {
constexpr int register_bytes = 32;
}
#endif
namespace portable {
constexpr int register_bytes = 16;
}

#define PYRAD_ISA_SOURCE "filters/row_pairs.inl"
#include "base/each_isa.inl"

} // namespace

template <class T> RowPairs<T> row_pairs() {
    return {PYRAD_BEST(spread<T>), PYRAD_BEST(separate<T>), PYRAD_BEST(join<T>),
            PYRAD_BEST(gather<T>)};
}

template RowPairs<float> row_pairs();
template RowPairs<double> row_pairs();

} // namespace pyrad
