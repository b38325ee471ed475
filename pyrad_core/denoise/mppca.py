"""Marchenko-Pastur principal component analysis of image series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._checks import choice, entries, whole
from .._kernels.select import Edge, edge_of
from .._memory import new_array
from ..errors import DataError, ShapeError
from ._common import as_bool, one_axis, result_like

__all__ = ["MPPCAInfo", "mppca"]


@dataclass(frozen=True)
class MPPCAInfo:
    """What :func:`mppca` found beside the image.

    ``rank``: components kept per voxel, (z, y, x), all of them where no noise was found;
    ``window``: the window in voxels, (z, y, x).
    """

    rank: Any
    window: tuple[int, int, int]


def mppca(
    dwi: Any,
    *,
    window: int | Sequence[int] | str = (5, 5, 5),
    mask: Any = None,
    estimator: str = "exp2",
    method: str = "centre",
    stride: int | Sequence[int] = 1,
    shrinkage: str = "hard",
    volume_axis: int = 0,
    return_info: bool = False,
    out: Any = None,
) -> tuple[Any, Any] | tuple[Any, Any, MPPCAInfo]:
    """Denoise a series of images by PCA in local windows; the noise sets the threshold.

    The samples of a window are a matrix X (volumes x voxels) with shorter side r and longer side
    q. Of the eigenvalues l_0 <= l_1 <= ... of X X^H the first c are noise, c being the largest
    number with ::

        l_{c-1} - l_0 < 4 sqrt(g) (l_0 + ... + l_{c-1}) / c

    where g = c / q ("exp1") or c / (q - r + c) ("exp2"): the width of the Marchenko-Pastur law.
    Their mean gives the noise, sigma^2 = (l_0 + ... + l_{c-1}) / (c q), and X is projected onto
    the r - c other components. No mean is removed. Windows at the faces are shifted inwards, not
    mirrored. Denoise before anything that interpolates or smooths.

    Parameters
    ----------
    dwi : array, (volumes, z, y, x) or (volumes, y, x)
        Real or complex; integers become float32. ``volume_axis`` says where the volumes are, e.g.
        -1 for (z, y, x, volumes). At least two volumes. What matters is noise that is equal in all
        volumes and independent from voxel to voxel, not diffusion.
    window : int, one per spatial axis, or "auto"
        Widths in voxels, odd, no larger than the image. "auto": the smallest odd cube with at
        least as many voxels as volumes, cut to the image.
    mask : array of bool, (z, y, x), optional
        Voxels to denoise. Windows use all voxels; outside the mask the image stays as it is and
        sigma is 0.
    estimator : {"exp2", "exp1"}
        Cordero-Grande 2019 (the better one, as it discounts the signal's components) or Veraart
        2016.
    method : {"centre", "average"}
        Each voxel from the window around it, or from all windows that hold it, averaged with
        weights 1 / (1 + rank); variances and ranks are averaged likewise. "average" is smoother
        and takes about twice as long.
    stride : int or one per spatial axis
        Distance between the windows, at most the window. With "centre", voxels between take the
        closest window. Time falls with the product of the strides.
    shrinkage : {"hard", "frobenius"}
        Components above the edge are kept as they are, or shrunk by what minimises the expected
        squared error (Gavish and Donoho 2017).
    volume_axis : int
        Axis of ``dwi`` along which the volumes lie.
    return_info : bool
        Also return an :class:`MPPCAInfo`.
    out : array, optional
        Where to put the denoised series: shape of ``dwi``, dtype of the result, C order; may be
        ``dwi``.

    Returns
    -------
    denoised : array like dwi
    sigma : array, (z, y, x)
        Standard deviation of the noise; for complex samples of either part (MRtrix gives that of
        both together, sqrt(2) times as much). 0 where a window holds no noise, such as a
        background of zeros; there the image is unchanged.

    Raises
    ------
    DataError
        NaN or Inf, an even width, an unknown name.
    ShapeError
        A window larger than the image, a stride larger than the window, a mask or ``out`` of other
        shape.

    Notes
    -----
    "centre" with stride 1 and "exp2" agrees with ``dwidenoise`` of MRtrix 3.0.3 in double
    precision to rounding. Matrices and eigenvalues are worked out in double precision for any
    dtype. Magnitude images of low signal hold Rician noise: see :func:`unbias_rician`.

    References
    ----------
    Veraart et al., NeuroImage 142 (2016) 394, doi:10.1016/j.neuroimage.2016.08.016.
    Cordero-Grande et al., NeuroImage 200 (2019) 391, doi:10.1016/j.neuroimage.2019.06.039.
    Gavish, Donoho, IEEE Trans. Inf. Theory 63 (2017) 2137, doi:10.1109/TIT.2017.2653801.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> rng = np.random.default_rng(0)
    >>> clean = np.exp(-rng.uniform(0, 1, (20, 1, 1, 1))) * np.ones((1, 8, 8, 8))
    >>> dwi = clean + rng.normal(0, 0.1, clean.shape)
    >>> denoised, sigma = prc.denoise.mppca(dwi)
    >>> round(float(np.median(sigma)), 2), round(float(np.std(denoised - clean)), 2)
    (0.1, 0.03)
    """
    edge = edge_of(dwi=dwi, mask=mask)
    xp = edge.xp
    x, flat, volume_axis = _series(edge, volume_axis)
    widths = _window(window, x.shape, flat)
    strides = _strides(stride, widths, flat)
    inside = _mask(edge, x.shape[1:], flat)
    choice("estimator", estimator, ("exp2", "exp1"))
    choice("method", method, ("centre", "average"))
    choice("shrinkage", shrinkage, ("hard", "frobenius"))
    remedy = "denoise in slabs that overlap by the window"
    if out is not None:
        given = x[:, 0] if flat else x
        out = result_like(edge, xp.moveaxis(given, 0, volume_axis), out)
    denoised = new_array(edge, "the denoised series", x.shape, x.dtype, remedy)
    if inside is not None:
        denoised[...] = x
    sigma, rank = xp.zeros(x.shape[1:], x.real.dtype), xp.zeros(x.shape[1:], x.real.dtype)
    windows = [_windows(*sizes) for sizes in zip(x.shape[1:], widths, strides, strict=True)]
    edge.kernels.mppca(
        x,
        widths,
        [origins for origins, _ in windows],
        [owned for _, owned in windows],
        inside,
        estimator == "exp2",
        shrinkage == "frobenius",
        method == "average",
        denoised,
        sigma,
        rank,
    )
    if flat:
        denoised, sigma, rank = denoised[:, 0], sigma[0], rank[0]
    denoised = xp.moveaxis(denoised, 0, volume_axis)
    if out is None:
        out = edge.answer(denoised)
    else:
        out[...] = denoised
    if not return_info:
        return out, edge.answer(sigma)
    return out, edge.answer(sigma), MPPCAInfo(edge.answer(rank), widths)


def _series(edge: Edge, volume_axis: int) -> tuple[Any, bool, int]:
    """The series as (volumes, z, y, x), whether it came without z, and its axis of volumes."""
    data = edge["dwi"]
    flat = data.ndim == 3
    if data.ndim not in (3, 4):
        raise ShapeError(
            f"dwi has shape {data.shape}; expected (volumes, z, y, x) or (volumes, y, x)"
        )
    volume_axis = one_axis("volume_axis", volume_axis, data.ndim, "dwi")
    edge.arrays["dwi"] = edge.xp.moveaxis(data, volume_axis, 0)
    x = edge.complex("dwi") if data.dtype.kind == "c" else edge.real("dwi")
    x = x[:, None] if flat else x
    if x.shape[0] < 2 or 0 in x.shape:
        raise ShapeError(
            f"dwi has shape {data.shape}, volumes along axis {volume_axis}; expected at least two "
            "volumes and no empty axis"
        )
    return x, flat, volume_axis


def _per_axis(name: str, value: Any, flat: bool) -> tuple[int, int, int]:
    dims = 2 if flat else 3
    given = entries(value)
    values = (value,) * dims if given is None else given
    if flat and len(values) == 3:
        values = values[1:]
    if len(values) != dims:
        raise ShapeError(f"{name} has {len(values)} entries, but dwi has {dims} spatial axes")
    whole_values = tuple(whole(name, v, 1) for v in values)
    return (1, *whole_values) if flat else whole_values  # type: ignore[return-value]


def _window(window: Any, shape: Sequence[int], flat: bool) -> tuple[int, int, int]:
    size = tuple(shape[1:])
    if isinstance(window, str):
        choice("window", window, ("auto",))
        width = 3
        while width ** (2 if flat else 3) < shape[0]:
            width += 2
        return tuple(min(width, n - 1 + n % 2) for n in size)  # type: ignore[return-value]
    widths = _per_axis("window", window, flat)
    for width in widths:
        if width % 2 == 0:
            raise DataError(f"window is {window}; expected odd widths, such as {width + 1}")
    if any(w > n for w, n in zip(widths, size, strict=True)):
        fitting = tuple(min(w, n - 1 + n % 2) for w, n in zip(widths, size, strict=True))
        raise ShapeError(
            f"window is {widths}, larger than the image {size}; the largest that fits is {fitting}"
        )
    if max(widths) == 1:
        raise DataError(f"window is {window}; expected more than one voxel")
    return widths


def _strides(stride: Any, widths: Sequence[int], flat: bool) -> tuple[int, int, int]:
    strides = _per_axis("stride", stride, flat)
    if entries(stride) is None:
        strides = tuple(min(s, w) if w == 1 else s for s, w in zip(strides, widths, strict=True))  # type: ignore[assignment]
    if any(s > w for s, w in zip(strides, widths, strict=True)):
        raise ShapeError(f"stride {strides} is larger than the window {tuple(widths)}")
    return strides


def _mask(edge: Any, size: Sequence[int], flat: bool) -> Any:
    if edge.arrays.get("mask") is None:
        return None
    inside = as_bool(edge)
    expected = tuple(size[1:] if flat else size)
    if inside.shape != expected:
        raise ShapeError(f"mask has shape {inside.shape}, but the images of dwi have {expected}")
    return edge.xp.ascontiguousarray(inside).astype(np.uint8).reshape(size)


def _windows(size: int, width: int, stride: int) -> tuple[list[int], list[int]]:
    """First voxels of the windows along one axis, and where the voxels begin that each one owns."""
    last = size - width
    origins = list(range(0, last + 1, stride))
    if origins[-1] != last:
        origins.append(last)
    half = width // 2
    owned = [0]
    for before, after in zip(origins[:-1], origins[1:], strict=True):
        owned.append((before + after) // 2 + half + 1)  # the middle between the centres, and on
    return origins, [*owned, size]
