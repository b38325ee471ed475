// Persistent thread pool. parallel_for() cuts [0, count) into tiles of `grain` items; the cut
// depends on the arguments alone, never on the number of threads, so that a kernel which keeps its
// sums inside tiles gives the same bits for any thread count.
//
//     parallel_for(rows, 8, [&](i64 begin, i64 end, int worker) { ... });
//
// `worker` is in [0, max_workers()) and is held by one thread at a time: an index for scratch.
// A call made while the pool is busy (nested, or from another Python thread) runs inline.
// Between tiles the calling thread asks the interrupt hook (Ctrl-C); long tiles call poll().
#pragma once

#include "base/portable.hpp"

#include <functional>
#include <type_traits>

namespace pyrad {

struct Cancelled {}; // thrown when the interrupt hook asked to stop

void set_num_threads(int count); // count >= 1
int num_threads();
inline int max_workers() { return num_threads(); }

using InterruptHook = std::function<bool()>; // true: stop

// Installs the hook for kernels called from this thread; restores the former one at its end.
class InterruptScope {
  public:
    explicit InterruptScope(InterruptHook hook);
    ~InterruptScope();
    InterruptScope(const InterruptScope &) = delete;
    InterruptScope &operator=(const InterruptScope &) = delete;

  private:
    InterruptHook hook_;
    InterruptHook *former_;
};

// Throws Cancelled if this thread's job has been told to stop. A few ns; call it every ms or so.
void poll();

using TileBody = void (*)(void *context, i64 begin, i64 end, int worker);
void run_tiles(i64 count, i64 grain, void *context, TileBody body);

template <class Body> void parallel_for(i64 count, i64 grain, Body &&body) {
    using Plain = std::remove_reference_t<Body>;
    run_tiles(count, grain, const_cast<void *>(static_cast<const void *>(&body)),
              [](void *context, i64 begin, i64 end, int worker) {
                  (*static_cast<Plain *>(context))(begin, end, worker);
              });
}

} // namespace pyrad
