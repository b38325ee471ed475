// What every binding file uses: typed array arguments and the call wrapper.
//
// Kernels take C-contiguous arrays of one exact dtype and write into arrays the caller made; they
// never allocate a result. Wrong dtype or strides is a TypeError by pybind11 (use noconvert());
// wrong ndim, a size that disagrees or a read-only output is a ShapeError/DataError from here.
#pragma once

#include "base/error.hpp"
#include "base/pool.hpp"
#include "base/view.hpp"

#include <pybind11/complex.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;
using namespace py::literals;

namespace pyrad::bind {

template <class T> using Array = py::array_t<T, py::array::c_style>;

// Argument that must have exactly this dtype and C order.
inline py::arg exact(const char *name) { return py::arg(name).noconvert(); }

template <int N, class T> std::array<i64, N> shape_of(const Array<T> &a, const char *name) {
    if (a.ndim() != N)
        fail(ErrorKind::shape, name, " has ", a.ndim(), " dimensions, expected ", N);
    std::array<i64, N> shape;
    for (int d = 0; d < N; ++d)
        shape[d] = a.shape(d);
    return shape;
}

template <int N, class T> View<const T, N> input(const Array<T> &a, const char *name) {
    return contiguous<const T, N>(a.data(), shape_of<N>(a, name));
}

template <int N, class T> View<T, N> output(Array<T> &a, const char *name) {
    if (!a.writeable())
        fail(ErrorKind::data, name, " is read-only, but it is written to");
    return contiguous<T, N>(a.mutable_data(), shape_of<N>(a, name));
}

template <int N>
void require_shape(const std::array<i64, N> &got, const std::array<i64, N> &expected,
                   const char *name) {
    if (got == expected)
        return;
    std::string text = std::string(name) + " has shape (";
    for (i64 n : got)
        text += std::to_string(n) + ", ";
    text += "), expected (";
    for (i64 n : expected)
        text += std::to_string(n) + ", ";
    fail(ErrorKind::shape, text, ")");
}

// Runs a kernel without the GIL; Ctrl-C is noticed between tiles and becomes KeyboardInterrupt.
template <class Kernel> void run(Kernel &&kernel) {
    bool cancelled = false;
    {
        py::gil_scoped_release release;
        InterruptScope interrupts([] {
            py::gil_scoped_acquire gil;
            return PyErr_CheckSignals() != 0;
        });
        try {
            kernel();
        } catch (const Cancelled &) {
            cancelled = true;
        }
    }
    if (cancelled)
        throw py::error_already_set();
}

void bind_base(py::module_ &m);
void bind_ct(py::module_ &m);
void bind_mr(py::module_ &m);
void bind_denoise(py::module_ &m);
void bind_differences(py::module_ &m);
void bind_filters(py::module_ &m);
void bind_prox(py::module_ &m);
void bind_wavelet(py::module_ &m);
void bind_texture(py::module_ &m);

} // namespace pyrad::bind
