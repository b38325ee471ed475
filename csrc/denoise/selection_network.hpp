// Networks of comparators that sort values, or find the one of a given rank, by a fixed sequence of
// minima and maxima: the same for all data, so that lanes of a register each run one.
//
// Batcher's odd-even merge (Knuth, The Art of Computer Programming 3, 5.3.4; Batcher 1968,
// doi:10.1145/1468075.1468121) for lists of any length; comparators, or halves of them, that the
// outputs do not need are left out.
#pragma once

#include "base/portable.hpp"

#include <vector>

namespace pyrad::rank {

constexpr u16 unused = 0xffff;

// Places below Network::inputs are what is given and never written to; the others are scratch.
struct Step {
    u16 a, b;      // places read
    u16 low, high; // places that get min(a, b) and max(a, b), or unused
};

struct Network {
    int inputs, places;
    std::vector<Step> steps;
    std::vector<u16> outputs; // places of the results, ascending
};

Network sorting_network(int count);

// The value with `rank` smaller ones among `lists` ascending lists of `length` values each; the
// inputs are numbered list * length + index.
Network selection_network(int lists, int length, int rank);

} // namespace pyrad::rank
