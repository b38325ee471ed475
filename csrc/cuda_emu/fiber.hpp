// Fibres: stacks with a guard page, and the switch between them.
#pragma once

#include "cuda_emu/block.hpp"

#include <vector>

namespace pyrad::emu {

// Stacks for the threads of one block at a time, kept by the OS thread that runs the block.
class FiberPool {
  public:
    FiberPool() = default;
    ~FiberPool();
    FiberPool(const FiberPool &) = delete;
    FiberPool &operator=(const FiberPool &) = delete;

    // An idle fibre; a new one starts in `entry` when it is resumed first.
    Thread *take(void (*entry)());
    void give(Thread *fiber) { idle_.push_back(fiber); }

    // Forgets what every fibre was doing. Their frames are not unwound.
    void abandon();

    void resume(Thread &fiber);  // from the OS thread's stack to the fibre
    void suspend(Thread &fiber); // back to where it was resumed
    void entered();              // first thing an entry function calls

  private:
    void add_slab();

    std::vector<void *> slabs_;
    std::vector<Thread *> idle_, all_;
    void *scheduler_ = nullptr; // context of the OS thread's own stack
#if defined(__SANITIZE_ADDRESS__)
    void *scheduler_fake_stack_ = nullptr;
    const void *scheduler_bottom_ = nullptr;
    std::size_t scheduler_size_ = 0;
#endif
};

} // namespace pyrad::emu
