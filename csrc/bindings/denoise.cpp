#include "bindings/bind.hpp"

namespace pyrad::bind {

void bind_denoise(py::module_ &) {}

} // namespace pyrad::bind
