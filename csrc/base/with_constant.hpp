// From a number known at run time to a template argument.
#pragma once

#include <type_traits>

namespace pyrad {

// Calls work(std::integral_constant<int, N>{}) with N = value where that is one of Choices, else
// with N = Otherwise.
template <int Otherwise, int... Choices, class Work>
void with_constant(int value, const Work &work) {
    const bool found =
        ((value == Choices && (work(std::integral_constant<int, Choices>{}), true)) || ...);
    if (!found)
        work(std::integral_constant<int, Otherwise>{});
}

} // namespace pyrad
