#include "bindings/bind.hpp"

namespace pyrad::bind {

void bind_wavelet(py::module_ &) {}

} // namespace pyrad::bind
