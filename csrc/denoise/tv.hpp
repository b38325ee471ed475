// Total-variation denoising (Rudin, Osher, Fatemi 1992, doi:10.1016/0167-2789(92)90242-F) by two
// accelerated first-order methods; formulas in tv_math.hpp.
#pragma once

#include "base/portable.hpp"

#include <array>

namespace pyrad::tv {

// Arrays: f and images (channels, nz, ny, nx); dual fields (channels, dims, nz, ny, nx) with the
// slowest axis first, zero where there is no next voxel along the axis. dims 2 has nz = 1, dims 1
// has nz = ny = 1.
struct Grid {
    int channels, dims;
    i64 nz, ny, nx;
    std::array<double, 3> inverse_spacing; // of the last `dims` axes, slowest first
    bool isotropic;
};

constexpr int max_channels = 2; // real, or the two parts of complex

// One step of the fast gradient projection per entry of momentum:
// p <- project(q + step grad(f + weight div q)), q = p + momentum (p - previous).
template <class T>
void fgp(const T *f, double weight, const Grid &grid, double step, const double *momentum,
         i64 count, T *dual, T *previous);

// One step of the primal-dual hybrid gradient per row (tau, sigma, theta) of steps:
// p <- project(p + sigma weight grad(u + theta (u - previous))),
// u <- (u + tau (f + weight div p)) / (1 + tau).
template <class T>
void pdhg(const T *f, double weight, const Grid &grid, const double *steps, i64 count, T *dual,
          T *image, T *previous);

// out = f + weight div p, the image that belongs to a dual field.
template <class T> void primal(const T *f, double weight, const Grid &grid, const T *dual, T *out);

struct Objectives {
    double primal, dual; // P(image), D(dual): their difference is the duality gap
};

// Evaluated and summed in double precision, whatever T.
template <class T>
Objectives objectives(const T *f, const T *image, double weight, const Grid &grid, const T *dual);

} // namespace pyrad::tv
