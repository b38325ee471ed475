#include "bindings/bind.hpp"

#include "base/finite.hpp"
#include "base/simd.hpp"

namespace pyrad::bind {
namespace {

template <class T> void def_count_nonfinite(py::module_ &m) {
    m.def(
        "count_nonfinite",
        [](const Array<T> &x) {
            NonFinite found{};
            run([&] { found = count_nonfinite(x.data(), static_cast<i64>(x.size())); });
            return py::make_tuple(found.count, found.first);
        },
        exact("x"), "(count, first flat index or -1) of the NaN and Inf values of x.");
}

void translate(std::exception_ptr pending) {
    try {
        if (pending)
            std::rethrow_exception(pending);
    } catch (const Error &error) {
        const char *names[] = {"DataError", "ShapeError", "GeometryError", "DeviceMemoryError"};
        py::object cls =
            py::module_::import("pyrad_core.errors").attr(names[static_cast<int>(error.kind)]);
        PyErr_SetString(cls.ptr(), error.what());
    }
}

} // namespace

void bind_base(py::module_ &m) {
    py::register_exception_translator(&translate);
    m.def("set_num_threads", &set_num_threads, "count"_a);
    m.def("num_threads", &num_threads);
    m.def("isa_name", &isa_name);
    m.def("compiler", [] { return std::string("g++ " __VERSION__); });
    def_count_nonfinite<float>(m);
    def_count_nonfinite<double>(m);
}

} // namespace pyrad::bind
