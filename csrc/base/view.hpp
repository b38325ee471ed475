// Strided view of an array that somebody else owns. Strides count elements, not bytes.
#pragma once

#include "base/error.hpp"

#include <array>

namespace pyrad {

template <class T, int N> struct View {
    T *data = nullptr;
    std::array<i64, N> shape{};
    std::array<i64, N> stride{};

    template <class... Index> T &operator()(Index... index) const {
        static_assert(sizeof...(Index) == N, "one index per dimension");
        const i64 at[N] = {static_cast<i64>(index)...};
        i64 offset = 0;
        for (int d = 0; d < N; ++d)
            offset += at[d] * stride[d];
        return data[offset];
    }

    i64 size() const {
        i64 n = 1;
        for (i64 s : shape)
            n *= s;
        return n;
    }

    operator View<const T, N>() const { return {data, shape, stride}; }
};

// C-contiguous view.
template <class T, int N> View<T, N> contiguous(T *data, std::array<i64, N> shape) {
    View<T, N> view{data, shape, {}};
    i64 step = 1;
    for (int d = N - 1; d >= 0; --d) {
        view.stride[d] = step;
        step *= shape[d];
    }
    return view;
}

} // namespace pyrad
