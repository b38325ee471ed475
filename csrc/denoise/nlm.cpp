// Non-local means by pairs: Buades, Coll, Morel 2005, doi:10.1137/040616024; loop over offsets with
// box sums after Darbon et al. 2008, doi:10.1109/ISBI.2008.4541250.
//
// w(i, j) = w(j, i), so only the half of the offsets that points forward (in z, y, x order) is
// worked on, and each weight is added at both ends. For one offset the squared differences are
// summed over the patch axis by axis, rows in L1: the cost hardly depends on the patch.
//
// Threads take blocks of rows; a block also writes up to one search radius beyond itself. Blocks
// are coloured so that no two of one colour touch the same row, and colours run one after another:
// each voxel gets its contributions in one fixed order, whatever the number of threads.
//
// Sums hold differences to the centre voxel, which keeps a constant image exactly as it is. All
// arrays have margins, so that every loop along x has one length, a multiple of the vector's; pairs
// that are not both inside the image get weight zero.
#include "denoise/nlm.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"

#include <algorithm>
#include <type_traits>
#include <vector>

#define PYRAD_ALWAYS_INLINE inline __attribute__((always_inline))

namespace pyrad::nlm {
namespace {

constexpr i64 lanes = 16;

i64 round_up(i64 n) { return (n + lanes - 1) / lanes * lanes; }

// --- loops along x -------------------------------------------------------------------------------

// Sum of Count elements `stride` apart.
template <int Count, class T> PYRAD_ALWAYS_INLINE T strided_sum(const T *x, i64 stride) {
    T sum = x[0];
    if (Count > 1)
        sum += x[stride];
    if (Count > 2)
        sum += x[2 * stride];
    if (Count > 3)
        sum += x[3 * stride];
    if (Count > 4)
        sum += x[4 * stride];
    return sum;
}

template <int Count, class T>
PYRAD_ALWAYS_INLINE void sum_fixed(const T *__restrict x, i64 stride, T *__restrict out, i64 n) {
    for (i64 i = 0; i < n; ++i)
        out[i] = strided_sum<Count>(x + i, stride);
}

// out[i] = x[i] + x[i + stride] + ... (count terms, odd).
template <class T>
PYRAD_ALWAYS_INLINE void sum_rows(const T *__restrict x, i64 stride, i64 count, T *__restrict out,
                                  i64 n) {
    if (count == 3)
        return sum_fixed<3>(x, stride, out, n);
    if (count == 5)
        return sum_fixed<5>(x, stride, out, n);
    sum_fixed<1>(x, stride, out, n);
    for (i64 k = 1; k < count; k += 2)
        for (i64 i = 0; i < n; ++i)
            out[i] += x[i + k * stride] + x[i + (k + 1) * stride];
}

// Rows of squared differences, summed along x: out[i] = sum over j <= 2 radius of
// (b[i + j] - a[i + j])^2.
template <class T>
PYRAD_CLONES void difference_rows(const T *a, const T *b, i64 stride, i64 rows, i64 radius,
                                  T *__restrict scratch, T *__restrict out, i64 out_stride, i64 n) {
    const i64 wide = radius ? round_up(n + 2 * radius) : n;
    for (i64 row = 0; row < rows; ++row) {
        const T *__restrict left = a + row * stride, *__restrict right = b + row * stride;
        T *__restrict target = radius ? scratch : out + row * out_stride;
        for (i64 i = 0; i < wide; ++i)
            target[i] = (right[i] - left[i]) * (right[i] - left[i]);
        if (radius)
            sum_rows(scratch, 1, 2 * radius + 1, out + row * out_stride, n);
    }
}

template <class T>
PYRAD_CLONES void sum_planes(const T *x, i64 x_stride, i64 count, T *out, i64 out_stride, i64 rows,
                             i64 n) {
    for (i64 row = 0; row < rows; ++row)
        sum_rows(x + row * x_stride, x_stride, count, out + row * out_stride, n);
}

template <class T> struct Pair {
    const T *value, *partner;                   // values at i and at j
    const T *variance, *partner_variance;       // null: the same everywhere
    T *numerator, *denominator;                 // sums at i
    T *partner_numerator, *partner_denominator; // sums at j: may be the same row, shifted
    i64 stride;

    Pair row(i64 k) const {
        const i64 d = k * stride;
        return {value + d,
                partner + d,
                variance ? variance + d : nullptr,
                variance ? partner_variance + d : nullptr,
                numerator + d,
                denominator + d,
                partner_numerator + d,
                partner_denominator + d,
                stride};
    }
};

// Where the patch sums of a row are to be read: `count` terms `stride` apart, rows `row` apart.
template <class T> struct Terms {
    const T *first;
    i64 stride, count, row;
};

// Adds one row of pairs at both ends; `valid` is 1 where both are in the image, else 0.
template <int Count, class T>
PYRAD_ALWAYS_INLINE void add_row(const T *terms, i64 stride, const Pair<T> &pair,
                                 const Strength<T> &strength, const T *valid, T *weights,
                                 T *products, i64 n) {
    if (pair.variance) {
#pragma GCC ivdep
        for (i64 i = 0; i < n; ++i)
            weights[i] = valid[i] * weight(strided_sum<Count>(terms + i, stride), strength,
                                           pair.variance[i], pair.partner_variance[i]);
    } else {
#pragma GCC ivdep
        for (i64 i = 0; i < n; ++i)
            weights[i] = valid[i] * weight(strided_sum<Count>(terms + i, stride), strength);
    }
#pragma GCC ivdep
    for (i64 i = 0; i < n; ++i) {
        products[i] = weights[i] * (pair.partner[i] - pair.value[i]);
        pair.numerator[i] += products[i];
        pair.denominator[i] += weights[i];
    }
#pragma GCC ivdep
    for (i64 i = 0; i < n; ++i) {
        pair.partner_numerator[i] -= products[i];
        pair.partner_denominator[i] += weights[i];
    }
}

// `scratch` holds three rows.
template <class T>
PYRAD_CLONES void add_rows(const Terms<T> terms, const Pair<T> pairs, i64 rows,
                           const Strength<T> strength, const T *valid, T *scratch, i64 n) {
    T *weights = scratch, *products = scratch + n, *sums = scratch + 2 * n;
    for (i64 k = 0; k < rows; ++k) {
        const T *first = terms.first + k * terms.row;
        const Pair<T> pair = pairs.row(k);
        if (terms.count == 3) {
            add_row<3>(first, terms.stride, pair, strength, valid, weights, products, n);
        } else if (terms.count == 5) {
            add_row<5>(first, terms.stride, pair, strength, valid, weights, products, n);
        } else {
            sum_rows(first, terms.stride, terms.count, sums, n);
            add_row<1>(sums, 0, pair, strength, valid, weights, products, n);
        }
    }
}

template <class T>
PYRAD_CLONES void finish_row(const T *__restrict value, const T *__restrict numerator,
                             const T *__restrict denominator, T *__restrict out, i64 n) {
    for (i64 i = 0; i < n; ++i)
        out[i] = value[i] + numerator[i] / denominator[i];
}

// --- arrays with margins -------------------------------------------------------------------------

// Rows of one array in the filter: `near` and `far` extra rows and elements around the image.
struct Frame {
    Size inner;
    Radius rows;     // margin in z and y (x unused)
    i64 left, width; // elements before the first of a row, and in all

    i64 height() const { return inner.y + 2 * rows.y; }
    i64 size() const { return (inner.z + 2 * rows.z) * height() * width; }
    i64 at(i64 z, i64 y) const { return ((z + rows.z) * height() + y + rows.y) * width + left; }
};

// A copy of the image with `mirrored` voxels beyond each face, zeros elsewhere.
template <class T> std::vector<T> framed(const T *image, const Frame &frame, i64 mirrored) {
    std::vector<T> data(frame.size());
    const Size n = frame.inner;
    parallel_for((n.z + 2 * frame.rows.z) * frame.height(), 64, [&](i64 begin, i64 end, int) {
        for (i64 row = begin; row < end; ++row) {
            const i64 z = mirror(row / frame.height() - frame.rows.z, n.z);
            const i64 y = mirror(row % frame.height() - frame.rows.y, n.y);
            const T *from = image + (z * n.y + y) * n.x;
            T *to = data.data() + row * frame.width + frame.left;
            std::copy_n(from, n.x, to);
            for (i64 x = 1; x <= mirrored; ++x) {
                to[-x] = from[mirror(-x, n.x)];
                to[n.x - 1 + x] = from[mirror(n.x - 1 + x, n.x)];
            }
        }
    });
    return data;
}

// --- blocks --------------------------------------------------------------------------------------

struct Range {
    i64 begin, end;
    i64 count() const { return std::max<i64>(0, end - begin); }
};

// Indices of `inside` whose partner at distance `offset` also is in 0..n-1.
Range with_partner(Range inside, i64 offset, i64 n) {
    return {std::max(inside.begin, -offset), std::min(inside.end, n - offset)};
}

template <class T> class Filter {
  public:
    Filter(const T *image, const T *values, Size size, Radius patch, Radius search,
           const Noise<T> &noise)
        : size_(size), patch_(patch), search_(search), n_(round_up(size.x)),
          frame_{size, patch, round_up(patch.x + search.x),
                 round_up(patch.x + search.x) + n_ + round_up(search.x + 2 * patch.x + lanes)},
          image_(framed(image, frame_, patch.x)),
          block_{std::max<i64>(search.z, 6), std::max<i64>(2 * search.y, 16), size.x} {
        if (values != image)
            values_ = framed(values, frame_, 0);
        if (noise.variance)
            variance_ = framed(noise.variance, frame_, 0);
        numerator_.resize(frame_.size());
        denominator_.assign(frame_.size(), T(1));
        const i64 patch_size = (2 * patch.z + 1) * (2 * patch.y + 1) * (2 * patch.x + 1);
        strength_ =
            strength<T>(static_cast<double>(patch_size), noise.sigma, noise.h, noise.factor);
        set_valid();
        scratch_.resize(max_workers() * scratch_size());
    }

    void run(T *out) {
        const i64 down = (size_.z + block_.z - 1) / block_.z;
        const i64 across = (size_.y + block_.y - 1) / block_.y;
        for (i64 colour = 0; colour < 4; ++colour) {
            // a block writes to itself, the next one in z and both neighbours in y
            const i64 z0 = colour / 2, y0 = colour % 2;
            const i64 nz = (down - z0 + 1) / 2, ny = (across - y0 + 1) / 2;
            parallel_for(nz * ny, 1, [&](i64 at, i64, int worker) {
                run_block(z0 + 2 * (at / ny), y0 + 2 * (at % ny),
                          scratch_.data() + worker * scratch_size());
            });
        }
        parallel_for(size_.z * size_.y, 64, [&](i64 begin, i64 end, int) {
            for (i64 row = begin; row < end; ++row) {
                const i64 at = frame_.at(row / size_.y, row % size_.y);
                finish_row(values().data() + at, numerator_.data() + at, denominator_.data() + at,
                           out + row * size_.x, size_.x);
            }
        });
    }

  private:
    void set_valid() {
        valid_.resize((2 * search_.x + 1) * n_);
        for (i64 dx = -search_.x; dx <= search_.x; ++dx) {
            const Range inside = with_partner({0, size_.x}, dx, size_.x);
            T *row = valid_.data() + (dx + search_.x) * n_;
            std::fill(row + inside.begin, row + std::max(inside.begin, inside.end), T(1));
        }
    }

    const std::vector<T> &values() const { return values_.empty() ? image_ : values_; }
    i64 tall() const { return block_.y + 2 * patch_.y; }
    i64 planes() const { return 2 * patch_.z + 1; }
    // one row of squared differences, their sums over x per row of the block and its margin, sums
    // over x and y for a ring of planes, and three rows
    i64 scratch_size() const {
        return n_ + 2 * round_up(2 * patch_.x + lanes) + (tall() + planes() * block_.y + 3) * n_;
    }

    void run_block(i64 block_z, i64 block_y, T *scratch) {
        const Range z{block_z * block_.z, std::min((block_z + 1) * block_.z, size_.z)};
        const Range y{block_y * block_.y, std::min((block_y + 1) * block_.y, size_.y)};
        for (i64 dz = 0; dz <= search_.z; ++dz)
            for (i64 dy = dz ? -search_.y : 0; dy <= search_.y; ++dy) {
                const Range rows = with_partner(y, dy, size_.y);
                const Range slices = with_partner(z, dz, size_.z);
                if (!rows.count() || !slices.count())
                    continue;
                poll();
                for (i64 dx = dz || dy ? -search_.x : 1; dx <= search_.x; ++dx)
                    run_offset(slices, rows, {dz, dy, dx}, scratch);
            }
    }

    // All pairs (i, i + offset) with i in the rows z, y.
    void run_offset(Range z, Range y, Radius offset, T *scratch) {
        T *summed = scratch + n_ + 2 * round_up(2 * patch_.x + lanes);
        T *ring = summed + tall() * n_;
        T *rows = ring + planes() * block_.y * n_;
        const bool flat = patch_.z == 0;
        for (i64 plane = z.begin - patch_.z; plane < z.end + patch_.z; ++plane) {
            const T *a = image_.data() + frame_.at(plane, y.begin - patch_.y) - patch_.x;
            difference_rows(a, a + shift(offset), frame_.width, y.count() + 2 * patch_.y, patch_.x,
                            scratch, summed, n_, n_);
            if (flat) {
                add(plane, y, offset, {summed, n_, 2 * patch_.y + 1, n_}, rows);
                continue;
            }
            T *slot = ring + (plane + patch_.z) % planes() * block_.y * n_;
            sum_planes(summed, n_, 2 * patch_.y + 1, slot, n_, y.count(), n_);
            if (plane >= z.begin + patch_.z)
                add(plane - patch_.z, y, offset, {ring, block_.y * n_, planes(), n_}, rows);
        }
    }

    i64 shift(Radius offset) const {
        return (offset.z * frame_.height() + offset.y) * frame_.width + offset.x;
    }

    void add(i64 z, Range y, Radius offset, const Terms<T> &terms, T *scratch) {
        const i64 i = frame_.at(z, y.begin), j = i + shift(offset);
        const T *v = values().data(), *s = variance_.empty() ? nullptr : variance_.data();
        const Pair<T> pairs{v + i,
                            v + j,
                            s ? s + i : nullptr,
                            s ? s + j : nullptr,
                            numerator_.data() + i,
                            denominator_.data() + i,
                            numerator_.data() + j,
                            denominator_.data() + j,
                            frame_.width};
        add_rows(terms, pairs, y.count(), strength_, valid_.data() + (offset.x + search_.x) * n_,
                 scratch, n_);
    }

    Size size_;
    Radius patch_, search_;
    i64 n_; // length of every loop along x
    Frame frame_;
    std::vector<T> image_, values_, variance_, numerator_, denominator_, valid_, scratch_;
    Size block_;
    Strength<T> strength_;
};

} // namespace

template <class T>
void nlm(const T *image, const T *values, Size size, Radius patch, Radius search,
         const Noise<T> &noise, T *out) {
    Filter<T>(image, values, size, patch, search, noise).run(out);
}

template void nlm(const float *, const float *, Size, Radius, Radius, const Noise<float> &,
                  float *);
template void nlm(const double *, const double *, Size, Radius, Radius, const Noise<double> &,
                  double *);

} // namespace pyrad::nlm
