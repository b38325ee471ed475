#include "base/scratch.hpp"

#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace pyrad {
namespace {

constexpr i64 page = 1 << 21, largest_kept = 256 << 20;
std::mutex mutex;
void *idle = nullptr;
i64 idle_bytes = 0;

void *allocate(i64 bytes) {
    void *p = std::aligned_alloc(page, static_cast<size_t>(bytes));
    if (!p)
        throw std::bad_alloc();
#if defined(__linux__)
    madvise(p, static_cast<size_t>(bytes), MADV_HUGEPAGE);
#endif
    return p;
}

} // namespace

Scratch::Scratch(i64 bytes) : data_(nullptr), bytes_((bytes / page + 1) * page) {
    {
        std::lock_guard<std::mutex> lock(mutex);
        if (idle_bytes >= bytes_) {
            data_ = std::exchange(idle, nullptr);
            bytes_ = std::exchange(idle_bytes, 0);
        }
    }
    if (!data_)
        data_ = allocate(bytes_);
}

Scratch::~Scratch() {
    std::lock_guard<std::mutex> lock(mutex);
    if (bytes_ <= largest_kept && bytes_ > idle_bytes) {
        std::swap(data_, idle);
        idle_bytes = bytes_;
    }
    std::free(data_);
}

} // namespace pyrad
