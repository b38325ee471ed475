// Gibbs unringing of lines by local subvoxel shifts; formulas in gibbs_math.hpp.
#pragma once

#include "base/portable.hpp"
#include "denoise/gibbs_math.hpp"

namespace pyrad::gibbs {

// Lines [outer][length][inner] in place, along the middle axis; inner counts samples, each of which
// is two reals where the search is joint. `single`: values in single precision are enough; shifts
// are those of double precision none the less. Same bits for any number of threads.
void unring_lines(double *lines, i64 outer, i64 length, i64 inner, bool single,
                  const Search &search);

} // namespace pyrad::gibbs
