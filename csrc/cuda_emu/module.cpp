// Python module `emulator`: launch(source, kernel, grid, block, args, shared, order).
//
// Arguments are what CuPy takes for a RawKernel, but checked: CuPy would hand over a wrong type's
// bytes silently, here every array and scalar must be of the parameter's exact type.
#include "bindings/bind.hpp"
#include "cuda_emu/scheduler.hpp"

#include <dlfcn.h>
#include <map>
#include <mutex>
#include <vector>

namespace pyrad::emu {
namespace {

KernelTable table_of(const std::string &source) {
    static std::mutex mutex;
    static std::map<std::string, KernelTable> loaded;
    std::lock_guard<std::mutex> lock(mutex);
    if (const auto found = loaded.find(source); found != loaded.end())
        return found->second;
    Dl_info here;
    dladdr(reinterpret_cast<void *>(&run_grid), &here);
    std::string path = here.dli_fname, stem = source.substr(0, source.rfind(".cu"));
    for (char &c : stem)
        if (c == '/' || c == '.')
            c = '_';
    path = path.substr(0, path.rfind('/')) + "/kernels/" + stem + ".so";
    void *plugin = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!plugin)
        throw EmulatorError("csrc/" + source + " is not part of the emulator build: " + dlerror());
    const auto table = reinterpret_cast<KernelTable (*)()>(dlsym(plugin, "pyrad_emulated_kernels"));
    return loaded[source] = table();
}

const Kernel &find(const KernelTable &table, const std::string &source, const std::string &name) {
    std::string known;
    for (int k = 0; k < table.count; ++k) {
        if (table.kernels[k].name == name)
            return table.kernels[k];
        known += (k ? ", " : "") + std::string(table.kernels[k].name);
    }
    throw EmulatorError("no kernel " + name + " in " + source + "; found by their literal " +
                        "PYRAD_KERNEL(name): " + known);
}

std::string type_name(char kind, int size) {
    switch (kind) {
    case 'b':
        return "bool";
    case 'i':
        return "int" + std::to_string(8 * size);
    case 'u':
        return "uint" + std::to_string(8 * size);
    case 'f':
        return "float" + std::to_string(8 * size);
    case 'c':
        return "complex" + std::to_string(8 * size);
    case '*':
        return "any type";
    default:
        return "a structure of " + std::to_string(size) + " bytes";
    }
}

std::string type_name(const ElementType &type) {
    const std::string whole = type_name(type.kind, type.size);
    return type.part_kind ? whole + " or " + type_name(type.part_kind, type.part_size) : whole;
}

bool agrees(const py::dtype &dtype, const ElementType &type) {
    const char order = dtype.byteorder();
    if (order != '=' && order != '|' && order != '<')
        return false;
    const char kind = dtype.kind();
    const int size = static_cast<int>(dtype.itemsize());
    return type.kind == '*' || (kind == type.kind && size == type.size) ||
           (type.part_kind == kind && type.part_size == size);
}

class Arguments {
  public:
    Arguments(const Kernel &kernel, const py::sequence &given) : kernel_(kernel) {
        if (static_cast<int>(given.size()) != kernel.count)
            throw py::type_error(std::string(kernel.name) + " takes " +
                                 std::to_string(kernel.count) + " arguments, got " +
                                 std::to_string(given.size()));
        values_.resize(given.size());
        for (position_ = 0; position_ < kernel.count; ++position_) {
            const Parameter &parameter = kernel.parameters[position_];
            const py::object argument = given[position_];
            values_[position_].resize(parameter.size);
            if (parameter.pointer)
                take_array(argument, parameter);
            else
                take_scalar(argument, parameter);
        }
        for (auto &value : values_)
            pointers_.push_back(value.data());
    }

    void *const *data() const { return pointers_.data(); }

  private:
    [[noreturn]] void refuse(const std::string &expected, const std::string &got) const {
        throw py::type_error(std::string(kernel_.name) + ": argument " + std::to_string(position_) +
                             " must be " + expected + ", got " + got);
    }

    static std::string describe(const py::object &x) {
        const std::string kind = py::str(py::type::of(x).attr("__name__"));
        return py::hasattr(x, "dtype") ? kind + " of " + std::string(py::str(x.attr("dtype")))
                                       : kind;
    }

    void take_array(const py::object &given, const Parameter &parameter) {
        void *data = nullptr;
        if (!given.is_none()) {
            const std::string expected = "a C-contiguous array of " + type_name(parameter.type);
            if (!py::isinstance<py::array>(given))
                refuse(expected, describe(given));
            const auto array = py::reinterpret_borrow<py::array>(given);
            if (!agrees(array.dtype(), parameter.type))
                refuse(expected, describe(given));
            if (!(array.flags() & py::array::c_style))
                refuse(expected, "an array with other strides");
            if (parameter.writes && !array.writeable())
                refuse("writeable", "a read-only array");
            data = const_cast<void *>(array.data());
        }
        std::memcpy(values_[position_].data(), &data, sizeof data);
    }

    void take_scalar(const py::object &given, const Parameter &parameter) {
        static const py::object generic = py::module_::import("numpy").attr("generic");
        const std::string expected = "a NumPy scalar of " + type_name(parameter.type);
        if (!py::isinstance(given, generic))
            refuse(expected, describe(given));
        const auto array = py::array::ensure(given);
        if (!agrees(array.dtype(), parameter.type) || array.nbytes() != parameter.size)
            refuse(expected, describe(given));
        std::memcpy(values_[position_].data(), array.data(), parameter.size);
    }

    const Kernel &kernel_;
    int position_ = 0;
    std::vector<std::vector<unsigned char>> values_;
    std::vector<void *> pointers_;
};

dim3 dimensions(const py::tuple &given) {
    unsigned int size[3] = {1, 1, 1};
    if (given.size() < 1 || given.size() > 3)
        throw py::type_error("grid and block are tuples of 1 to 3 integers");
    for (std::size_t d = 0; d < given.size(); ++d)
        size[d] = given[d].cast<unsigned int>();
    return {size[0], size[1], size[2]};
}

void launch(const std::string &source, const std::string &name, const py::tuple &grid,
            const py::tuple &block, const py::sequence &args, std::size_t shared,
            const std::string &order) {
    const KernelTable table = table_of(source);
    const Kernel &kernel = find(table, source, name);
    const Arguments arguments(kernel, args);
    if (order != "forward" && order != "reverse" && order != "alternate")
        throw py::value_error("order is '" + order + "'; accepted: forward, reverse, alternate");
    const Launch what{&kernel,
                      arguments.data(),
                      dimensions(grid),
                      dimensions(block),
                      shared,
                      order == "forward"   ? Order::forward
                      : order == "reverse" ? Order::reverse
                                           : Order::alternate,
                      table.touch_shared};
    bind::run([&] { run_grid(what); });
}

std::vector<std::string> kernels(const std::string &source) {
    const KernelTable table = table_of(source);
    std::vector<std::string> names;
    for (int k = 0; k < table.count; ++k)
        names.push_back(table.kernels[k].name);
    return names;
}

} // namespace
} // namespace pyrad::emu

PYBIND11_MODULE(emulator, m) {
    using namespace pyrad;
    m.doc() = "Runs the CUDA kernels of csrc on the CPU.";
    py::register_exception<emu::EmulatorError>(m, "EmulatorError", PyExc_RuntimeError);
    m.def("launch", &emu::launch, "source"_a, "kernel"_a, "grid"_a, "block"_a, "args"_a,
          "shared"_a = 0, "order"_a = "alternate");
    m.def("kernels", &emu::kernels, "source"_a, "Names of the kernels of one .cu file.");
    m.def("set_num_threads", &set_num_threads, "count"_a);
    m.def("num_threads", &num_threads);
}
