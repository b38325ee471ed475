// csrc/base/pool under ThreadSanitizer (tests/sanitize.sh compiles and runs it).
#include "base/pool.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace pyrad;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                   \
            std::exit(1);                                                                          \
        }                                                                                          \
    } while (0)

namespace {

i64 sum_up_to(i64 count, i64 grain) {
    std::vector<i64> parts((count + grain - 1) / grain);
    parallel_for(count, grain, [&](i64 begin, i64 end, int) {
        for (i64 i = begin; i < end; ++i)
            parts[begin / grain] += i;
    });
    i64 sum = 0;
    for (i64 part : parts)
        sum += part;
    return sum;
}

void every_item_is_done_once() {
    for (int threads : {1, 2, 3, 8}) {
        set_num_threads(threads);
        for (i64 count : {0, 1, 7, 1000, 4097})
            for (i64 grain : {1, 3, 64, 10000})
                CHECK(sum_up_to(count, grain) == count * (count - 1) / 2);
    }
}

void a_worker_index_is_held_by_one_thread() {
    set_num_threads(4);
    std::vector<i64> scratch(max_workers()); // written without a lock
    parallel_for(20000, 1, [&](i64, i64, int worker) { ++scratch[worker]; });
    i64 sum = 0;
    for (i64 n : scratch)
        sum += n;
    CHECK(sum == 20000);
}

void an_exception_reaches_the_caller() {
    set_num_threads(4);
    for (int repeat = 0; repeat < 50; ++repeat) {
        bool caught = false;
        try {
            parallel_for(1000, 1, [&](i64 begin, i64, int) {
                if (begin == 500)
                    throw std::runtime_error("tile 500");
            });
        } catch (const std::runtime_error &) {
            caught = true;
        }
        CHECK(caught);
        CHECK(sum_up_to(100, 1) == 4950);
    }
}

void nested_and_concurrent_calls_run() {
    set_num_threads(3);
    std::atomic<i64> sum{0};
    parallel_for(64, 1, [&](i64, i64, int) { sum += sum_up_to(100, 7); });
    CHECK(sum == 64 * 4950);
    std::vector<std::thread> callers;
    std::atomic<int> right{0};
    for (int c = 0; c < 6; ++c)
        callers.emplace_back([&] {
            for (int repeat = 0; repeat < 100; ++repeat)
                right += sum_up_to(1000, 10) == 499500;
        });
    for (auto &caller : callers)
        caller.join();
    CHECK(right == 600);
}

void the_hook_stops_a_job() {
    set_num_threads(4);
    const auto begin = std::chrono::steady_clock::now();
    bool cancelled = false;
    std::atomic<int> asked{0};
    {
        InterruptScope scope([&] { return ++asked >= 2; });
        try {
            parallel_for(4, 1, [&](i64, i64, int) {
                for (;;) {
                    poll();
                    std::this_thread::sleep_for(std::chrono::milliseconds(1));
                }
            });
        } catch (const Cancelled &) {
            cancelled = true;
        }
    }
    CHECK(cancelled);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
    CHECK(sum_up_to(100, 1) == 4950);
}

void resizing_between_callers() {
    std::thread resizer([] {
        for (int n = 0; n < 60; ++n)
            set_num_threads(1 + n % 5);
    });
    for (int repeat = 0; repeat < 200; ++repeat)
        CHECK(sum_up_to(1000, 10) == 499500);
    resizer.join();
}

} // namespace

int main() {
    every_item_is_done_once();
    a_worker_index_is_held_by_one_thread();
    an_exception_reaches_the_caller();
    nested_and_concurrent_calls_run();
    the_hook_stops_a_job();
    resizing_between_callers();
    std::puts("pool: all checks passed");
}
