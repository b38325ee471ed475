// What a running CUDA thread sees of its block. Kernels are compiled against this interface only;
// the scheduler (scheduler.cpp) implements it.
#pragma once

#include "cuda_emu/vector_types.hpp"

#include <cstddef>
#include <cstdint>

namespace pyrad::emu {

// One thread's part in a warp operation: the value it offers and the lane it wants to read.
struct WarpCall {
    const char *what;
    int line;
    std::uint32_t mask;
    std::uint64_t value;
    int source;
};

// The value of the wanted lane (all bits set if that lane took no part: undefined in CUDA) and
// the set of lanes that offered a value other than zero.
struct WarpAnswer {
    std::uint64_t value;
    std::uint32_t ballot;
};

class Block {
  public:
    uint3 index{};
    dim3 size, grid;
    void *dynamic_shared = nullptr;

    // Waits for all threads; returns how many came with a predicate other than zero.
    virtual int barrier(int predicate, int line) = 0;
    virtual WarpAnswer exchange(const WarpCall &call) = 0;
    [[noreturn]] virtual void trap(const char *what, int line) = 0;

  protected:
    ~Block() = default;
};

// State of a fibre, which stands for one CUDA thread after the other.
struct alignas(64) Thread {
    void *context = nullptr;
    void *fake_stack = nullptr; // AddressSanitizer's
    Block *block = nullptr;
    uint3 index{};
    int linear = 0;
};
static_assert(sizeof(Thread) == 64);

// Every fibre owns an aligned piece of memory: a page with its Thread, a guard page, the stack.
// The Thread is found by rounding the stack pointer down; its place within the page varies
// from fibre to fibre because otherwise all of them would compete for one cache set.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::uintptr_t fiber_bytes = 256 << 10;
#else
constexpr std::uintptr_t fiber_bytes = 64 << 10;
#endif
constexpr std::uintptr_t page_bytes = 4096;

inline Thread *thread_in(std::uintptr_t address) {
    const std::uintptr_t base = address & ~(fiber_bytes - 1);
    return reinterpret_cast<Thread *>(base + base / fiber_bytes % 64 * sizeof(Thread));
}

inline Thread &self() {
#if defined(__x86_64__)
    std::uintptr_t here;
    asm("mov %%rsp, %0" : "=r"(here));
#else
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
#endif
    return *thread_in(here);
}

} // namespace pyrad::emu
