// Runs the blocks of a grid, each as a set of fibres on one OS thread.
#pragma once

#include "cuda_emu/kernel.hpp"

#include <stdexcept>
#include <string>

namespace pyrad::emu {

// A launch that CUDA would refuse, a divergent barrier, a deadlock, a trap.
struct EmulatorError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Order in which the threads of a block get their turn. A result that depends on it lacks a
// barrier. By default blocks of odd number run in reverse.
enum class Order { forward, reverse, alternate };

struct Launch {
    const Kernel *kernel;
    void *const *arguments;
    dim3 grid, block;
    std::size_t shared_bytes;
    Order order;
    void (*touch_shared)(); // of the kernel's plugin
};

void run_grid(const Launch &launch);

} // namespace pyrad::emu
