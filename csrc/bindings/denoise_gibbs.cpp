#include "bindings/bind.hpp"
#include "bindings/complex.hpp"

#include "denoise/gibbs.hpp"

namespace pyrad::bind {
namespace {

double *reals_of(double *p) { return p; }
double *reals_of(std::complex<double> *p) { return reals(p); }

template <class Sample> void def_lines(py::module_ &m, bool joint) {
    m.def(
        "gibbs_lines",
        [joint](Array<Sample> &lines, int shifts, int near, int far, bool single) {
            auto x = output<3>(lines, "lines");
            if (shifts < 1 || near < 0 || far < near)
                fail(ErrorKind::data, "shifts ", shifts, " and window ", near, " to ", far,
                     " are no search");
            run([&] {
                gibbs::unring_lines(reals_of(x.data), x.shape[0], x.shape[1], x.shape[2], single,
                                    {shifts, near, far, joint});
            });
        },
        exact("lines"), "shifts"_a, "near"_a, "far"_a, "single"_a,
        "Unrings lines along the middle axis in place; single: to single precision.");
}

} // namespace

void bind_denoise_gibbs(py::module_ &m) {
    def_lines<double>(m, false);
    def_lines<std::complex<double>>(m, true);
}

} // namespace pyrad::bind
