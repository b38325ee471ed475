"""CUDA kernel table: same names and signatures as the compiled ``cpu`` module.

Every launcher takes CuPy arrays (or, under ``select.emulated()``, NumPy arrays that the CPU
emulator runs the same .cu files on).
"""

from __future__ import annotations

from .base import *  # noqa: F403
from .ct import *  # noqa: F403
from .ct_beam_hardening import *  # noqa: F403
from .ct_cone import *  # noqa: F403
from .ct_footprint import *  # noqa: F403
from .ct_joseph3d import *  # noqa: F403
from .ct_preprocess import *  # noqa: F403
from .ct_rings import *  # noqa: F403
from .ct_sinogram_denoising import *  # noqa: F403
from .denoise import *  # noqa: F403
from .denoise_bm4d import *  # noqa: F403
from .denoise_diffusion import *  # noqa: F403
from .denoise_gibbs import *  # noqa: F403
from .denoise_local import *  # noqa: F403
from .denoise_mppca import *  # noqa: F403
from .denoise_nlm import *  # noqa: F403
from .denoise_tv_fields import *  # noqa: F403
from .differences import *  # noqa: F403
from .filters import *  # noqa: F403
from .mr import *  # noqa: F403
from .mr_coils import *  # noqa: F403
from .mr_grappa import *  # noqa: F403
from .mr_masks import *  # noqa: F403
from .mr_sense import *  # noqa: F403
from .mr_subspace import *  # noqa: F403
from .prox import *  # noqa: F403
from .texture import *  # noqa: F403
from .texture_batch import *  # noqa: F403
from .texture_boxes import *  # noqa: F403
from .texture_filters import *  # noqa: F403
from .texture_local import *  # noqa: F403
from .texture_matrices import *  # noqa: F403
from .tgv import *  # noqa: F403
from .wavelet import *  # noqa: F403
