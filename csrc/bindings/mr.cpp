#include "bindings/bind.hpp"

namespace pyrad::bind {

void bind_mr(py::module_ &) {}

} // namespace pyrad::bind
