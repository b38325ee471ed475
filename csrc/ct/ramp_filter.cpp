// Row filter of filtered backprojection:
//
//     q[r] = scale[r] * IFFT(FFT(p[r]) * H),    H real and even, rows zero-padded to N >= 2 n
//
// (Kak & Slaney, Principles of Computerized Tomographic Imaging, 1988, doi 10.1137/1.9780898719277,
// chapter 3). The convolution is that of lane_convolution.hpp.
#include "ct/ramp_filter.hpp"

#include "ct/lane_convolution.hpp"

namespace pyrad {

template <class T>
void filter_rows(View<const T, 2> x, View<const T, 1> response, View<const T, 1> scale,
                 View<T, 2> out) {
    namespace conv = convolution;
    const i64 columns = x.shape[1];
    const auto load = [&](i64 first, i64 count, conv::Wide<T> *data) {
        for (i64 r = 0; r < conv::batch<T>; ++r)
            if (r < count)
                conv::set_row(data, r, columns, [row = &x(first + r, 0)](i64 c) { return row[c]; });
            else
                conv::set_row(data, r, columns, [](i64) { return T(0); });
    };
    const auto store = [&](i64 first, i64 count, const conv::Wide<T> *data) {
        for (i64 r = 0; r < count; ++r) {
            const T factor = scale(first + r), *part = conv::row(data, r);
            T *row = &out(first + r, 0);
            for (i64 c = 0; c < columns; ++c)
                row[c] = factor * part[c * conv::batch<T>];
        }
    };
    conv::run(x.shape[0], columns, conv::make_plan(response), load, store);
}

template void filter_rows(View<const float, 2>, View<const float, 1>, View<const float, 1>,
                          View<float, 2>);
template void filter_rows(View<const double, 2>, View<const double, 1>, View<const double, 1>,
                          View<double, 2>);

} // namespace pyrad
