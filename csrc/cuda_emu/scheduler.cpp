#include "cuda_emu/scheduler.hpp"

#include "base/error.hpp"
#include "base/pool.hpp"
#include "cuda_emu/fiber.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <link.h>
#include <memory>
#include <new>
#include <unordered_map>
#include <vector>

namespace pyrad::emu {
namespace {

constexpr int poison = 0xff; // NaN as a float, -1 as an integer

enum class State : unsigned char { fresh, ready, at_barrier, at_warp, exited };

struct Warp {
    std::uint32_t alive, waiting;
    const WarpCall *call[32];
    WarpAnswer answer[32];
};

std::string bracket(uint3 i) {
    return "(" + std::to_string(i.x) + ", " + std::to_string(i.y) + ", " + std::to_string(i.z) +
           ")";
}

class BlockRunner final : public Block {
  public:
    void run(const Launch &launch, i64 number);

    int barrier(int predicate, int line) override;
    WarpAnswer exchange(const WarpCall &call) override;
    [[noreturn]] void trap(const char *what, int line) override { stop(what, line); }

  private:
    static void entry();
    void live_in(Thread &fiber);
    void reset(const Launch &launch, i64 number);
    void number_threads();
    bool run_warp(int number);
    void begin_next(Thread &fiber);
    void wait(Thread &fiber, State state);
    void leave(Thread &fiber);
    bool complete(Warp &warp, std::uint32_t mask) const;
    void resolve(Warp &warp, int first_lane, std::uint32_t members);
    [[noreturn]] void stop(const std::string &what, int line);
    [[noreturn]] void raise(const std::string &what);
    std::string deadlock() const;

    FiberPool fibers_;
    const Launch *launch_ = nullptr;
    int threads_ = 0, live_ = 0, next_ = 0, end_ = 0;
    int arrived_ = 0, votes_ = 0, result_ = 0, barrier_line_ = 0;
    bool reverse_ = false;
    std::vector<uint3> index_of_;
    std::vector<State> state_;
    std::vector<Thread *> fiber_of_;
    std::vector<Warp> warps_;
    std::string error_;
};

void BlockRunner::number_threads() {
    threads_ = static_cast<int>(size.x * size.y * size.z);
    index_of_.clear();
    for (unsigned z = 0; z < size.z; ++z)
        for (unsigned y = 0; y < size.y; ++y)
            for (unsigned x = 0; x < size.x; ++x)
                index_of_.push_back({x, y, z});
}

void BlockRunner::reset(const Launch &launch, i64 number) {
    launch_ = &launch;
    grid = launch.grid;
    const auto n = static_cast<unsigned long long>(number);
    index = {static_cast<unsigned>(n % grid.x), static_cast<unsigned>(n / grid.x % grid.y),
             static_cast<unsigned>(n / grid.x / grid.y)};
    if (threads_ == 0 || size.x != launch.block.x || size.y != launch.block.y ||
        size.z != launch.block.z) {
        size = launch.block;
        number_threads();
    }
    reverse_ = launch.order == Order::reverse || (launch.order == Order::alternate && number % 2);
    arrived_ = votes_ = 0;
    live_ = threads_;
    state_.assign(threads_, State::fresh);
    fiber_of_.assign(threads_, nullptr);
    warps_.resize((threads_ + 31) / 32);
    for (std::size_t w = 0; w < warps_.size(); ++w) {
        const int lanes = std::min<int>(32, threads_ - static_cast<int>(w) * 32);
        warps_[w].alive = lanes == 32 ? 0xffffffffu : (1u << lanes) - 1;
        warps_[w].waiting = 0;
    }
}

// Passes over the warps until all threads have returned. A warp is run until all its threads have
// returned or wait at a barrier of the block: its few stacks stay in the cache meanwhile.
void BlockRunner::run(const Launch &launch, i64 number) {
    reset(launch, number);
    const int warps = static_cast<int>(warps_.size());
    while (live_ > 0) {
        bool moved = false;
        for (int turn = 0; turn < warps; ++turn)
            while (run_warp(reverse_ ? warps - 1 - turn : turn))
                moved = true;
        if (live_ > 0 && !moved)
            raise(deadlock());
        poll();
    }
}

// Lets every thread of a warp run until it waits or returns; false if none could. A fibre whose
// thread returned goes on with the warp's next thread at once.
bool BlockRunner::run_warp(int number) {
    const int first = number * 32, last = std::min(first + 32, threads_) - 1;
    bool moved = false;
    next_ = reverse_ ? last : first;
    end_ = reverse_ ? first - 1 : last + 1;
    while (next_ != end_) {
        const State state = state_[next_];
        if (state == State::fresh) {
            Thread *fiber = fibers_.take(&entry);
            fiber->block = this;
            begin_next(*fiber);
            fibers_.resume(*fiber);
            moved = true;
        } else {
            const int thread = next_;
            next_ += reverse_ ? -1 : 1;
            if (state != State::ready)
                continue;
            fibers_.resume(*fiber_of_[thread]);
            moved = true;
        }
        if (!error_.empty())
            raise(error_);
    }
    return moved;
}

void BlockRunner::entry() {
    Thread &fiber = self();
    auto &runner = static_cast<BlockRunner &>(*fiber.block);
    runner.fibers_.entered();
    runner.live_in(fiber);
}

// A fibre's life: threads one after the other, resting in the pool while there are none.
void BlockRunner::live_in(Thread &fiber) {
    for (;;) {
        launch_->kernel->call(launch_->arguments);
        leave(fiber);
        if (next_ != end_ && state_[next_] == State::fresh && error_.empty()) {
            begin_next(fiber);
            continue;
        }
        fibers_.give(&fiber);
        fibers_.suspend(fiber);
    }
}

void BlockRunner::begin_next(Thread &fiber) {
    fiber.linear = next_;
    fiber.index = index_of_[next_];
    fiber_of_[next_] = &fiber;
    state_[next_] = State::ready;
    next_ += reverse_ ? -1 : 1;
}

void BlockRunner::wait(Thread &fiber, State state) {
    state_[fiber.linear] = state;
    fibers_.suspend(fiber);
}

void BlockRunner::leave(Thread &fiber) {
    const int thread = fiber.linear;
    state_[thread] = State::exited;
    --live_;
    if (arrived_ > 0)
        stop("divergent barrier: this thread returned while others wait at __syncthreads()",
             barrier_line_);
    Warp &warp = warps_[thread / 32];
    warp.alive &= ~(1u << thread % 32);
    for (int lane = 0; warp.waiting && lane < 32; ++lane)
        if (warp.waiting >> lane & 1u && complete(warp, warp.call[lane]->mask))
            resolve(warp, thread / 32 * 32, warp.call[lane]->mask & warp.alive);
}

int BlockRunner::barrier(int predicate, int line) {
    Thread &fiber = self();
    if (live_ < threads_)
        stop("divergent barrier: __syncthreads() after other threads have returned", line);
    if (arrived_ > 0 && line != barrier_line_)
        stop("divergent barrier: other threads wait at the __syncthreads() of line " +
                 std::to_string(barrier_line_),
             line);
    barrier_line_ = line;
    votes_ += predicate != 0;
    if (++arrived_ < live_) {
        wait(fiber, State::at_barrier);
        return result_;
    }
    result_ = votes_;
    arrived_ = votes_ = 0;
    for (State &state : state_)
        if (state == State::at_barrier)
            state = State::ready;
    return result_;
}

bool BlockRunner::complete(Warp &warp, std::uint32_t mask) const {
    const std::uint32_t members = mask & warp.alive;
    if ((warp.waiting & members) != members)
        return false;
    for (int lane = 0; lane < 32; ++lane)
        if (members >> lane & 1u && warp.call[lane]->mask != mask)
            return false;
    return true;
}

WarpAnswer BlockRunner::exchange(const WarpCall &call) {
    Thread &fiber = self();
    Warp &warp = warps_[fiber.linear / 32];
    const int lane = fiber.linear % 32;
    if (!(call.mask >> lane & 1u))
        stop(std::string(call.what) + ": the mask lacks the calling lane", call.line);
    warp.call[lane] = &call;
    warp.waiting |= 1u << lane;
    if (!complete(warp, call.mask)) {
        wait(fiber, State::at_warp);
        return warp.answer[lane];
    }
    for (int other = 0; other < 32; ++other)
        if (call.mask & warp.alive & (1u << other) && warp.call[other]->what != call.what &&
            std::strcmp(warp.call[other]->what, call.what) != 0)
            stop(std::string("lanes of one warp meet in ") + call.what + " and in " +
                     warp.call[other]->what,
                 call.line);
    resolve(warp, fiber.linear - lane, call.mask & warp.alive);
    return warp.answer[lane];
}

void BlockRunner::resolve(Warp &warp, int first_lane, std::uint32_t members) {
    std::uint32_t ballot = 0;
    for (int lane = 0; lane < 32; ++lane)
        if (members >> lane & 1u && warp.call[lane]->value)
            ballot |= 1u << lane;
    for (int lane = 0; lane < 32; ++lane) {
        if (!(members >> lane & 1u))
            continue;
        const int source = warp.call[lane]->source;
        const bool present = source >= 0 && source < 32 && members >> source & 1u;
        warp.answer[lane] = {present ? warp.call[source]->value : ~0ull, ballot};
        if (state_[first_lane + lane] == State::at_warp)
            state_[first_lane + lane] = State::ready;
    }
    warp.waiting &= ~members;
}

// Called on a fibre: leaves it for good and lets the scheduler raise.
void BlockRunner::stop(const std::string &what, int line) {
    Thread &fiber = self();
    error_ = what + " (line " + std::to_string(line) + ", thread " + bracket(fiber.index) + ")";
    fibers_.suspend(fiber);
    std::abort(); // abandoned fibres are not resumed
}

void BlockRunner::raise(const std::string &what) {
    const std::string text = std::string(launch_->kernel->name) + ": " + what + " in block " +
                             bracket(index) + " of " + std::to_string(threads_) + " threads";
    error_.clear();
    fibers_.abandon();
    throw EmulatorError(text);
}

std::string BlockRunner::deadlock() const {
    std::string text = "deadlock:";
    if (arrived_)
        text += " " + std::to_string(arrived_) + " threads wait at the __syncthreads() of line " +
                std::to_string(barrier_line_) + ";";
    for (std::size_t w = 0; w < warps_.size(); ++w)
        for (int lane = 0; lane < 32; ++lane)
            if (warps_[w].waiting >> lane & 1u) {
                const WarpCall &call = *warps_[w].call[lane];
                return text + " lane " + std::to_string(lane) + " of warp " + std::to_string(w) +
                       " waits at " + call.what + " of line " + std::to_string(call.line) +
                       " for lanes that do not come";
            }
    return text;
}

// The memory of a plugin's `static thread_local` arrays for this OS thread. A plugin has no other
// thread-local data, so this is its whole TLS block.
struct Bytes {
    void *data = nullptr;
    std::size_t size = 0;
};

Bytes static_shared(void (*touch)()) {
    thread_local std::unordered_map<void (*)(), Bytes> known;
    const auto found = known.find(touch);
    if (found != known.end())
        return found->second;
    touch(); // the block is allocated by its first use
    struct Search {
        void *base;
        Bytes bytes;
    } search{};
    Dl_info plugin;
    if (dladdr(reinterpret_cast<void *>(touch), &plugin))
        search.base = plugin.dli_fbase;
    dl_iterate_phdr(
        [](dl_phdr_info *info, std::size_t, void *data) {
            auto &search = *static_cast<Search *>(data);
            if (reinterpret_cast<void *>(info->dlpi_addr) != search.base)
                return 0;
            for (int i = 0; i < info->dlpi_phnum; ++i)
                if (info->dlpi_phdr[i].p_type == PT_TLS)
                    search.bytes = {info->dlpi_tls_data, info->dlpi_phdr[i].p_memsz};
            return 1;
        },
        &search);
    if (!search.bytes.data)
        search.bytes.size = 0;
    return known[touch] = search.bytes;
}

// Exactly as many bytes as asked for, so that AddressSanitizer sees the first one beyond.
struct SharedBuffer {
    void *data = nullptr;
    explicit SharedBuffer(std::size_t bytes) {
        if (bytes && posix_memalign(&data, 16, bytes) != 0)
            throw std::bad_alloc();
    }
    ~SharedBuffer() { std::free(data); }
    SharedBuffer(const SharedBuffer &) = delete;
    SharedBuffer &operator=(const SharedBuffer &) = delete;
};

void check(const Launch &launch) {
    const dim3 &g = launch.grid, &b = launch.block;
    const auto refuse = [&](const char *what) {
        throw EmulatorError(std::string(launch.kernel->name) + ": " + what + "; grid " +
                            bracket({g.x, g.y, g.z}) + ", block " + bracket({b.x, b.y, b.z}) +
                            ", " + std::to_string(launch.shared_bytes) + " bytes shared");
    };
    if (!g.x || !g.y || !g.z || !b.x || !b.y || !b.z)
        refuse("a dimension of the launch is 0");
    if (b.x > 1024 || b.y > 1024 || b.z > 64 || b.x * b.y * b.z > 1024)
        refuse("CUDA allows 1024 threads in a block, 64 of them along z");
    if (g.x > 0x7fffffffu || g.y > 65535 || g.z > 65535)
        refuse("CUDA allows 2^31 - 1 blocks along x, 65535 along y and z");
    if (launch.shared_bytes > 227 * 1024)
        refuse("no GPU has more than 227 KiB of shared memory in a block");
}

} // namespace

void run_grid(const Launch &launch) {
    check(launch);
    const i64 blocks = checked_product({launch.grid.x, launch.grid.y, launch.grid.z});
    const i64 grain = std::min<i64>(64, std::max<i64>(1, blocks / 64));
    parallel_for(blocks, grain, [&](i64 begin, i64 end, int) {
        thread_local std::unique_ptr<BlockRunner> runner;
        if (!runner)
            runner = std::make_unique<BlockRunner>();
        const Bytes shared = static_shared(launch.touch_shared);
        const SharedBuffer dynamic(launch.shared_bytes);
        runner->dynamic_shared = dynamic.data;
        for (i64 number = begin; number < end; ++number) {
            if (shared.size)
                std::memset(shared.data, poison, shared.size);
            if (dynamic.data)
                std::memset(dynamic.data, poison, launch.shared_bytes);
            runner->run(launch, number);
            poll();
        }
    });
}

} // namespace pyrad::emu
