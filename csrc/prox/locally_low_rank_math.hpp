// Where blocks lie, and one rotation of the Hermitian Jacobi iteration; shared by CPU and GPU.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// A series [frame][batch][z][y][x] cut into blocks; the first ones begin `shift` pixels before the
// image, blocks at its faces are cut off there.
struct SeriesBlocks {
    i64 frames, batch;
    i64 size[3], block[3], shift[3];

    PYRAD_HD i64 count(int d) const { return (size[d] + shift[d] + block[d] - 1) / block[d]; }
    PYRAD_HD i64 matrices() const { return batch * count(0) * count(1) * count(2); }
    PYRAD_HD i64 block_pixels() const { return block[0] * block[1] * block[2]; }
    PYRAD_HD i64 image_pixels() const { return size[0] * size[1] * size[2]; }
    PYRAD_HD bool frames_first() const { return frames <= block_pixels(); }
    // The shorter and the longer side of a block's matrix.
    PYRAD_HD i64 shorter() const { return frames_first() ? frames : block_pixels(); }
    PYRAD_HD i64 longer() const { return frames_first() ? block_pixels() : frames; }

    // Offset of pixel `p` of matrix `m` within one frame, -1 outside the image.
    PYRAD_HD i64 offset(i64 m, i64 p) const {
        i64 at[3], rest = m;
        for (int d = 2; d >= 0; --d) {
            at[d] = rest % count(d) * block[d] - shift[d] + p % block[d];
            rest /= count(d);
            p /= block[d];
            if (at[d] < 0 || at[d] >= size[d])
                return -1;
        }
        return ((rest * size[0] + at[0]) * size[1] + at[1]) * size[2] + at[2];
    }
};

// With w = conj(b) / |b| and the real rotation (c, s), the columns
//     p' = c p - s w q,   q' = s p + c w q
// make the entry b between p and q of a Hermitian matrix vanish; tangent * |b| moves from the
// diagonal entry of p to that of q.
struct Rotation {
    double c, s, w_re, w_im, moved;
};

PYRAD_HD Rotation jacobi_rotation(double pp, double qq, double b_re, double b_im) {
    const double squared = b_re * b_re + b_im * b_im;
    const bool rotate = squared > 1e-280; // below, squares lose their digits
    const double length = rotate ? sqrt(squared) : 1.0;
    const double theta = (qq - pp) / (2 * length);
    const double size = 1 / (fabs(theta) + sqrt(theta * theta + 1));
    const double t = rotate ? (theta < 0 ? -size : size) : 0.0;
    const double c = 1 / sqrt(1 + t * t);
    return {c, t * c, rotate ? b_re / length : 1.0, rotate ? -b_im / length : 0.0, t * length};
}

// What a singular value is multiplied by.
PYRAD_HD double shrinkage(double value, double threshold) {
    return value > threshold ? 1 - threshold / value : 0.0;
}

// Squared off-diagonal norm, relative to the diagonal's, at which a matrix counts as diagonal.
constexpr double jacobi_tolerance = 1e-29;
constexpr int jacobi_sweeps = 30;

} // namespace pyrad
