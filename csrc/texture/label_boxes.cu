// CUDA twin of label_boxes.cpp: one thread per voxel; only first and last voxels of a run of one
// label along x widen its box, and a run is counted by its last voxel's thread.
// out: (labels, 7), begins starting at 2^62.
#include "base/portable.hpp"

namespace {

using namespace pyrad;

template <class T>
__device__ void label_boxes(const T *mask, i64 ny, i64 nx, i64 size, i64 labels, long long *out) {
    const i64 step = static_cast<i64>(gridDim.x) * blockDim.x;
    for (i64 v = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; v < size; v += step) {
        const i64 label = static_cast<i64>(mask[v]);
        if (label <= 0 || label >= labels)
            continue;
        const i64 x = v % nx, y = v / nx % ny, z = v / (nx * ny);
        long long *const box = out + label * 7;
        if (x == 0 || static_cast<i64>(mask[v - 1]) != label) {
            atomicMin(&box[0], static_cast<long long>(z));
            atomicMin(&box[1], static_cast<long long>(y));
            atomicMin(&box[2], static_cast<long long>(x));
        }
        if (x == nx - 1 || static_cast<i64>(mask[v + 1]) != label) {
            i64 first = x;
            while (first > 0 && static_cast<i64>(mask[v - (x - first) - 1]) == label)
                --first;
            atomicMax(&box[3], static_cast<long long>(z + 1));
            atomicMax(&box[4], static_cast<long long>(y + 1));
            atomicMax(&box[5], static_cast<long long>(x + 1));
            atomicAdd(reinterpret_cast<unsigned long long *>(&box[6]),
                      static_cast<unsigned long long>(x - first + 1));
        }
    }
}

} // namespace

PYRAD_KERNEL(label_boxes_u8)
(const unsigned char *mask, long long ny, long long nx, long long size, long long labels,
 long long *out) {
    label_boxes(mask, ny, nx, size, labels, out);
}

PYRAD_KERNEL(label_boxes_u16)
(const unsigned short *mask, long long ny, long long nx, long long size, long long labels,
 long long *out) {
    label_boxes(mask, ny, nx, size, labels, out);
}

PYRAD_KERNEL(label_boxes_i16)
(const short *mask, long long ny, long long nx, long long size, long long labels, long long *out) {
    label_boxes(mask, ny, nx, size, labels, out);
}

PYRAD_KERNEL(label_boxes_i32)
(const int *mask, long long ny, long long nx, long long size, long long labels, long long *out) {
    label_boxes(mask, ny, nx, size, labels, out);
}

PYRAD_KERNEL(label_boxes_i64)
(const long long *mask, long long ny, long long nx, long long size, long long labels,
 long long *out) {
    label_boxes(mask, ny, nx, size, labels, out);
}
