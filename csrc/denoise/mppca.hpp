// Denoising of image series by principal components of local windows (mppca_math.hpp).
#pragma once

#include "denoise/mppca_math.hpp"

namespace pyrad::mppca {

// Windows along one axis, by their first voxel (increasing), and the voxels each one answers for:
// those from owned[k] to owned[k + 1] - 1, all inside.
struct Axis {
    i64 size, width, count;
    const i64 *origins, *owned;
};

// Real (parts 1) or interleaved complex (parts 2) samples [volume][z][y][x]. Where there is a mask
// (not null, else [z][y][x]), voxels outside it are neither read from it nor written to `out`,
// but belong to windows.
template <class T> struct Series {
    const T *samples;
    int volumes, parts;
    Axis axis[3];
    const u8 *mask;

    i64 voxels() const { return axis[0].size * axis[1].size * axis[2].size; }
    i64 window() const { return axis[0].width * axis[1].width * axis[2].width; }
};

template <class T> struct Maps {
    T *out;   // as the samples
    T *sigma; // [z][y][x]: standard deviation of the noise, of each part
    T *rank;  // number of components kept
};

// Every voxel from the window that answers for it.
template <class T> void by_centre(const Series<T> &series, const Rule &rule, const Maps<T> &maps);

// Every voxel from all windows that hold it, weighted by 1 / (1 + rank).
template <class T> void by_average(const Series<T> &series, const Rule &rule, const Maps<T> &maps);

} // namespace pyrad::mppca
