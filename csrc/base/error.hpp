// The one throw path: kernels call fail(), the bindings turn Error into a PyradError subclass.
#pragma once

#include "base/portable.hpp"

#include <initializer_list>
#include <sstream>
#include <stdexcept>
#include <string>

namespace pyrad {

enum class ErrorKind { data, shape, geometry, memory };

struct Error : std::runtime_error {
    ErrorKind kind;
    Error(ErrorKind kind, const std::string &text) : std::runtime_error(text), kind(kind) {}
};

template <class... Parts> [[noreturn]] void fail(ErrorKind kind, const Parts &...parts) {
    std::ostringstream text;
    (text << ... << parts);
    throw Error(kind, text.str());
}

// Product of sizes, refusing to wrap around.
inline i64 checked_product(std::initializer_list<i64> sizes) {
    i64 product = 1;
    for (i64 size : sizes)
        if (size < 0 || __builtin_mul_overflow(product, size, &product))
            fail(ErrorKind::memory, "array of more than 2^63 elements requested");
    return product;
}

} // namespace pyrad
