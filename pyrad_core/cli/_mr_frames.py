"""Preparing the frames of ``recon mr``: EPI corrections, field of view, calibration, final grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import click
import numpy as np

from .. import mr
from ._mr_methods import Frame, sampled_box
from .common import Run

_FRAME_KEYS = ("slice", "contrast", "phase", "repetition", "set")


def cleaned(run: Run, scan: Any, options: Mapping[str, Any]) -> Any:
    """The scan with evenly spaced readouts and corrected trajectories."""
    ramp = scan.header.get("ramp")
    if ramp is not None:
        run.log("regridding samples on the readout's ramps")
        shift = float(scan.header.get("readout_shift", 0.0))
        width = int(scan.header["matrix"][-1])

        def even(samples: np.ndarray) -> np.ndarray:
            k = mr.ramp_positions(samples.shape[-1], **ramp) * (width / samples.shape[-1])
            return mr.regrid_readout(samples, k, samples=width, shift=shift)

        header = dict(scan.header)
        records = header.get("navigators") or []
        if records:
            together = even(np.stack([record["samples"] for record in records]))
            header["navigators"] = [
                {**record, "samples": samples}
                for record, samples in zip(records, together, strict=True)
            ]
        if "calibration_kspace" in header:
            header["calibration_kspace"] = even(header["calibration_kspace"])
        mask = scan.mask
        if mask is not None:
            mask = _lines_of(mask, (*mask.shape[:-1], width), -1)
        scan = replace(scan, data=even(scan.data), mask=mask, header=header)
    if options["gradient_delay"]:
        scan = _without_delays(run, scan)
    ghost = _ghost(scan, options["ghost"])
    if ghost != "none":
        run.log(f"removing the Nyquist ghost ({ghost})")
        scan = _without_ghost(scan, ghost, options["ghost_order"])
    return scan


def _ghost(scan: Any, asked: str) -> str:
    """How to correct; auto takes the navigators, and the image too where it is fully sampled."""
    if scan.header.get("reflected") is None:
        if asked not in ("auto", "none"):
            raise click.UsageError("--ghost is for EPI; no line of this scan was read backwards")
        return "none"
    if asked != "auto":
        return asked
    whole = scan.mask is None
    if scan.header.get("navigators"):
        return "both" if whole else "navigator"
    return "entropy" if whole else "none"


def _without_ghost(scan: Any, method: str, order: int) -> Any:
    """Every frame by its own navigators; what entropy adds is found once per slice."""
    records = scan.header.get("navigators") or []
    names = [n for n in scan.axes if n in _FRAME_KEYS]
    reflected = scan.header["reflected"]
    beside: dict[int, np.ndarray] = {}
    data = np.empty_like(scan.data)
    for index, frame in scan.frames():
        kspace = np.ascontiguousarray(frame)
        where = dict(zip(names, index, strict=True))
        number = where.get("slice", 0)
        phase: Any = 0.0
        if method != "entropy":
            mine = _navigators_of(records, where)
            phase = mr.epi_phase(kspace, mine, reflected=reflected, order=order, per_coil=True)
        if method == "entropy" and number not in beside:
            beside[number] = mr.epi_phase(kspace, reflected=reflected, method="entropy")
        elif method == "both" and number not in beside:
            whole = mr.epi_phase(
                kspace, mine, reflected=reflected, order=order, per_coil=True, method="both"
            )
            beside[number] = whole - phase
        phase = phase + beside.get(number, 0.0)
        data[(slice(None), *index)] = mr.correct_epi_ghost(kspace, reflected=reflected, phase=phase)
    return replace(scan, data=data)


def _navigators_of(records: list[dict[str, Any]], where: Mapping[str, int]) -> Any:
    """The frame's own navigators; else those of its slice, whatever the other counters say."""
    for names in (_FRAME_KEYS, ("slice", "repetition"), ("slice",), ()):
        wanted = {name: where.get(name, 0) for name in names}
        mine = [r for r in records if all(r.get(n, 0) == v for n, v in wanted.items())]
        if mine:
            return mine
    return records


def _without_delays(run: Run, scan: Any) -> Any:
    if scan.coordinates is None:
        raise click.UsageError("--gradient-delay is for non-Cartesian scans")
    run.log("correcting gradient delays")
    first = next(iter(scan.frames()))[1]
    found = mr.correct_gradient_delay(scan.coordinates, kspace=first)
    run.log(f"delays (samples): {np.round(found.delays, 3).tolist()}")
    return replace(scan, coordinates=found.coordinates)


def prepared(
    run: Run, scan: Any, where: Mapping[str, int], kspace: np.ndarray,
    options: Mapping[str, Any], store: dict[Any, Any],
) -> Frame:  # fmt: skip
    """One frame, ready for a method."""
    kspace = np.ascontiguousarray(kspace, np.complex64)
    if scan.coordinates is not None:
        return _free(scan, kspace, options, store)
    axes, keep = _readout(scan, options)
    mask = None if scan.mask is None else (kspace != 0).any(axis=0)
    mask = mask if mask is None or not mask.all() else None
    extra = _calibration(scan, where)
    for axis, length in zip(axes, keep, strict=True):
        kspace = _shortened(kspace, axis, length)
        extra = None if extra is None else _shortened(extra, axis, length)
        if mask is not None:
            lengths = list(mask.shape)
            lengths[axis] = length
            mask = _lines_of(mask, tuple(lengths), axis)
    shape = kspace.shape[1:]
    calibration = kspace if extra is None else _merged(kspace, extra)
    sampled = (calibration != 0).any(axis=0) if mask is not None else np.ones(shape, bool)
    return Frame(
        kspace, shape, mask,
        calibration=calibration,
        separate=extra is not None,
        box=sampled_box(sampled, options["calibration"]),
        fill=_fill(options),
        finish=_finish(scan, shape, options),
        store=store,
    )  # fmt: skip


def _free(scan: Any, kspace: np.ndarray, options: Mapping[str, Any], store: dict) -> Frame:
    """A non-Cartesian frame on the grid that the file or ``--size`` says."""
    coordinates = scan.coordinates.astype(np.float32)
    shape = scan.header["matrix"]
    if options["size"] is not None:
        shape = (options["size"],) * coordinates.shape[-1]
    elif shape is None:
        reach = float(np.max(np.abs(coordinates)))
        shape = (2 * int(np.ceil(reach - 1e-6)),) * coordinates.shape[-1]
    if "weights" not in store:
        store["weights"] = mr.density_compensation(coordinates, shape)
    side = min(options["calibration"], *shape)
    return Frame(
        kspace, tuple(shape), coordinates=coordinates, weights=store["weights"],
        box=(side,) * len(shape), finish=_finish(scan, tuple(shape), options), store=store,
    )  # fmt: skip


def _readout(scan: Any, options: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    """The readout axis and its length without oversampling, where there is any to remove."""
    axis = scan.header.get("readout_axis")
    if axis is None or options["keep_oversampling"]:
        return [], []
    full = scan.header["matrix"][axis]
    inside = _inside(scan.header, axis, full)
    return ([axis], [inside]) if inside < full else ([], [])


def _inside(header: Mapping[str, Any], axis: int, full: int) -> int:
    """Pixels of the encoded grid that lie in the field of view of the reconstruction."""
    wide, fov = header.get("encoded_field_of_view"), header.get("field_of_view")
    if wide is None or fov is None:
        return min(full, header["recon_matrix"][axis])
    return min(full, max(1, round(full * fov[axis] / wide[axis])))


def _shortened(kspace: np.ndarray, axis: int, length: int) -> np.ndarray:
    return mr.remove_oversampling(kspace, axis=axis, keep=length)


def _lines_of(mask: np.ndarray, shape: tuple[int, ...], axis: int) -> np.ndarray:
    """The mask when the readout has another length: every line keeps its state."""
    return np.broadcast_to(mask.any(axis=axis, keepdims=True), shape).copy()


def _calibration(scan: Any, where: Mapping[str, int]) -> np.ndarray | None:
    """Calibration lines of the frame's slice; those of the first repetition serve all."""
    extra = scan.header.get("calibration_kspace")
    if extra is None:
        return None
    names = [n for n in scan.axes if n in _FRAME_KEYS]
    outer = extra.shape[1 : extra.ndim - len(scan.header["matrix"])]
    if not outer:
        return extra
    if len(outer) == len(names):
        index = [min(where[n], size - 1) for n, size in zip(names, outer, strict=True)]
    else:
        index = [min(where.get("slice", 0), outer[0] - 1), *[0] * (len(outer) - 1)]
    return np.ascontiguousarray(extra[(slice(None), *index)])


def _merged(kspace: np.ndarray, extra: np.ndarray) -> np.ndarray:
    """Calibration lines, completed by the image's own where those are missing."""
    return np.where((extra != 0).any(axis=0), extra, kspace)


def _fill(options: Mapping[str, Any]) -> Callable[[np.ndarray], np.ndarray]:
    method = options["partial_fourier"]
    if method is None:
        return lambda kspace: kspace
    return lambda kspace: mr.partial_fourier(kspace, method=method)


def _finish(
    scan: Any, shape: tuple[int, ...], options: Mapping[str, Any]
) -> Callable[[np.ndarray], np.ndarray]:
    """Crop to the field of view, taper, and go to the final grid."""
    header, free = scan.header, scan.coordinates is not None
    axes = tuple(range(-len(shape), 0))
    crop, grid = list(shape), list(shape)
    if not free and not options["keep_oversampling"]:
        for axis in axes:
            if axis != header.get("readout_axis"):
                crop[axis] = _inside(header, axis, shape[axis])
        grid = [max(n, m) for n, m in zip(crop, header["recon_matrix"], strict=True)]
    grid = [round(n * options["zero_fill"]) for n in grid]
    kind, _, parameter = (options["window"] or "").partition(":")

    def finish(image: np.ndarray) -> np.ndarray:
        for axis in axes:
            first = image.shape[axis] // 2 - crop[axis] // 2
            image = np.take(image, range(first, first + crop[axis]), axis=axis)
        if not kind and tuple(grid) == image.shape[-len(grid) :]:
            return np.ascontiguousarray(image)
        kspace = mr.fft(image, axes=axes)
        if kind:
            value = float(parameter) if parameter else None
            kspace = mr.window(kspace, kind=kind, axes=axes, parameter=value)
        return mr.ifft(mr.zero_fill(kspace, grid), axes=axes)

    return finish
