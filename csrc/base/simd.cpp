#include "base/simd.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace pyrad {
namespace {

std::atomic<int> width_limit{16};

int offered_width() {
    const char *level = isa_name();
    return std::strcmp(level, "x86-64-v4") == 0 ? 16 : std::strcmp(level, "x86-64-v3") == 0 ? 8 : 0;
}

} // namespace

const char *isa_name() {
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("x86-64-v4"))
        return "x86-64-v4";
    if (__builtin_cpu_supports("x86-64-v3"))
        return "x86-64-v3";
#endif
    return "baseline";
}

int vector_width() {
    static const int offered = offered_width();
    return std::min(offered, width_limit.load(std::memory_order_relaxed));
}

int limit_vector_width(int floats) { return width_limit.exchange(floats); }

} // namespace pyrad
