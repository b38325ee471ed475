// Row filter of filtered backprojection:
//
//     q[r] = scale[r] * IFFT(FFT(w[r] p[r]) * H),    H real and even, rows zero-padded to N >= 2 n
//
// (Kak & Slaney, Principles of Computerized Tomographic Imaging, 1988, doi 10.1137/1.9780898719277,
// chapter 3). The convolution is that of lane_convolution.hpp.
#include "ct/ramp_filter.hpp"

#include "ct/lane_convolution.hpp"

namespace pyrad {

template <class T>
void filter_rows(View<const T, 2> x, View<const T, 2> weights, i64 first, View<const T, 1> response,
                 View<const T, 1> scale, View<T, 2> out) {
    namespace conv = convolution;
    const i64 columns = x.shape[1], width = out.shape[1];
    const i64 share = x.shape[0] / weights.shape[0];
    const auto load = [&](i64 begin, i64 count, conv::Wide<T> *data) {
        std::fill(data, data + first, conv::Wide<T>{});
        std::fill(data + first + columns, data + width, conv::Wide<T>{});
        for (i64 r = 0; r < conv::batch<T>; ++r) {
            if (r >= count) {
                conv::set_row(data + first, r, columns, [](i64) { return T(0); });
                continue;
            }
            const T *row = &x(begin + r, 0), *weight = &weights((begin + r) / share, 0);
            conv::set_row(data + first, r, columns, [=](i64 c) { return weight[c] * row[c]; });
        }
    };
    const auto store = [&](i64 begin, i64 count, const conv::Wide<T> *data) {
        for (i64 r = 0; r < count; ++r) {
            const T factor = scale(begin + r), *part = conv::row(data, r);
            T *row = &out(begin + r, 0);
            for (i64 c = 0; c < width; ++c)
                row[c] = factor * part[c * conv::batch<T>];
        }
    };
    conv::run(x.shape[0], width, conv::make_plan(response), load, store);
}

template void filter_rows(View<const float, 2>, View<const float, 2>, i64, View<const float, 1>,
                          View<const float, 1>, View<float, 2>);
template void filter_rows(View<const double, 2>, View<const double, 2>, i64, View<const double, 1>,
                          View<const double, 1>, View<double, 2>);

} // namespace pyrad
