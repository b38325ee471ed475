"""Metal artefact reduction: the metal's trace in the projections is inpainted."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import choice, number, positive, same_shape
from .._kernels.select import Edge, edge_of
from ..errors import DataError
from ..geometry import Beam, Volume
from ._analytic import reconstruct
from ._bad_pixels import host
from .projector import Projector

__all__ = ["reduce_metal"]

METHODS = ("nmar", "li")
_BINS = 256
_THIN = 0.02  # of the longest line integral of the prior: less is no tissue to normalise by


def reduce_metal(
    projections: Any,
    geometry: Beam,
    volume: Volume,
    *,
    threshold: float | None = None,
    metal: Any = None,
    method: str = "nmar",
    classes: tuple[float, float] | None = None,
    image: Any = None,
    return_metal: bool = False,
) -> Any:
    """Projections with what lies behind metal replaced by an estimate without metal.

    Metal is segmented in a first reconstruction, its mask is projected, and the readings of the
    rays through it (its trace) are replaced row by row:

    - ``"li"``: by linear interpolation between the readings beside the trace.
    - ``"nmar"``: the projections are first divided by those of a prior image, made from the
      reconstruction after "li": air, one value for soft tissue, and bone as it is. What is
      interpolated is then nearly flat, so that edges behind the metal survive.

    Parameters
    ----------
    projections : array, shape ``geometry.projection_shape``
        Line integrals; float32 or float64, integers become float32.
    geometry, volume : Beam, Volume
        The scan, and the grid of the first reconstruction; it must hold all the metal, and for
        "nmar" the whole object.
    threshold : float
        Attenuation in 1/mm from which a voxel of the first reconstruction is metal.
    metal : array of bool, shape ``volume.shape``
        The metal itself, instead of a threshold.
    method : {"nmar", "li"}
    classes : (float, float), optional
        For "nmar": attenuation in 1/mm below which a voxel of the prior is air, and above which
        it is bone. By default those that best part the image's histogram into three (Otsu).
    image : array, shape ``volume.shape``, optional
        The first reconstruction, if there is one; FBP or FDK by default.
    return_metal : bool
        Also return the metal to put back.

    Returns
    -------
    projections : array, shape and precision of ``projections``
        Reconstructed, they give the object with soft tissue in the metal's place.
    metal : array, shape ``volume.shape``
        With ``return_metal``: attenuation of the metal voxels in the first reconstruction, 0
        elsewhere. ``xp.where(metal > 0, metal, fbp(corrected, ...))`` puts it back.

    Raises
    ------
    ShapeError
        Projections, mask or image that do not match.
    DataError
        NaN or Inf; neither threshold nor metal, or both; no voxel is metal; every ray of a view
        runs through it; classes that are not air < bone.
    GeometryError
        The volume does not fit the geometry.

    References
    ----------
    W. A. Kalender, R. Hebel, J. Ebersberger, Radiology 164, 576, 1987,
    doi:10.1148/radiology.164.2.3602406 (linear interpolation).
    E. Meyer et al., Med. Phys. 37, 5482, 2010, doi:10.1118/1.3484090 (normalised).

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> scan, grid = prc.ParallelBeam(np.arange(90) * np.pi / 90, 64), prc.Volume((48, 48))
    >>> body = prc.phantom.Ellipsoids([[0.02, 20, 20, 0, 0, 0], [0.5, 2, 2, 8, 0, 0]])
    >>> clean = reduce_metal(body.project(scan), scan, grid, threshold=0.2)
    >>> bool(clean.max() < 1)
    True
    """
    choice("method", method, METHODS)
    edge = edge_of(projections=projections, metal=metal, image=image)
    same_shape("projections", edge["projections"].shape, "geometry", geometry.projection_shape)
    lines = edge.real("projections")
    if (threshold is None) == (metal is None):
        raise DataError("give either threshold or metal")
    first = _first_image(edge, lines, geometry, volume)
    mask = _metal_mask(edge, first, volume, threshold)
    projector = Projector(geometry, volume)
    trace = projector.forward(mask.astype(lines.dtype)) > 1e-6 * min(volume.spacing)
    _check_trace(edge, trace)
    corrected = _fill(edge, lines, trace)
    if method == "nmar":
        prior = _prior(edge, reconstruct(corrected, geometry, volume), mask, classes)
        shadow = projector.forward(prior)
        shadow = edge.xp.maximum(shadow, _THIN * float(shadow.max()))
        if not float(shadow.max()) > 0:
            raise DataError("classes leave no tissue in the prior; lower the first one")
        filled = _fill(edge, lines / shadow, trace) * shadow
        corrected = edge.xp.where(trace, filled, lines)
    if not return_metal:
        return edge.answer(corrected)
    return edge.answer(corrected), edge.answer(edge.xp.where(mask, first, 0).astype(lines.dtype))


def _first_image(edge: Edge, lines: Any, geometry: Beam, volume: Volume) -> Any:
    if "image" not in edge.arrays:
        return reconstruct(lines, geometry, volume)
    same_shape("image", edge["image"].shape, "volume", volume.shape)
    return edge.real("image", dtype=lines.dtype)


def _metal_mask(edge: Edge, first: Any, volume: Volume, threshold: float | None) -> Any:
    if threshold is not None:
        limit = positive("threshold", threshold)
        mask = first >= limit
        if not bool(mask.any()):
            raise DataError(
                f"threshold is {limit:g} 1/mm, but the image reaches {float(first.max()):g}; no "
                "voxel is metal"
            )
        return mask
    given = edge["metal"]
    same_shape("metal", given.shape, "volume", volume.shape)
    if given.dtype.kind not in "biu":
        raise DataError(f"metal has dtype {given.dtype}; expected bool or integers")
    mask = edge.xp.ascontiguousarray(given != 0)
    if not bool(mask.any()):
        raise DataError("metal marks no voxel")
    return mask


def _check_trace(edge: Edge, trace: Any) -> None:
    lost = trace.all(axis=-1)
    if bool(lost.any()):
        at = tuple(int(i) for i in edge.xp.argwhere(lost)[0])
        raise DataError(
            f"{int(lost.sum())} detector rows see metal in every column, the first at index {at}; "
            "nothing to interpolate from"
        )


def _fill(edge: Edge, lines: Any, trace: Any) -> Any:
    columns = lines.shape[-1]
    filled = edge.xp.empty_like(lines)
    edge.kernels.fill_rows(
        edge.xp.ascontiguousarray(lines).reshape(-1, columns),
        trace.astype("uint8").reshape(-1, columns),
        filled.reshape(-1, columns),
    )
    return filled


def _prior(edge: Edge, image: Any, mask: Any, classes: Any) -> Any:
    """Air 0, soft tissue its mean, bone as it is; metal becomes soft tissue."""
    air, bone = _three_classes(host(image)) if classes is None else _limits(classes)
    soft = (image >= air) & (image < bone) & ~mask
    if not bool(soft.any()):
        raise DataError(f"no voxel lies between the classes {air:g} and {bone:g} 1/mm")
    tissue = image[soft].mean(dtype="float64").astype(image.dtype)
    prior = edge.xp.where(image >= bone, image, tissue)
    prior = edge.xp.where(image < air, 0, prior)
    return edge.xp.where(mask, tissue, prior).astype(image.dtype)


def _limits(classes: Any) -> tuple[float, float]:
    try:
        air, bone = (number("classes", value) for value in classes)
    except (TypeError, ValueError):
        raise DataError(f"classes is {classes!r}; expected (air, bone) in 1/mm") from None
    if air >= bone:
        raise DataError(f"classes is {classes!r}; expected air < bone")
    return air, bone


def _three_classes(image: np.ndarray) -> tuple[float, float]:
    """The two limits that maximise the variance between three classes (Otsu)."""
    low, high = np.percentile(image, (0.1, 99.95))
    if not high > low:
        raise DataError("the image is constant; give classes")
    counts, edges = np.histogram(np.clip(image, low, high), _BINS, (low, high))
    centres = 0.5 * (edges[1:] + edges[:-1])
    number_below = np.r_[0, np.cumsum(counts)].astype(np.float64)
    sum_below = np.r_[0, np.cumsum(counts * centres)]

    def share(begin: Any, end: Any) -> Any:
        count = number_below[end] - number_below[begin]
        return (sum_below[end] - sum_below[begin]) ** 2 / np.maximum(count, 1)

    i, j = np.triu_indices(_BINS - 1, 1)
    i, j = i + 1, j + 1
    zero, last = np.zeros_like(i), np.full_like(i, _BINS)
    best = int(np.argmax(share(zero, i) + share(i, j) + share(j, last)))
    return float(edges[i[best]]), float(edges[j[best]])
