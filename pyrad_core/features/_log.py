"""Laplacian of Gaussian, by ITK's recursive filters or by IBSI's truncated ones.

Recursive: fourth order (csrc/texture/recursive_filter.hpp), coefficients of Farneback & Westin,
J. Math. Imaging Vis. 26 (2006) 293, doi:10.1007/s10851-006-8464-z, applied in ITK's order with
single-precision images in between, so that values are those of ITK's
LaplacianRecursiveGaussianImageFilter with normalisation across scale: sigma^2 times the Laplacian.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import _checks
from ..errors import DataError, PyradWarning
from .filtering import Source

__all__ = ["log", "recursive_coefficients"]

_REACH = 16  # sigmas after which the recursive filters' answers are below 1e-9
_BOUNDARIES = ("constant", "nearest", "wrap", "reflect", "mirror")
# Two damped oscillations: amplitudes (cosine, sine) per order 0, 1, 2, frequency, decay.
_WAVES = (
    ((1.3530, -0.6724, -1.3563), (1.8151, -3.4327, 5.2318), 0.6681, -1.3932),
    ((-0.3531, 0.6724, 0.3446), (0.0902, 0.6100, -2.2355), 2.0787, -1.3732),
)


def log(
    source: Source,
    sigma: Any = (),
    definition: str | None = None,
    truncate: float = 4.0,
    boundary: str = "mirror",
) -> Iterator[tuple[str, Any]]:
    """One image per sigma (mm).

    ``definition``: "itk" (PyRadiomics') or "ibsi" (kernels cut at ``truncate`` sigma, ``boundary``
    as :func:`scipy.ndimage.gaussian_laplace` names it, in voxel units); by the conventions if None.
    """
    sigmas = sigma if isinstance(sigma, (tuple, list)) else (sigma,)
    if not sigmas:
        raise DataError("the filter log needs sigma, a list of filter widths in mm")
    definition = definition or ("itk" if source.settings.conventions == "pyradiomics" else "ibsi")
    _checks.choice("definition", definition, ("itk", "ibsi"))
    _checks.choice("boundary", boundary, _BOUNDARIES)
    spacing = source.millimetres("log")
    for given in sigmas:
        width = _checks.positive("sigma", given)
        name = f"log-sigma-{str(given).replace('.', '-')}-mm-3D"  # 1 and 1.0 as they are written
        if definition == "ibsi":
            name = name.replace("3D", "2D") if source.by_slice else name
            yield name, _truncated(source, width, spacing, float(truncate), boundary)
        elif _fits(source.image.shape, width, spacing):
            yield name, _recursive(source, width, spacing)


def _fits(shape: Any, sigma: float, spacing: Any) -> bool:
    """PyRadiomics leaves out what ITK cannot filter, with a warning."""
    import warnings

    small = min(shape) < 4
    if not small and all(n >= np.ceil(sigma / s) + 1 for n, s in zip(shape, spacing, strict=True)):
        return True
    warnings.warn(
        f"no features of log with sigma {sigma:g} mm: the image of {tuple(shape)} voxels is too "
        "small (4 voxels and sigma / spacing + 1 are needed along each axis)",
        PyradWarning,
        stacklevel=2,
    )
    return False


def _recursive(source: Source, sigma: float, spacing: tuple[float, float, float]) -> Any:
    z, y, x = (int(_REACH * sigma / step) + 8 for step in spacing)
    data, cut = source.wide((z, y, x))
    xp = source.xp
    data = xp.ascontiguousarray(data)
    total = xp.zeros(tuple(part.stop - part.start for part in cut), np.float32)
    for axis in (2, 1, 0):  # ITK's order: x first
        part = data
        for d in (axis, *(d for d in (2, 1, 0) if d != axis)):
            order = 2 if d == axis else 0
            coefficients = recursive_coefficients(sigma / spacing[d], order)
            if order:
                coefficients[:8] *= sigma**2
            inner = tuple(cut[d] if other == d else slice(None) for other in range(3))
            part = xp.ascontiguousarray(_along(source, part, d, coefficients)[inner])
        total = (total + part.astype(np.float64) / spacing[axis] ** 2).astype(np.float32)
    return total


def _along(source: Source, image: Any, axis: int, coefficients: np.ndarray) -> Any:
    shape = image.shape
    lines = (int(np.prod(shape[:axis])), shape[axis], int(np.prod(shape[axis + 1 :])))
    out = source.xp.empty(lines, np.float32)
    source.kernels.recursive_filter(image.reshape(lines), coefficients.tolist(), out)
    return out.reshape(shape)


def recursive_coefficients(sigma: float, order: int) -> np.ndarray:
    """(12,) forward, backward and feedback coefficients for a Gaussian (order 0) of ``sigma``
    voxels, or its second derivative (2), normalised to moments 1 and 2."""
    (_, _, w1, l1), (_, _, w2, l2) = _WAVES
    c1, c2, s1, s2 = (f(w / sigma) for f in (np.cos, np.sin) for w in (w1, w2))
    e1, e2 = np.exp(l1 / sigma), np.exp(l2 / sigma)

    def forward(k: int) -> np.ndarray:
        (a1, b1), (a2, b2) = ((wave[0][k], wave[1][k]) for wave in _WAVES)
        return np.array(
            [
                a1 + a2,
                e2 * (b2 * s2 - (a2 + 2 * a1) * c2) + e1 * (b1 * s1 - (a1 + 2 * a2) * c1),
                2 * e1 * e2 * ((a1 + a2) * c2 * c1 - b1 * c2 * s1 - b2 * c1 * s2)
                + a2 * e1 * e1
                + a1 * e2 * e2,
                e2 * e1 * e1 * (b2 * s2 - a2 * c2) + e1 * e2 * e2 * (b1 * s1 - a1 * c1),
            ]
        )

    d = np.array(
        [
            -2 * (e2 * c2 + e1 * c1),
            4 * c2 * c1 * e1 * e2 + e1 * e1 + e2 * e2,
            -2 * c1 * e1 * e2 * e2 - 2 * c2 * e2 * e1 * e1,
            e1 * e1 * e2 * e2,
        ]
    )
    j = np.arange(1, 5)
    sd, dd, ed = 1 + d.sum(), (j * d).sum(), (j * j * d).sum()
    if order == 0:
        n = forward(0)
        n = n / (2 * n.sum() / sd - n[0])
    else:
        n0, n2 = forward(0), forward(2)
        beta = -(2 * n2.sum() - sd * n2[0]) / (2 * n0.sum() - sd * n0[0])
        n = n2 + beta * n0
        j = np.arange(4)
        sn, dn, en = n.sum(), (j * n).sum(), (j * j * n).sum()
        n = n / ((en * sd**2 - ed * sn * sd - 2 * dn * dd * sd + 2 * dd**2 * sn) / sd**3)
    m = np.array([n[1] - d[0] * n[0], n[2] - d[1] * n[0], n[3] - d[2] * n[0], -d[3] * n[0]])
    return np.concatenate([n, m, d])


def _truncated(
    source: Source, sigma: float, spacing: tuple[float, float, float], truncate: float, mode: str
) -> Any:
    """IBSI's: sums of sampled second derivatives, in voxel units, truncated at so many sigma."""
    if source.xp is np:
        from scipy.ndimage import gaussian_filter
    else:
        from cupyx.scipy.ndimage import gaussian_filter
    axes = [d for d in range(3) if not (source.by_slice and d == source.settings.slice_axis)]
    axes = [d for d in axes if not (source.flat and d == 0)]
    widths = [sigma / spacing[d] if d in axes else 0.0 for d in range(3)]
    data = source.image.astype(np.float64)
    cut = source.window
    if mode != "wrap":
        z, y, x = (int(truncate * w + 0.5) + 1 for w in widths)
        data, cut = source.wide((z, y, x))
        data = data.astype(np.float64)
    total: Any = 0.0
    for axis in axes:
        order = [2 if d == axis else 0 for d in range(3)]
        total = total + gaussian_filter(data, widths, order=order, mode=mode, truncate=truncate)
    return total[cut]
