#include "cuda_emu/fiber.hpp"

#include <cstdlib>
#include <new>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if !defined(__x86_64__)
#define PYRAD_EMU_UCONTEXT
#endif
#if defined(PYRAD_EMU_UCONTEXT)
#include <ucontext.h>
#endif

namespace pyrad::emu {
namespace {

constexpr std::uintptr_t slab_fibers = 32;
// Fibres start at different offsets, again for the sake of the cache sets.
constexpr std::uintptr_t stagger = 192;

std::uintptr_t base_of(const Thread *fiber) {
    return reinterpret_cast<std::uintptr_t>(fiber) & ~(fiber_bytes - 1);
}
[[maybe_unused]] std::uintptr_t stack_bottom(const Thread *fiber) {
    return base_of(fiber) + 2 * page_bytes;
}
std::uintptr_t stack_top(const Thread *fiber) {
    const std::uintptr_t base = base_of(fiber);
    return base + fiber_bytes - base / fiber_bytes % 32 * stagger;
}

} // namespace

#if defined(PYRAD_EMU_UCONTEXT)

namespace {
void switch_context(void **from, void *to) {
    if (!*from)
        *from = new ucontext_t;
    swapcontext(static_cast<ucontext_t *>(*from), static_cast<ucontext_t *>(to));
}

void prepare(Thread &fiber, void (*entry)()) {
    if (!fiber.context)
        fiber.context = new ucontext_t;
    auto *context = static_cast<ucontext_t *>(fiber.context);
    getcontext(context);
    context->uc_stack.ss_sp = reinterpret_cast<void *>(stack_bottom(&fiber));
    context->uc_stack.ss_size = stack_top(&fiber) - stack_bottom(&fiber);
    context->uc_link = nullptr;
    makecontext(context, entry, 0);
}

void release(Thread &fiber) { delete static_cast<ucontext_t *>(fiber.context); }
} // namespace

#else

extern "C" void pyrad_emu_switch(void **from, void *to);

// Pushes the callee-saved registers, exchanges the stack pointers, pops. A jump instead of the
// return, since the processor predicts returns to go where the last call came from.
asm(R"(
.text
.hidden pyrad_emu_switch
.globl pyrad_emu_switch
.type pyrad_emu_switch, @function
pyrad_emu_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    popq %rcx
    jmp *%rcx
.size pyrad_emu_switch, .-pyrad_emu_switch
)");

namespace {
void switch_context(void **from, void *to) { pyrad_emu_switch(from, to); }

void prepare(Thread &fiber, void (*entry)()) {
    auto *top = reinterpret_cast<void **>(stack_top(&fiber));
    *--top = nullptr; // return address of entry, which never returns
    *--top = reinterpret_cast<void *>(entry);
    for (int saved = 0; saved < 6; ++saved)
        *--top = nullptr;
    fiber.context = top;
}

void release(Thread &) {}
} // namespace

#endif

FiberPool::~FiberPool() {
    for (Thread *fiber : all_)
        release(*fiber);
    for (void *slab : slabs_)
        munmap(slab, (slab_fibers + 1) * fiber_bytes);
}

void FiberPool::add_slab() {
    const std::size_t bytes = (slab_fibers + 1) * fiber_bytes; // one more to align within
    void *slab = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (slab == MAP_FAILED)
        throw std::bad_alloc();
    slabs_.push_back(slab);
    const auto begin =
        (reinterpret_cast<std::uintptr_t>(slab) + fiber_bytes - 1) & ~(fiber_bytes - 1);
    for (std::uintptr_t i = 0; i < slab_fibers; ++i) {
        const std::uintptr_t base = begin + i * fiber_bytes;
        if (mprotect(reinterpret_cast<void *>(base + page_bytes), page_bytes, PROT_NONE) != 0)
            throw std::bad_alloc();
        Thread *fiber = new (thread_in(base)) Thread;
        all_.push_back(fiber);
        idle_.push_back(fiber);
    }
}

Thread *FiberPool::take(void (*entry)()) {
    if (idle_.empty())
        add_slab();
    Thread *fiber = idle_.back();
    idle_.pop_back();
    if (!fiber->block)
        prepare(*fiber, entry);
    return fiber;
}

void FiberPool::abandon() {
    for (Thread *fiber : all_) {
        fiber->block = nullptr; // take() prepares it anew
        fiber->fake_stack = nullptr;
#if defined(__SANITIZE_ADDRESS__)
        ASAN_UNPOISON_MEMORY_REGION(reinterpret_cast<void *>(stack_bottom(fiber)),
                                    base_of(fiber) + fiber_bytes - stack_bottom(fiber));
#endif
    }
    idle_ = all_;
}

void FiberPool::resume(Thread &fiber) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&scheduler_fake_stack_,
                                   reinterpret_cast<void *>(stack_bottom(&fiber)),
                                   base_of(&fiber) + fiber_bytes - stack_bottom(&fiber));
#endif
    switch_context(&scheduler_, fiber.context);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(scheduler_fake_stack_, nullptr, nullptr);
#endif
}

void FiberPool::suspend(Thread &fiber) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&fiber.fake_stack, scheduler_bottom_, scheduler_size_);
#endif
    switch_context(&fiber.context, scheduler_);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fiber.fake_stack, &scheduler_bottom_, &scheduler_size_);
#endif
}

void FiberPool::entered() {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(nullptr, &scheduler_bottom_, &scheduler_size_);
#endif
}

} // namespace pyrad::emu
