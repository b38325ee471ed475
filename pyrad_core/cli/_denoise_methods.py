"""The methods of ``pyrad-core denoise``: one entry makes a function of ``denoise`` a method.

Everything else follows from the function's signature: keyword-only arguments are ``--option``s,
``mask`` and ``spacing`` are filled from ``--mask`` and the file's header. Nothing is imported here,
so that ``--help`` stays quick.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["METHODS", "Method"]


@dataclass(frozen=True)
class Method:
    """How the command calls the function of ``pyrad_core.denoise`` that has the entry's name.

    Attributes
    ----------
    says
        A line for the help text.
    from_noise
        Arguments that follow from the noise's standard deviation where they are not given:
        name -> factor. ``--sigma`` is that standard deviation, else it is estimated.
    per_length
        Which of them also grow with the voxel size (weights of derivatives).
    in_voxels
        Lengths that follow from the (smallest) voxel size where they are not given: name -> factor.
    defaults
        Values of arguments that the function wants and the command need not be given.
    dims
        Numbers of dimensions that one call takes. Of larger data each volume (or slice) is a call.
    series
        Four dimensions ``(volume, z, y, x)`` are one call. Without it volumes are, even where the
        function itself goes through volumes: each gets its own noise level, and progress shows.
    outputs
        What the function returns beyond the image, in order; "sigma" is written by
        ``--sigma-output``.
    info
        Attributes of its ``return_info`` to report (the largest of all calls).
    """

    says: str
    from_noise: Mapping[str, float] = field(default_factory=dict)
    per_length: tuple[str, ...] = ()
    in_voxels: Mapping[str, float] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    dims: tuple[int, ...] = (2, 3)
    series: bool = False
    outputs: tuple[str, ...] = ()
    info: tuple[str, ...] = ()

    def levels(self, noise: float, length: float) -> dict[str, float]:
        """The arguments of ``from_noise`` at a noise level and a voxel size."""
        return {
            name: factor * noise * (length if name in self.per_length else 1.0)
            for name, factor in self.from_noise.items()
        }


METHODS: dict[str, Method] = {
    "nlm": Method(
        "non-local means, for Gaussian and Rician noise",
        from_noise={"sigma": 1.0},
    ),
    "tv": Method(
        "total variation: flat regions with sharp edges",
        from_noise={"weight": 1.0},
        per_length=("weight",),
        info=("iterations", "relative_gap"),
    ),
    "tgv": Method(
        "total generalised variation: slopes with sharp edges (option ratio: default two voxels)",
        from_noise={"weight": 1.0},
        per_length=("weight",),
        in_voxels={"ratio": 2.0},
        info=("iterations", "relative_gap"),
    ),
    "wavelet": Method(
        "wavelet shrinkage",
        from_noise={"sigma": 1.0},
    ),
    "bm4d": Method(
        "collaborative filtering of alike blocks: BM3D in images, BM4D in volumes",
        from_noise={"sigma": 1.0},
    ),
    "gibbs": Method(
        "removal of Gibbs ringing; option axes: (-2,-1) for slices, (-3,-2,-1) for volumes",
    ),
    "mppca": Method(
        "principal components of a series (volume, z, y, x), cut off by the Marchenko-Pastur law",
        dims=(4,),
        series=True,
        outputs=("sigma",),
    ),
    "bilateral": Method(
        "bilateral filter: mean of voxels close in space and value",
        from_noise={"sigma_range": 2.5},
    ),
    "anisotropic_diffusion": Method(
        "anisotropic diffusion; option method: gradient, curvature, edge, coherence",
    ),
    "median": Method("median of a window (option size)"),
    "percentile": Method(
        "percentile of a window (options percentile, size)", defaults={"percentile": 50.0}
    ),
    "rank": Method("value of a rank in a window (options rank, size)", defaults={"rank": 13}),
    "gaussian": Method("Gaussian smoothing (sigma in mm)", defaults={"sigma": 1.0}),
}
