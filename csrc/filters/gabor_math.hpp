// What of a complex response is wanted. CPU and CUDA.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

enum class GaborPart { modulus, real, imaginary, phase }; // numbered as in filters/gabor.py

} // namespace pyrad
