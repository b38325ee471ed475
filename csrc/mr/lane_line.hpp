// FFT of one line of coil-interleaved complex numbers.
#pragma once

#include "base/portable.hpp"

#include <vector>

namespace pyrad {

// One pass: inputs a + span (b + radix c), outputs a + span (c + before b), a < span, c < before.
template <class T> struct LineStage {
    int radix;
    i64 before, span;       // product of the radices done before, of those still to come
    std::vector<T> twiddle; // [span][radix - 1][re, -im, im]
    std::vector<T> root;    // [radix][re, -im, im]: exp(sign 2 pi i j / radix)
};

template <class T> struct LinePlan {
    i64 length;
    std::vector<LineStage<T>> stages;
};

// Made at first use and kept; any thread may ask.
template <class T> const LinePlan<T> &line_plan(i64 length, int sign);

// Element i, `width` reals, from source + i * source_step to line + i * step, which may be the same
// place. `scratch` holds line_scratch reals and begins at a cache line.
template <class T>
using LineFft = void (*)(const LinePlan<T> &plan, const T *source, i64 source_step, T *line,
                         i64 step, i64 width, T *scratch);

// The one for this processor.
template <class T> LineFft<T> line_fft();

template <class T> i64 line_scratch(i64 length) { return 2 * length * (64 / sizeof(T)); }

// A worker's scratch, grown as needed, beginning at a cache line.
template <class T> class LineScratch {
  public:
    T *get(i64 reals) {
        if (static_cast<i64>(memory_.size()) < reals + pad)
            memory_.resize(reals + pad);
        const auto past = reinterpret_cast<u64>(memory_.data()) % 64;
        return memory_.data() + (64 - past) % 64 / sizeof(T);
    }

  private:
    static constexpr i64 pad = 64 / sizeof(T);
    std::vector<T> memory_;
};

} // namespace pyrad
