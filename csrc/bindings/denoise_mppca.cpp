#include "bindings/bind.hpp"
#include "bindings/complex.hpp"

#include "denoise/mppca.hpp"

#include <optional>
#include <type_traits>

namespace pyrad::bind {
namespace {

using List = std::vector<i64>;

mppca::Axis window_axis(int d, i64 size, i64 width, const List &origins, const List &owned) {
    const i64 count = static_cast<i64>(origins.size());
    bool good = width >= 1 && width <= size && count >= 1 &&
                static_cast<i64>(owned.size()) == count + 1 && owned[0] == 0 &&
                owned[count] == size;
    for (i64 k = 0; good && k < count; ++k)
        good = origins[k] >= 0 && origins[k] <= size - width && owned[k] < owned[k + 1] &&
               owned[k] >= origins[k] && owned[k + 1] <= origins[k] + width &&
               (k == 0 || origins[k] > origins[k - 1]);
    if (!good)
        fail(ErrorKind::shape, "windows of width ", width, " do not cover axis ", d, " of length ",
             size);
    return {size, width, count, origins.data(), owned.data()};
}

template <class T, class Sample> void def_mppca(py::module_ &m) {
    m.def(
        "mppca",
        [](const Array<Sample> &dwi, const std::array<i64, 3> &window,
           const std::array<List, 3> &origins, const std::array<List, 3> &owned,
           const std::optional<Array<u8>> &mask, bool exp2, bool shrinkage, bool average,
           Array<Sample> &out, Array<T> &sigma, Array<T> &rank) {
            const auto size = shape_of<4>(dwi, "dwi");
            const std::array<i64, 3> image{size[1], size[2], size[3]};
            require_shape<4>(output<4>(out, "out").shape, size, "out");
            require_shape<3>(output<3>(sigma, "sigma").shape, image, "sigma");
            require_shape<3>(output<3>(rank, "rank").shape, image, "rank");
            if (mask)
                require_shape<3>(shape_of<3>(*mask, "mask"), image, "mask");
            if (size[0] < 1 || size[0] > 1 << 20)
                fail(ErrorKind::shape, "dwi has ", size[0], " volumes");
            constexpr int parts = std::is_same_v<T, Sample> ? 1 : 2;
            mppca::Series<T> series{reinterpret_cast<const T *>(dwi.data()),
                                    static_cast<int>(size[0]),
                                    parts,
                                    {},
                                    mask ? mask->data() : nullptr};
            for (int d = 0; d < 3; ++d)
                series.axis[d] = window_axis(d, image[d], window[d], origins[d], owned[d]);
            const i64 voxels = series.window();
            const mppca::Rule rule{static_cast<double>(std::max(size[0], voxels)), exp2, shrinkage};
            const mppca::Maps<T> maps{reinterpret_cast<T *>(out.mutable_data()),
                                      sigma.mutable_data(), rank.mutable_data()};
            run([&] {
                if (average)
                    mppca::by_average(series, rule, maps);
                else
                    mppca::by_centre(series, rule, maps);
            });
        },
        exact("dwi"), "window"_a, "origins"_a, "owned"_a, exact("mask"), "exp2"_a, "shrinkage"_a,
        "average"_a, exact("out"), exact("sigma"), exact("rank"),
        "MPPCA of a series (volumes, z, y, x); windows by their origins and the voxels they own.");
}

} // namespace

void bind_denoise_mppca(py::module_ &m) {
    def_mppca<float, float>(m);
    def_mppca<double, double>(m);
    def_mppca<float, std::complex<float>>(m);
    def_mppca<double, std::complex<double>>(m);
}

} // namespace pyrad::bind
