// A shifted sample is a convolution with the periodic sinc, sin(pi m u / N) / (N sin(pi u / N)) at
// distance u = d + s, where m is N, or N - 1 for even N, whose Nyquist frequency is not shifted.
#include "denoise/gibbs_decider.hpp"

#include "base/simd.hpp"

#include <cmath>
#include <cstdlib>
#include <limits>

namespace pyrad::gibbs {
namespace {

constexpr int side_by_side = 16; // partial sums
constexpr int reach = 2;         // shifts to either side that a flat minimum may hold, too

PYRAD_CLONES double inner_product(const double *a, const double *b, i64 count) {
    double sums[side_by_side] = {};
    i64 i = 0;
    for (; i + side_by_side <= count; i += side_by_side)
        for (int s = 0; s < side_by_side; ++s)
            sums[s] += a[i + s] * b[i + s];
    double total = 0;
    for (; i < count; ++i)
        total += a[i] * b[i];
    for (double sum : sums)
        total += sum;
    return total;
}

} // namespace

Decider::Decider(i64 length, const Search &search_of)
    : search(search_of), length_(length), kernels_(2 * length * (2 * search_of.shifts + 1)) {
    const auto n = static_cast<double>(length);
    const double m = length % 2 ? n : n - 1;
    for (int j = -search.shifts; j <= search.shifts && length > 0; ++j)
        for (i64 i = 0; i < 2 * length && j != 0; ++i) {
            const double s = static_cast<double>(j) / (2 * search.shifts);
            const double u = M_PI * (static_cast<double>(wrapped(-i, length)) + s) / n;
            kernels_[2 * length * (j + search.shifts) + i] = std::sin(m * u) / (n * std::sin(u));
        }
}

double Decider::shifted(const double *x, i64 l, int j) const {
    const i64 at = wrapped(l, length_);
    if (j == 0)
        return x[at];
    const double *kernel = kernels_.data() + 2 * length_ * (j + search.shifts);
    return inner_product(kernel + length_ - at, x, length_);
}

double Decider::ripple(const double *x, i64 l, int j) const {
    double left = 0, right = 0;
    for (int part = 0; part < (search.joint ? 2 : 1); ++part, x += length_)
        for (int side = 0; side < 2; ++side) {
            // samples from l - far - 1 to l - near, or from l + near to l + far + 1
            const i64 first = side == 0 ? l - search.far - 1 : l + search.near;
            double before = shifted(x, first, j), sum = 0;
            for (i64 i = first + 1; i <= first + 1 + search.far - search.near; ++i) {
                const double here = shifted(x, i, j);
                sum += std::abs(here - before);
                before = here;
            }
            (side == 0 ? left : right) += sum;
        }
    return left < right ? left : right;
}

void Decider::better(const double *x, i64 l, int j, int k, double *value) const {
    int best = j;
    double least = std::numeric_limits<double>::infinity();
    // the first of equal ones in the order 0, 1, -1, 2, ...
    for (int size = 0; size <= search.shifts; ++size)
        for (int candidate : {size, -size}) {
            if (std::abs(candidate - j) > reach && std::abs(candidate - k) > reach)
                continue;
            const double found = ripple(x, l, candidate);
            if (found < least) {
                least = found;
                best = candidate;
            }
        }
    const double s = std::abs(best) / (2.0 * search.shifts);
    for (int part = 0; part < (search.joint ? 2 : 1); ++part, x += length_)
        value[part] = (1 - s) * shifted(x, l, best) + s * shifted(x, l + (best < 0 ? 1 : -1), best);
}

} // namespace pyrad::gibbs
