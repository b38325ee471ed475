#include "ct/joseph3d_planes.hpp"

#include "base/pool.hpp"

#include <algorithm>

namespace pyrad::joseph {
namespace {

// Patches that are transposed at a time: few samples, as slices a power of two apart compete for
// the same places in the cache.
constexpr i64 patch = 64, patch_samples = 8;

// Index of (plane, line, sample) in the volume, as strides.
struct Strides {
    i64 plane, line, sample;
};
template <class T> Strides strides_of(const View<T, 3> &volume, int axis) {
    const i64 by_axis[3] = {volume.stride[2], volume.stride[1], volume.stride[0]};
    return {by_axis[axis], by_axis[crossed_a(axis)], by_axis[crossed_b(axis)]};
}

// Calls body(plane, line) for all lines, a few neighbouring ones at a time: they share cache lines
// of the volume where it is walked across.
template <class T, class Body> void for_lines(const Planes<T> &planes, const Body &body) {
    const bool planes_inside = planes.axis == 0; // x runs fastest in the volume
    const i64 outer = planes_inside ? planes.lines : planes.count;
    const i64 inner = planes_inside ? planes.count : planes.lines;
    const i64 blocks = (inner + patch - 1) / patch;
    parallel_for(outer * blocks, 1, [&](i64 begin, i64 end, int) {
        for (i64 i = begin; i < end; ++i)
            body(i / blocks, i % blocks * patch, std::min(inner, i % blocks * patch + patch));
    });
}

} // namespace

template <class T> Planes<T>::Planes(int axis, std::array<i64, 3> shape) : axis(axis) {
    const i64 by_axis[3] = {shape[2], shape[1], shape[0]};
    count = by_axis[axis];
    lines = by_axis[crossed_a(axis)];
    length = by_axis[crossed_b(axis)];
    line_stride = (length + 2 + 15) / 16 * 16;
    plane_stride = checked_product({lines + 2, line_stride});
    if (plane_stride > (i64(1) << 31) - 64)
        fail(ErrorKind::memory, "a plane of ", lines, " x ", length,
             " voxels is more than the kernels index; at most 2^31");
    checked_product({count + 1, plane_stride});
}

template <class T> void Planes<T>::allocate() { memory_ = std::make_shared<Aligned<T>>(size()); }

template <class T> Planes<T> zero_planes(const std::array<i64, 3> &shape, int axis) {
    Planes<T> planes(axis, shape);
    planes.allocate();
    T *all = planes.line(0, 0) - 16;
    const i64 grain = 1 << 18;
    parallel_for(planes.size(), grain,
                 [&](i64 begin, i64 end, int) { std::fill(all + begin, all + end, T(0)); });
    return planes;
}

template <class T> Planes<T> copy_planes(View<const T, 3> volume, int axis) {
    Planes<T> planes(axis, volume.shape);
    planes.allocate();
    const Strides step = strides_of(volume, axis);
    std::fill_n(planes.line(0, 0) - 16, 16, T(0));
    std::fill_n(planes.line(planes.count, 0), planes.line_stride * 2 + 16, T(0));
    parallel_for(planes.count, 1, [&](i64 begin, i64 end, int) {
        for (i64 k = begin; k < end; ++k)
            for (const i64 edge : {i64(0), planes.lines + 1})
                std::fill_n(planes.line(k, edge), planes.line_stride, T(0));
    });
    const i64 depth = step.sample == 1 ? planes.length : patch_samples;
    for_lines(planes, [&](i64 outer, i64 first, i64 last) {
        const bool planes_inside = planes.axis == 0;
        for (i64 from = 0; from < planes.length; from += depth) {
            const i64 to = std::min(planes.length, from + depth);
            for (i64 i = first; i < last; ++i) {
                const i64 k = planes_inside ? i : outer, l = planes_inside ? outer : i;
                const T *in = volume.data + k * step.plane + l * step.line;
                T *out = planes.line(k, l + 1);
                for (i64 s = from; s < to; ++s)
                    out[s] = in[s * step.sample];
                if (to == planes.length)
                    std::fill(out + to, out + planes.line_stride, T(0));
            }
        }
    });
    return planes;
}

template <class T> void add_planes(const Planes<T> &planes, View<T, 3> volume) {
    const Strides step = strides_of(volume, planes.axis);
    const i64 depth = step.sample == 1 ? planes.length : patch_samples;
    for_lines(planes, [&](i64 outer, i64 first, i64 last) {
        const bool planes_inside = planes.axis == 0;
        for (i64 from = 0; from < planes.length; from += depth) {
            const i64 to = std::min(planes.length, from + depth);
            for (i64 i = first; i < last; ++i) {
                const i64 k = planes_inside ? i : outer, l = planes_inside ? outer : i;
                const T *in = planes.line(k, l + 1);
                T *out = volume.data + k * step.plane + l * step.line;
                for (i64 s = from; s < to; ++s)
                    out[s * step.sample] += in[s];
            }
        }
    });
}

#define PYRAD_INSTANCE(T)                                                                          \
    template struct Planes<T>;                                                                     \
    template Planes<T> zero_planes(const std::array<i64, 3> &, int);                               \
    template Planes<T> copy_planes(View<const T, 3>, int);                                         \
    template void add_planes(const Planes<T> &, View<T, 3>);
PYRAD_INSTANCE(float)
PYRAD_INSTANCE(double)

} // namespace pyrad::joseph
