"""Every peer, called as its documentation recommends.

Each function does the peer's one-off work (plans, data objects, layout) and returns a callable
without arguments that does one job and returns the answer in our conventions; that callable is
what gets timed. Options that matter for speed are the peer's fastest equivalent ones.
"""

from .bm4d import reference_bm3d, reference_bm4d
from .ct import (
    astra_adjoint,
    astra_fbp,
    astra_forward,
    astra_iterate,
    skimage_iradon,
    skimage_radon,
)
from .denoise import (
    dipy_nlm,
    opencv_nlm,
    pywt_roundtrip,
    pywt_stationary,
    skimage_nlm,
    skimage_tv_chambolle,
    skimage_wavelet,
)
from .features import (
    pyradiomics_class,
    pyradiomics_extractor,
    pyradiomics_glcm,
    pyradiomics_maps,
)
from .filters import (
    itk_log,
    mirp_filter,
    scipy_gabor,
    scipy_gabor_planes,
    scipy_log,
    scipy_riesz,
    scipy_separable,
)
from .flash import flash_class, flash_extractor, flash_maps
from .gibbs import dipy_gibbs, mrdegibbs
from .kspace import bart_homodyne, pygrappa_fill
from .mr import (
    ducc_adjoint,
    ducc_cg_sense,
    ducc_forward,
    finufft_adjoint,
    finufft_forward,
    sigpy_adjoint,
    sigpy_espirit,
    sigpy_forward,
    sigpy_sense,
)
from .mr_priors import bart_pics, bart_subspace, sigpy_tv, sigpy_wavelet
from .mr_sense import bart_sense
from .need import need
from .nyxus import NYXUS_GROUPS, nyxus_group
from .rtk import rtk_adjoint, rtk_fdk, rtk_forward

__all__ = [
    "NYXUS_GROUPS",
    "astra_adjoint",
    "astra_fbp",
    "astra_forward",
    "astra_iterate",
    "bart_homodyne",
    "bart_pics",
    "bart_subspace",
    "bart_sense",
    "dipy_gibbs",
    "ducc_adjoint",
    "ducc_cg_sense",
    "dipy_nlm",
    "ducc_forward",
    "finufft_adjoint",
    "finufft_forward",
    "flash_class",
    "flash_extractor",
    "flash_maps",
    "mrdegibbs",
    "need",
    "opencv_nlm",
    "nyxus_group",
    "pygrappa_fill",
    "pyradiomics_class",
    "pyradiomics_extractor",
    "pyradiomics_glcm",
    "pyradiomics_maps",
    "pywt_roundtrip",
    "pywt_stationary",
    "reference_bm3d",
    "reference_bm4d",
    "rtk_adjoint",
    "rtk_fdk",
    "rtk_forward",
    "sigpy_adjoint",
    "sigpy_espirit",
    "sigpy_forward",
    "sigpy_sense",
    "sigpy_tv",
    "sigpy_wavelet",
    "skimage_iradon",
    "skimage_nlm",
    "skimage_radon",
    "skimage_tv_chambolle",
    "skimage_wavelet",
    "itk_log",
    "mirp_filter",
    "scipy_gabor",
    "scipy_gabor_planes",
    "scipy_log",
    "scipy_riesz",
    "scipy_separable",
]
