#include "bindings/bind.hpp"

namespace pyrad::bind {

void bind_ct(py::module_ &) {}

} // namespace pyrad::bind
