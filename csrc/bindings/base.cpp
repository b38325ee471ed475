#include "bindings/bind.hpp"

#include "base/finite.hpp"
#include "base/simd.hpp"
#include "base/vector.hpp"

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

template <class T> void def_vector(py::module_ &m) {
    m.def(
        "inner_product",
        [](const Array<T> &a, const Array<T> &b) {
            require_shape<1>(shape_of<1>(b, "b"), shape_of<1>(a, "a"), "b");
            double sum = 0;
            run([&] { sum = inner_product(a.data(), b.data(), static_cast<i64>(a.size())); });
            return sum;
        },
        exact("a"), exact("b"), "sum of a[i] * b[i] in double precision.");
    m.def(
        "axpby",
        [](double alpha, const Array<T> &x, double beta, Array<T> &out) {
            require_shape<1>(shape_of<1>(out, "out"), shape_of<1>(x, "x"), "out");
            T *to = output<1>(out, "out").data;
            run([&] { axpby(alpha, x.data(), beta, to, static_cast<i64>(x.size())); });
        },
        "alpha"_a, exact("x"), "beta"_a, exact("out"), "out = alpha * x + beta * out.");
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
    m.def(
        "limit_vector_width", &limit_vector_width, "floats"_a,
        "Tests: no hand-written loop with more floats a register (0, 8 or 16); returns the former "
        "limit.");
    m.def("compiler", [] { return std::string("g++ " __VERSION__); });
    def_count_nonfinite<float>(m);
    def_count_nonfinite<double>(m);
    def_vector<float>(m);
    def_vector<double>(m);
}

} // namespace pyrad::bind
