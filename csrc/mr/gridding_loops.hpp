// Inner loops of gridding over samples in tile order, one pair per number of lanes and width.
#pragma once

#include "mr/gridding.hpp"

namespace pyrad {

constexpr int table_columns = 16; // coefficients of a plan, each power padded with zeros to this

// A grid, or the part of it around one tile: `cells` from `origin` on.
template <class T> struct GridView {
    T *values;
    Shape3 cells, origin;
};

// Values of sample s (in tile order), all coils: at place[s] if there are places, else at s.
template <class T> struct SampleValues {
    T *values;
    const i32 *place;

    T *of(i64 s, i64 reals) const { return values + (place ? place[s] : s) * reals; }
};

template <class T> struct GriddingLoops {
    // Samples [begin, end) from the grid.
    void (*gather)(const GridView<const T> &grid, const GridPlan<T> &plan, const T *table,
                   i64 begin, i64 end, const SampleValues<T> &samples);
    // The adjoint: samples, times density[s] unless null, added to the grid.
    void (*scatter)(const SampleValues<const T> &samples, const T *density, const GridPlan<T> &plan,
                    const T *table, i64 begin, i64 end, const GridView<T> &grid);
};

constexpr i64 look_ahead = 24; // samples whose values are asked for before they are needed

// Hand-written loops for this processor; null pointers where there are none.
GriddingLoops<float> x86_gridding(int dims, i64 lanes, int width, int degree);

} // namespace pyrad
