"""From a KSpace to an image: whitening, coil maps, and the chosen method, frame by frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DataError
from .common import Run


def reconstruct(run: Run, scan: Any, options: dict[str, Any]) -> tuple[np.ndarray, str]:
    """All frames of a scan, (frames..., [z,] y, x), and the method that was used."""
    from .. import mr

    if scan.noise is not None:
        run.log("whitening the coils with the noise scan")
        scan = _whitened(mr, scan)
    radial = scan.coordinates is not None
    method = options["method"] or _usual(scan)
    if radial and method in ("sos", "espirit"):
        raise DataError(f"method {method} is for Cartesian k-space; use cg-sense or gridding")
    if not radial and method == "gridding":
        raise DataError("method gridding is for non-Cartesian k-space")
    run.log(f"method {method}")
    frames = list(scan.frames())
    with run.progress("reconstructing", len(frames)) as step:
        images = []
        for _, kspace in frames:
            one = _radial if radial else _cartesian
            images.append(one(mr, scan, kspace.astype(np.complex64), method, options))
            step()
    inner = images[0].shape
    outer = scan.frame_shape if len(scan.frame_shape) + len(inner) <= 4 else (len(frames),)
    return np.stack(images).reshape(*outer, *inner), method


def _usual(scan: Any) -> str:
    if scan.coordinates is not None or scan.mask is not None:
        return "cg-sense"
    return "espirit" if scan.data.shape[0] > 1 else "sos"


def _whitened(mr: Any, scan: Any) -> Any:
    from dataclasses import replace

    return replace(scan, data=mr.prewhiten(scan.data, scan.noise))


def _cartesian(
    mr: Any, scan: Any, kspace: np.ndarray, method: str, options: dict[str, Any]
) -> np.ndarray:
    mask = scan.mask
    axis = scan.header.get("readout_axis")
    full, small = scan.header["matrix"], scan.header["recon_matrix"]
    if axis is not None and small[axis] < full[axis]:
        kspace = _without_oversampling(mr, kspace, axis, small[axis])
        mask = None if mask is None else _thinned(mask, small[axis], axis)
    images = mr.ifft(kspace, axes=tuple(range(1, kspace.ndim)))
    if method == "sos":
        return mr.combine_coils(images)
    maps = mr.espirit(
        kspace, calibration=[min(options["calibration"], n) for n in kspace.shape[1:]]
    )
    if method == "espirit":
        return mr.combine_coils(images, maps)
    return mr.cg_sense(
        kspace,
        maps,
        mask=mask,
        iterations=options["iterations"],
        regularization=_regularization(options, 0.01),
    )


def _radial(
    mr: Any, scan: Any, kspace: np.ndarray, method: str, options: dict[str, Any]
) -> np.ndarray:
    """Coil maps from the centre of k-space, then the chosen method."""
    from ..mr.calibration import calibrate

    shape = scan.header["matrix"]
    size = options["size"]
    if size is not None:
        shape = (size,) * len(shape)
    elif shape is None:
        reach = float(np.max(np.abs(scan.coordinates)))
        shape = (2 * int(np.ceil(reach - 1e-6)),) * scan.coordinates.shape[-1]
    coordinates = scan.coordinates.astype(kspace.real.dtype)
    weights = mr.density_compensation(coordinates, shape)
    if method == "gridding":
        plan = mr.NUFFT(coordinates, shape, coils=kspace.shape[0])
        return mr.combine_coils(plan.adjoint(kspace * weights))
    side = min(options["calibration"], *shape)
    centre = calibrate(kspace, coordinates, shape, size=side)
    maps = mr.espirit(centre, calibration=side)
    return mr.cg_sense(
        kspace,
        maps,
        coordinates=coordinates,
        weights=weights,
        iterations=options["iterations"],
        regularization=_regularization(options, 0.05),
    )


def _regularization(options: dict[str, Any], usual: float) -> float:
    given = options["regularization"]
    return usual if given is None else given


def _without_oversampling(mr: Any, kspace: np.ndarray, axis: int, length: int) -> np.ndarray:
    """The central ``length`` points of the field of view along the readout."""
    full = kspace.shape[axis]
    if full % length == 0:
        return mr.remove_oversampling(kspace, axis=axis, factor=full // length)
    first = full // 2 - length // 2
    inside = np.moveaxis(mr.ifft(kspace, axes=(axis,)), axis, -1)[..., first : first + length]
    return mr.fft(np.moveaxis(inside, -1, axis), axes=(axis,))


def _thinned(mask: np.ndarray, length: int, axis: int) -> np.ndarray:
    """The mask after the readout's oversampling is gone: every line keeps its state."""
    lines = mask.any(axis=axis, keepdims=True)
    shape = list(mask.shape)
    shape[axis] = length
    return np.broadcast_to(lines, shape).copy()
