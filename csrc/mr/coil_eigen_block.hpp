// Dominant eigenvectors of a register's width of Hermitian matrices, side by side.
#pragma once

#include "base/portable.hpp"

#include <vector>

namespace pyrad {

// One value per pixel of a block: 64 bytes, 16 floats or 8 doubles.
template <class T> struct Lanes {
    static constexpr int count = 64 / sizeof(T);
    typedef T Vector __attribute__((vector_size(64)));
};

template <class T> struct alignas(64) LanePair {
    typename Lanes<T>::Vector re, im;
};

// Where the maps of a block go: vectors[(m * coils + c) * stride + first + p], alike the values.
template <class T> struct MapTarget {
    const T *reference; // (coils) complex: <reference, map> becomes real and positive
    T crop;             // maps whose eigenvalue is smaller are 0
    i64 stride, first, count;
    T *vectors, *values;
};

// Fill matrix(), solve(), store(). Scratch of one worker.
template <class T> class EigenBlock {
  public:
    static constexpr int side = Lanes<T>::count;

    EigenBlock(i64 coils, i64 maps, i64 iterations);

    // Lower triangles: entry i (i + 1) / 2 + j for j <= i.
    LanePair<T> *matrix() { return h_.data(); }

    // Eigenvectors by power iteration with H^(2^squarings). Below `crop` a bound of the largest
    // eigenvalue suffices: where it holds for all pixels the vectors are 0, the values the bound.
    void solve(T crop);
    void store(const MapTarget<T> &target) const;

  private:
    void raise_to_power(T *trace);
    bool all_below(T crop, const T *trace);
    bool step(const LanePair<T> *matrix, bool take_values);

    i64 coils_, maps_, iterations_;
    int squarings_;
    std::vector<LanePair<T>> h_, power_, spare_, v_, w_, value_; // eigenvalues in the real parts
};

} // namespace pyrad
