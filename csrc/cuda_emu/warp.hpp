// Barriers, votes and shuffles.
#pragma once

#include "cuda_emu/block.hpp"

#include <cstring>
#include <type_traits>

#define PYRAD_EMU_LINE int line = __builtin_LINE()

inline void __syncthreads(PYRAD_EMU_LINE) { pyrad::emu::self().block->barrier(0, line); }
inline int __syncthreads_count(int predicate, PYRAD_EMU_LINE) {
    return pyrad::emu::self().block->barrier(predicate, line);
}
inline int __syncthreads_or(int predicate, PYRAD_EMU_LINE) {
    return pyrad::emu::self().block->barrier(predicate, line) != 0;
}
inline int __syncthreads_and(int predicate, PYRAD_EMU_LINE) {
    return pyrad::emu::self().block->barrier(predicate == 0, line) == 0;
}

inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence_block() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence_system() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
[[noreturn]] inline void __trap(PYRAD_EMU_LINE) {
    pyrad::emu::self().block->trap("__trap()", line);
}

namespace pyrad::emu {

inline int lane() { return self().linear % 32; }

inline std::uint32_t vote(const char *what, unsigned mask, int predicate, int line) {
    return self().block->exchange({what, line, mask, predicate != 0, lane()}).ballot;
}

template <class T> T shuffle(const char *what, unsigned mask, T value, int source, int line) {
    static_assert(std::is_arithmetic_v<T> && (sizeof(T) == 4 || sizeof(T) == 8),
                  "CUDA shuffles 4 and 8 byte numbers");
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    bits = self().block->exchange({what, line, mask, bits, source}).value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

} // namespace pyrad::emu

inline unsigned __activemask() { return 1u << pyrad::emu::lane(); }
inline void __syncwarp(unsigned mask = 0xffffffffu, PYRAD_EMU_LINE) {
    pyrad::emu::vote("__syncwarp", mask, 0, line);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, PYRAD_EMU_LINE) {
    return pyrad::emu::vote("__ballot_sync", mask, predicate, line);
}
inline int __any_sync(unsigned mask, int predicate, PYRAD_EMU_LINE) {
    return pyrad::emu::vote("__any_sync", mask, predicate, line) != 0;
}
inline int __all_sync(unsigned mask, int predicate, PYRAD_EMU_LINE) {
    return pyrad::emu::vote("__all_sync", mask, !predicate, line) == 0;
}

// A lane outside the segment of `width` lanes reads its own value.
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, PYRAD_EMU_LINE) {
    const int first = pyrad::emu::lane() & ~(width - 1);
    return pyrad::emu::shuffle("__shfl_sync", mask, value, first | (source & (width - 1)), line);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, PYRAD_EMU_LINE) {
    const int me = pyrad::emu::lane(), source = me - static_cast<int>(delta);
    const bool inside = source >= (me & ~(width - 1));
    return pyrad::emu::shuffle("__shfl_up_sync", mask, value, inside ? source : me, line);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, PYRAD_EMU_LINE) {
    const int me = pyrad::emu::lane(), source = me + static_cast<int>(delta);
    const bool inside = source <= (me | (width - 1));
    return pyrad::emu::shuffle("__shfl_down_sync", mask, value, inside ? source : me, line);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, PYRAD_EMU_LINE) {
    const int me = pyrad::emu::lane(), source = me ^ bits;
    const bool inside = source <= (me | (width - 1));
    return pyrad::emu::shuffle("__shfl_xor_sync", mask, value, inside ? source : me, line);
}
