// Portable form of the products of grappa_gram.cpp and grappa_weights.cpp.
#include "mr/grappa_products.hpp"

#include "base/simd.hpp"

namespace pyrad {
namespace {

PYRAD_CLONES void add_outer(const double *a, const double *b, i64 cells, i64 coils, i64 padded,
                            double *sum) {
    for (i64 u = 0; u < cells; ++u, a += 2 * padded, b += 2 * padded)
        for (i64 i = 0; i < coils; ++i) {
            const double re = a[i], im = a[padded + i];
            double *to = sum + 2 * i * padded;
            for (i64 j = 0; j < padded; ++j) {
                to[j] += re * b[j] + im * b[padded + j];
                to[padded + j] += re * b[padded + j] - im * b[j];
            }
        }
}

PYRAD_CLONES void eliminate(double *u, i64 width, i64 first) {
    for (i64 k = first; k < first + product_rows; ++k) {
        double *re = u + 2 * k * width, *im = re + width;
        for (i64 l = 0; l < first; ++l) {
            const double *row = u + 2 * l * width;
            const double fr = row[k], fi = row[width + k];
            for (i64 j = first; j < width; ++j) {
                re[j] -= fr * row[j] + fi * row[width + j];
                im[j] -= fr * row[width + j] - fi * row[j];
            }
        }
    }
}

} // namespace

GrappaProducts grappa_products() {
    const GrappaProducts wide = wide_grappa_products();
    return wide.add_outer != nullptr ? wide : GrappaProducts{&add_outer, &eliminate};
}

} // namespace pyrad
