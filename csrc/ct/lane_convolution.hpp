// Zero-padded convolution of many rows by one real, even frequency response.
//
//     const auto plan = convolution::make_plan(response);
//     convolution::run(rows, columns, plan, load, store);
//
// `load(first, count, data)` puts rows first .. first + count - 1 into data[0 .. columns - 1]: row
// first + r is the real (r even) or imaginary (r odd) part of lane r / 2. Every lane must be set,
// absent ones to zero. `store(first, count, data)` finds the convolved rows in the same places.
// Weights, other layouts and other element types are thus the callers' affair.
#pragma once

#include "base/pool.hpp"
#include "base/view.hpp"

#include <algorithm>
#include <vector>

namespace pyrad::convolution {

template <class T> constexpr i64 lanes = 64 / sizeof(T);
template <class T> constexpr i64 batch = 2 * lanes<T>; // rows that travel together

// One column of a batch.
template <class T> struct Wide {
    T re[lanes<T>], im[lanes<T>];
};

// Row r of a batch: its column c stands at row(data, r)[c * batch<T>].
template <class T> T *row(Wide<T> *data, i64 r) { return (r % 2 ? data->im : data->re) + r / 2; }
template <class T> const T *row(const Wide<T> *data, i64 r) {
    return (r % 2 ? data->im : data->re) + r / 2;
}

// Row r of a batch becomes value(0) .. value(columns - 1).
template <class T, class Value> void set_row(Wide<T> *data, i64 r, i64 columns, Value &&value) {
    T *to = row(data, r);
    for (i64 c = 0; c < columns; ++c)
        to[c * batch<T>] = value(c);
}

template <class T> struct Plan {
    i64 size;                        // padded length
    std::vector<Complex<T>> twiddle; // exp(-2 pi i k / size)
    std::vector<T> response;         // in digit-reversed order, divided by size
};

// response holds the N/2 + 1 values at frequencies 0 .. N/2; N >= 4 is a power of two.
template <class T> Plan<T> make_plan(View<const T, 1> response);

// In place, data has plan.size columns; those from size / 2 on must be zero and are garbage after.
template <class T> void convolve(Wide<T> *data, const Plan<T> &plan);

template <class T, class Load, class Store>
void run(i64 rows, i64 columns, const Plan<T> &plan, Load &&load, Store &&store) {
    std::vector<std::vector<Wide<T>>> scratch(max_workers());
    parallel_for(rows, batch<T>, [&](i64 begin, i64 end, int worker) {
        auto &data = scratch[worker];
        data.resize(plan.size);
        load(begin, end - begin, data.data());
        std::fill(data.begin() + columns, data.begin() + plan.size / 2, Wide<T>{});
        convolve(data.data(), plan);
        store(begin, end - begin, data.data());
    });
}

} // namespace pyrad::convolution
