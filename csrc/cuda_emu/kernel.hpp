// Description of a compiled kernel: its parameters by C++ type, and a way to call it.
#pragma once

#include "base/portable.hpp"
#include "cuda_emu/vector_types.hpp"

#include <type_traits>
#include <utility>

namespace pyrad::emu {

// A type as NumPy's kind letter and item size. Vector types may also be given as an array of
// their components.
struct ElementType {
    char kind; // b i u f c, V for a structure, * for void
    int size;
    char part_kind;
    int part_size;
};

struct Parameter {
    ElementType type;
    bool pointer, writes;
    int size; // of the argument itself
};

struct Kernel {
    const char *name;
    const Parameter *parameters;
    int count;
    void (*call)(void *const *arguments);
};

// What the shared object of one .cu file exports as pyrad_emulated_kernels().
struct KernelTable {
    const Kernel *kernels;
    int count;
    void (*touch_shared)(); // makes this OS thread's copy of the static shared memory exist
};

template <class T> constexpr char kind_of() {
    return std::is_same_v<T, bool>       ? 'b'
           : std::is_floating_point_v<T> ? 'f'
           : !std::is_integral_v<T>      ? 'V'
           : std::is_signed_v<T>         ? 'i'
                                         : 'u';
}

template <class T> struct Element {
    static constexpr ElementType type{kind_of<T>(), sizeof(T), 0, 0};
};
template <> struct Element<void> {
    static constexpr ElementType type{'*', 1, 0, 0};
};
template <class T> struct Element<Complex<T>> {
    static constexpr ElementType type{'c', sizeof(Complex<T>), 0, 0};
};
template <class Vector, class Part> struct VectorElement {
    static constexpr ElementType type{'V', sizeof(Vector), kind_of<Part>(), sizeof(Part)};
};
template <> struct Element<float2> {
    static constexpr ElementType type{'c', 8, 'f', 4};
};
template <> struct Element<double2> {
    static constexpr ElementType type{'c', 16, 'f', 8};
};
template <> struct Element<float3> : VectorElement<float3, float> {};
template <> struct Element<float4> : VectorElement<float4, float> {};
template <> struct Element<double3> : VectorElement<double3, double> {};
template <> struct Element<double4> : VectorElement<double4, double> {};
template <> struct Element<int2> : VectorElement<int2, int> {};
template <> struct Element<int3> : VectorElement<int3, int> {};
template <> struct Element<int4> : VectorElement<int4, int> {};
template <> struct Element<uint2> : VectorElement<uint2, unsigned> {};
template <> struct Element<uint3> : VectorElement<uint3, unsigned> {};
template <> struct Element<uint4> : VectorElement<uint4, unsigned> {};
template <> struct Element<uchar4> : VectorElement<uchar4, unsigned char> {};

template <class A> constexpr Parameter parameter_of() {
    static_assert(std::is_trivially_copyable_v<A>, "kernel arguments are copied bytewise");
    using Target = std::remove_pointer_t<A>;
    return {Element<std::remove_cv_t<Target>>::type, std::is_pointer_v<A>,
            std::is_pointer_v<A> && !std::is_const_v<Target>, sizeof(A)};
}

template <auto function> struct Description;
template <class... A, void (*function)(A...)> struct Description<function> {
    static constexpr Parameter parameters[sizeof...(A) + 1] = {parameter_of<A>()..., {}};

    template <std::size_t... I>
    static void unpack(void *const *arguments, std::index_sequence<I...>) {
        function(*static_cast<const A *>(arguments[I])...);
    }
    static void call(void *const *arguments) { unpack(arguments, std::index_sequence_for<A...>{}); }
    static constexpr Kernel kernel(const char *name) {
        return {name, parameters, sizeof...(A), &call};
    }
};

} // namespace pyrad::emu
