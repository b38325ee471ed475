// Normal equations of every kernel at once. The sums over window positions depend on the lag
// d = b - a but for the borders: windows a = a_lo .. a_hi of P positions share the cells
// [a_hi, a_lo + P) of an axis. One pass per lag adds the shared cells once and the cells of the
// borders to the windows that contain them, axis by axis; nothing is subtracted. That is the number
// of window cells fewer products than the calibration matrix times itself.
// M. A. Griswold et al., Magn. Reson. Med. 47 (2002), doi:10.1002/mrm.10171.
#include "mr/grappa_weights.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "mr/grappa_products.hpp"

#include <algorithm>
#include <vector>

namespace pyrad {
namespace {

PYRAD_CLONES void add(const double *x, i64 n, double *sum) {
    for (i64 i = 0; i < n; ++i)
        sum[i] += x[i];
}

// One lag: sums over windows a of all axes, [a_z][a_y][a_x][i][re, im][j].
class Lag {
  public:
    Lag(const double *cells, i64 coils, i64 padded, const std::array<i64, 3> &size,
        const std::array<i64, 3> &kernel, const std::array<i64, 3> &lag)
        : cells_(cells), coils_(coils), padded_(padded), size_(size) {
        i64 extent = coils * 2 * padded;
        for (int d = 2; d >= 0; --d) {
            low_[d] = std::max<i64>(0, -lag[d]);
            count_[d] = std::min(kernel[d], kernel[d] - lag[d]) - low_[d];
            positions_[d] = size[d] - kernel[d] + 1;
            block_[d] = extent;
            extent *= count_[d];
            inner_[d].resize(block_[d]);
            shared_[d].resize(block_[d]);
        }
        shift_ = (lag[0] * size[1] + lag[1]) * size[2] + lag[2];
        sums_.resize(extent);
        sum(0, 0, sums_.data());
    }

    // visit(a, matrix [i][re, im][j])
    template <class Visit> void each(Visit &&visit) const {
        const double *matrix = sums_.data();
        for (i64 z = 0; z < count_[0]; ++z)
            for (i64 y = 0; y < count_[1]; ++y)
                for (i64 x = 0; x < count_[2]; ++x, matrix += block_[2])
                    visit(std::array<i64, 3>{low_[0] + z, low_[1] + y, low_[2] + x}, matrix);
    }

  private:
    // out[windows of axes d and later] = sum over the cells of these axes
    void sum(int d, i64 base, double *out) {
        std::fill_n(out, count_[d] * block_[d], 0.0);
        std::vector<double> &shared = shared_[d];
        std::fill(shared.begin(), shared.end(), 0.0);
        const i64 low = low_[d], last = low + count_[d] - 1, positions = positions_[d];
        for (i64 u = low; u < last + positions;) {
            const bool everywhere = u >= last && u < low + positions;
            const i64 end = everywhere ? low + positions : u + 1;
            const i64 first_window = everywhere ? 0 : std::max<i64>(0, u - positions + 1 - low);
            const i64 end_window = everywhere ? 1 : std::min(count_[d], u - low + 1);
            for (; u < end; u += d == 2 ? end - u : 1) {
                if (d < 2)
                    sum(d + 1, base * size_[d] + u, inner_[d].data());
                for (i64 w = first_window; w < end_window; ++w) {
                    double *to = everywhere ? shared.data() : out + w * block_[d];
                    if (d == 2)
                        add_run(base * size_[d] + u, end - u, to);
                    else
                        add(inner_[d].data(), block_[d], to);
                }
            }
            poll();
        }
        for (i64 w = 0; w < count_[d]; ++w)
            add(shared.data(), block_[d], out + w * block_[d]);
    }

    void add_run(i64 first, i64 cells, double *to) const {
        const double *a = cells_ + first * 2 * padded_;
        products_.add_outer(a, a + shift_ * 2 * padded_, cells, coils_, padded_, to);
    }

    GrappaProducts products_ = grappa_products();
    const double *cells_;
    i64 coils_, padded_, shift_ = 0;
    std::array<i64, 3> size_, low_, count_, positions_, block_;
    std::vector<double> inner_[3], shared_[3], sums_;
};

} // namespace

void grappa_gram(const double *calibration, i64 coils, const std::array<i64, 3> &size,
                 const std::array<i64, 3> &kernel, double *gram) {
    const i64 cells = size[0] * size[1] * size[2],
              padded = (coils + product_pad - 1) / product_pad * product_pad;
    std::vector<double> split(cells * 2 * padded, 0.0); // [cell][re, im][coil]
    for (i64 c = 0; c < coils; ++c)
        for (i64 i = 0; i < cells; ++i)
            for (i64 part = 0; part < 2; ++part)
                split[(2 * i + part) * padded + c] = calibration[2 * (c * cells + i) + part];

    std::vector<std::array<i64, 3>> lags; // one of every pair (d, -d)
    for (i64 z = 0; z < kernel[0]; ++z)
        for (i64 y = z > 0 ? 1 - kernel[1] : 0; y < kernel[1]; ++y)
            for (i64 x = z > 0 || y > 0 ? 1 - kernel[2] : 0; x < kernel[2]; ++x)
                lags.push_back({z, y, x});
    const i64 side = kernel[0] * kernel[1] * kernel[2] * coils;
    const auto place = [&](const std::array<i64, 3> &a) {
        return ((a[0] * kernel[1] + a[1]) * kernel[2] + a[2]) * coils;
    };
    parallel_for(static_cast<i64>(lags.size()), 1, [&](i64 begin, i64 end, int) {
        for (i64 l = begin; l < end; ++l) {
            const auto &d = lags[l];
            const Lag sums(split.data(), coils, padded, size, kernel, d);
            sums.each([&](const std::array<i64, 3> &a, const double *matrix) {
                const i64 row = place(a), column = place({a[0] + d[0], a[1] + d[1], a[2] + d[2]});
                for (i64 i = 0; i < coils; ++i)
                    for (i64 j = 0; j < coils; ++j) {
                        const double re = matrix[2 * i * padded + j],
                                     im = matrix[(2 * i + 1) * padded + j];
                        double *to = gram + 2 * ((row + i) * side + column + j);
                        double *mirrored = gram + 2 * ((column + j) * side + row + i);
                        to[0] = mirrored[0] = re;
                        to[1] = im;
                        mirrored[1] = -im;
                    }
            });
        }
    });
}

} // namespace pyrad
