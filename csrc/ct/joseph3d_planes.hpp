// Copies of a volume that the 3D Joseph kernels run along: planes across a ray's dominant axis,
// lines within a plane, samples within a line, with zeros around.
//
// Positions in a plane are counted so that 0 lies one line (one sample) before the first.
#pragma once

#include "base/view.hpp"
#include "ct/joseph3d_math.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <cstdlib>
#include <memory>
#include <new>

namespace pyrad::joseph {

// Uninitialised memory at a cache line, on large pages where it is large; the elements of T need no
// construction.
template <class T> class Aligned {
  public:
    explicit Aligned(i64 size) {
        constexpr i64 large = 2 << 20;
        const i64 least = checked_product({size, static_cast<i64>(sizeof(T))});
        const i64 alignment = least >= 4 * large ? large : 64;
        const i64 bytes = (least + alignment - 1) / alignment * alignment;
        data_.reset(static_cast<T *>(
            std::aligned_alloc(static_cast<size_t>(alignment), static_cast<size_t>(bytes))));
        if (!data_)
            throw std::bad_alloc();
#if defined(__linux__)
        if (alignment == large)
            madvise(data_.get(), static_cast<size_t>(bytes), MADV_HUGEPAGE);
#endif
    }
    T *get() const { return data_.get(); }

  private:
    struct Free {
        void operator()(T *p) const { std::free(p); }
    };
    std::unique_ptr<T, Free> data_;
};

// Planes of axis 0: [x][y][z], of axis 1: [y][x][z], of axis 2: [z][y][x].
template <class T> struct Planes {
    int axis;
    i64 count, lines, length; // planes, lines per plane, samples per line
    i64 line_stride, plane_stride;

    // Without data: the sizes alone.
    Planes(int axis, std::array<i64, 3> shape);
    void allocate();

    // Sample at position 1 of the line at position `line`.
    T *line(i64 plane, i64 line) const {
        return memory_->get() + 16 + plane * plane_stride + line * line_stride;
    }
    i64 size() const { return 32 + count * plane_stride + 2 * line_stride; }

  private:
    std::shared_ptr<Aligned<T>> memory_;
};

template <class T> Planes<T> copy_planes(View<const T, 3> volume, int axis);
template <class T> Planes<T> zero_planes(const std::array<i64, 3> &shape, int axis);

// volume += planes
template <class T> void add_planes(const Planes<T> &planes, View<T, 3> volume);

} // namespace pyrad::joseph
