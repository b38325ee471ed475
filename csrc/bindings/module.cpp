// pyrad_core._kernels.cpu: one bind_<concept>() per binding file.
#include "bindings/bind.hpp"

namespace pyrad::bind {
void bind_denoise_mppca(py::module_ &m);
void bind_denoise_nlm(py::module_ &m);
void bind_denoise_tv_fields(py::module_ &m);
void bind_denoise_diffusion(py::module_ &m);
void bind_denoise_local(py::module_ &m);
} // namespace pyrad::bind

PYBIND11_MODULE(cpu, m, py::mod_gil_not_used()) {
    m.doc() = "Compiled CPU kernels. Signatures are those of pyrad_core._kernels.cuda.";
    pyrad::bind::bind_base(m);
    pyrad::bind::bind_ct(m);
    pyrad::bind::bind_mr(m);
    pyrad::bind::bind_denoise(m);
    pyrad::bind::bind_denoise_mppca(m);
    pyrad::bind::bind_denoise_tv_fields(m);
    pyrad::bind::bind_denoise_diffusion(m);
    pyrad::bind::bind_denoise_local(m);
    pyrad::bind::bind_denoise_nlm(m);
    pyrad::bind::bind_differences(m);
    pyrad::bind::bind_filters(m);
    pyrad::bind::bind_prox(m);
    pyrad::bind::bind_wavelet(m);
    pyrad::bind::bind_texture(m);
}
