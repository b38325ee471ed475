#include "bindings/bind.hpp"

#include "mr/darts.hpp"

namespace pyrad::bind {

void bind_mr_masks(py::module_ &m) {
    m.def(
        "throw_darts",
        [](const Array<i64> &order, const Array<i64> &limits, Array<u8> &mask) {
            auto out = output<2>(mask, "mask");
            const auto by = input<1>(order, "order");
            const auto far = input<2>(limits, "limits");
            const i64 ny = out.shape[0], nx = out.shape[1];
            require_shape<2>(far.shape, {ny, nx}, "limits");
            for (i64 i = 0; i < by.shape[0]; ++i)
                if (by.data[i] < 0 || by.data[i] >= ny * nx)
                    fail(ErrorKind::shape, "order holds ", by.data[i], ", but mask has ", ny * nx,
                         " pixels");
            i64 taken = 0;
            run([&] { taken = throw_darts(by.data, by.shape[0], far.data, ny, nx, out.data); });
            return taken;
        },
        exact("order"), exact("limits"), exact("mask"),
        "Pixels of mask (ny, nx) taken in order unless an earlier one is nearer than the root of "
        "its limit; returns how many are 1.");
}

} // namespace pyrad::bind
