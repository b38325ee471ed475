#include "bindings/bind.hpp"

namespace pyrad::bind {

void bind_texture(py::module_ &) {}

} // namespace pyrad::bind
