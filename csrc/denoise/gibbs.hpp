// Gibbs unringing of lines by local subvoxel shifts; formulas in gibbs_math.hpp.
#pragma once

#include "base/portable.hpp"
#include "denoise/gibbs_math.hpp"

namespace pyrad::gibbs {

// Lines [outer][length][inner] in place, along the middle axis; inner counts samples, each of which
// is two reals where the search is joint. Same bits for any number of threads.
template <class T>
void unring_lines(T *lines, i64 outer, i64 length, i64 inner, const Search &search);

} // namespace pyrad::gibbs
