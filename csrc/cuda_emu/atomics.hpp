// CUDA's atomic functions for the types CUDA defines them for; each returns the old value.
// Really atomic, since blocks run on several OS threads.
#pragma once

#include <cstring>
#include <type_traits>

namespace pyrad::emu {

template <class T, class Change> T replace(T *at, Change change) {
    using Bits = std::conditional_t<sizeof(T) == 8, unsigned long long, unsigned int>;
    static_assert(sizeof(T) == sizeof(Bits));
    auto *bits = reinterpret_cast<Bits *>(at);
    Bits old_bits = __atomic_load_n(bits, __ATOMIC_SEQ_CST);
    for (;;) {
        T old;
        std::memcpy(&old, &old_bits, sizeof old);
        const T now = change(old);
        Bits now_bits;
        std::memcpy(&now_bits, &now, sizeof now);
        if (__atomic_compare_exchange_n(bits, &old_bits, now_bits, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
            return old;
    }
}

} // namespace pyrad::emu

#define PYRAD_EMU_INTEGER_ATOMICS(T)                                                               \
    inline T atomicAdd(T *at, T by) { return __atomic_fetch_add(at, by, __ATOMIC_SEQ_CST); }       \
    inline T atomicExch(T *at, T to) { return __atomic_exchange_n(at, to, __ATOMIC_SEQ_CST); }     \
    inline T atomicCAS(T *at, T expected, T to) {                                                  \
        __atomic_compare_exchange_n(at, &expected, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
        return expected;                                                                           \
    }                                                                                              \
    inline T atomicAnd(T *at, T with) { return __atomic_fetch_and(at, with, __ATOMIC_SEQ_CST); }   \
    inline T atomicOr(T *at, T with) { return __atomic_fetch_or(at, with, __ATOMIC_SEQ_CST); }     \
    inline T atomicXor(T *at, T with) { return __atomic_fetch_xor(at, with, __ATOMIC_SEQ_CST); }

PYRAD_EMU_INTEGER_ATOMICS(int)
PYRAD_EMU_INTEGER_ATOMICS(unsigned int)
PYRAD_EMU_INTEGER_ATOMICS(unsigned long long)
#undef PYRAD_EMU_INTEGER_ATOMICS

#define PYRAD_EMU_MIN_MAX_ATOMICS(T)                                                               \
    inline T atomicMin(T *at, T by) {                                                              \
        return ::pyrad::emu::replace(at, [by](T old) { return by < old ? by : old; });             \
    }                                                                                              \
    inline T atomicMax(T *at, T by) {                                                              \
        return ::pyrad::emu::replace(at, [by](T old) { return old < by ? by : old; });             \
    }

PYRAD_EMU_MIN_MAX_ATOMICS(int)
PYRAD_EMU_MIN_MAX_ATOMICS(unsigned int)
PYRAD_EMU_MIN_MAX_ATOMICS(long long)
PYRAD_EMU_MIN_MAX_ATOMICS(unsigned long long)
#undef PYRAD_EMU_MIN_MAX_ATOMICS

inline int atomicSub(int *at, int by) { return __atomic_fetch_sub(at, by, __ATOMIC_SEQ_CST); }
inline unsigned int atomicSub(unsigned int *at, unsigned int by) {
    return __atomic_fetch_sub(at, by, __ATOMIC_SEQ_CST);
}
inline unsigned int atomicInc(unsigned int *at, unsigned int last) {
    return ::pyrad::emu::replace(at, [last](unsigned old) { return old >= last ? 0 : old + 1; });
}
inline unsigned int atomicDec(unsigned int *at, unsigned int last) {
    return ::pyrad::emu::replace(
        at, [last](unsigned old) { return old == 0 || old > last ? last : old - 1; });
}
inline float atomicAdd(float *at, float by) {
    return ::pyrad::emu::replace(at, [by](float old) { return old + by; });
}
inline double atomicAdd(double *at, double by) {
    return ::pyrad::emu::replace(at, [by](double old) { return old + by; });
}
inline float atomicExch(float *at, float to) {
    return ::pyrad::emu::replace(at, [to](float) { return to; });
}
