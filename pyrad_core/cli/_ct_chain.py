"""From a Projections to a volume: line integrals, corrections, the method, and its unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import click
import numpy as np

from ..errors import DataError
from ._ct_corrections import corrected, open_beam
from ._ct_grid import grid_of, place_of, rows_of
from .common import Run

_PASSED = ("filter", "cutoff", "iterations", "weight", "subsets")


class Found(NamedTuple):
    """A reconstruction, where it lies and what its numbers mean."""

    values: np.ndarray
    volume: Any
    affine: np.ndarray
    unit: str
    method: str
    center: float | None


def reconstruct(run: Run, scan: Any, options: Mapping[str, Any]) -> Found:
    """Every step the options ask for, in the order of the physics."""
    from .. import ct

    water = _water(scan.header, options["hu"])
    lines, geometry = _line_integrals(run, scan, options)
    geometry, center = _centered(run, lines, geometry, options["center"])
    volume = grid_of(geometry, *(options[n] for n in ("size", "voxel", "thickness", "depth")))
    method = options["method"] or usual_method(geometry)
    arguments = _arguments(method, options, volume)
    lines, metal = corrected(run, lines, geometry, volume, scan.header, options)
    if options["extend"]:
        if "filter" not in _accepted(method):
            raise click.UsageError(f"--extend is not for --method {method}")
        lines, geometry = ct.extend_truncated(lines, geometry)
    if method == "pwls" and "weights" not in arguments:
        photons = open_beam(scan.header, options["photons"])
        weights = np.exp(-lines) * (1.0 if photons is None else photons)
        arguments["weights"] = weights.astype(lines.dtype)
    start = _start(method, geometry, options["start"])
    needed = (lines.nbytes + volume.size * lines.itemsize) / 2**30
    run.log(f"{method} onto {volume.shape}; projections and volume take {needed:.2f} GiB")
    if start != "zero":
        run.log(f"starting from {start}")
        arguments["x0"] = ct.recon(lines, geometry, volume, method=start)
    with run.progress(method, arguments.get("iterations")) as step:
        if "callback" in _accepted(method):
            arguments["callback"] = step
        values = ct.recon(lines, geometry, volume, method=method, **arguments)
    run.log("reconstructed")
    if metal is not None:
        values = np.where(metal > 0, metal, values)
    unit = "1/mm" if scan.header["pixel_known"] else "1/pixel"
    if water is not None:
        values, unit = ct.to_hu(values, water), "HU"
    affine = place_of(volume, scan.header)
    return Found(np.asarray(values), volume, affine, unit, method, center)


def usual_method(geometry: Any) -> str:
    """fbp or fdk where the scan has enough angles for them, else cgls."""
    from ..geometry import ConeBeam, ParallelBeam

    span = float(np.ptp(geometry.angles))
    free = getattr(geometry, "vectors", None) is not None
    if isinstance(geometry, ParallelBeam):
        return "fbp" if span > 0.9 * np.pi and not free else "cgls"
    edge = float(np.abs(geometry.column_positions()).max()) / geometry.source_detector
    fan = edge if geometry.curved else float(np.arctan(edge))
    gaps = np.diff(np.sort(geometry.angles))
    even = gaps.size > 0 and gaps.max() < np.radians(5) + 4 * np.median(gaps)
    if not even or span < np.pi + 2 * fan - 2 * np.median(gaps):
        return "cgls"
    return "fdk" if isinstance(geometry, ConeBeam) else "fbp"


def _start(method: str, geometry: Any, given: str | None) -> str:
    """What an iterative method starts from."""
    if given not in (None, "zero") and "x0" not in _accepted(method):
        raise click.UsageError(f"--start is not for --method {method}")
    usual = usual_method(geometry)
    return given or (usual if method == "pwls" and usual != "cgls" else "zero")


def _accepted(method: str) -> tuple[str, ...]:
    """Names of the options that a method takes."""
    from ..ct.recon import ALIASES, METHODS

    return METHODS[ALIASES.get(method, method)].options


def _arguments(method: str, options: Mapping[str, Any], volume: Any) -> dict[str, Any]:
    """The given options that go to the method; one it does not take is wrong usage."""
    accepted = _accepted(method)
    given = {name: options[name] for name in _PASSED if options[name] is not None}
    for name in given:
        if name not in accepted:
            raise click.UsageError(f"--{name} is not for --method {method}")
    given |= _settings(method, accepted, options["settings"])
    radius = options["mask_radius"]
    if radius is not None:
        if "mask" not in accepted:
            raise click.UsageError(f"--mask-radius is not for --method {method}")
        y, x = volume.axes()[-2:]
        disc = x**2 + y[:, None] ** 2 <= radius**2
        given["mask"] = np.broadcast_to(disc, volume.shape)
    return given


def _settings(method: str, accepted: tuple[str, ...], texts: Sequence[str]) -> dict[str, Any]:
    """``--set name=value`` for whatever else the method takes; values as YAML reads them."""
    import yaml

    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in accepted or name in ("x0", "out", "callback", "mask"):
            raise click.BadParameter(
                f"{text!r}; expected OPTION=VALUE with an option of {method}", param_hint="--set"
            )
        try:
            found[name] = yaml.safe_load(value)
        except yaml.YAMLError:
            found[name] = value
    return found


def _line_integrals(run: Run, scan: Any, options: Mapping[str, Any]) -> tuple[Any, Any]:
    """Chosen rows as line integrals, with the geometry of those rows."""
    from .. import ct

    count = 1 if scan.data.ndim == 2 else scan.data.shape[1]
    data, flat, dark, geometry = rows_of(scan, _rows(options["row"], count))
    if scan.header["quantity"] == "counts":
        if flat is None:
            raise DataError("the projections are counts, but there are no flat (open-beam) frames")
        dark = np.zeros_like(flat[:1]) if dark is None else dark
        bad = "auto" if options["bad_pixels"] else None
        data = ct.normalize(data, flat, dark, floor=options["floor"], bad_pixels=bad)
        run.log("counts to line integrals")
    elif options["floor"] is not None or options["bad_pixels"]:
        name = "--bad-pixels" if options["floor"] is None else "--floor"
        raise click.UsageError(f"{name} is for counts; these projections are line integrals")
    return np.asarray(data, np.float64 if data.dtype == np.float64 else np.float32), geometry


def _rows(text: str | None, count: int) -> slice:
    if text is None:
        return slice(0, count)
    first, colon, last = text.partition(":")
    try:
        start = int(first or 0)
        stop = (int(last) if last else count) if colon else start + 1
    except ValueError:
        raise click.BadParameter(f"{text!r}; expected N or A:B", param_hint="--row") from None
    if not 0 <= start < stop <= count:
        raise DataError(f"rows {text} lie outside the detector's {count} rows")
    return slice(start, stop)


def _centered(run: Run, lines: Any, geometry: Any, center: str) -> tuple[Any, float | None]:
    """The geometry with the rotation axis found or given, and its column."""
    from .. import ct
    from ..geometry import ParallelBeam

    vectors = getattr(geometry, "vectors", None) is not None
    parallel = isinstance(geometry, ParallelBeam)
    if center == "none":
        return geometry, None
    if center == "auto":
        if vectors or not parallel or geometry.offset[-1]:
            return geometry, None
        if np.ptp(geometry.angles) < 0.98 * np.pi:
            run.log("less than half a turn: the rotation axis is taken from the geometry")
            return geometry, None
    elif vectors:
        raise DataError("--center is for scans about an axis; poses per view say where it is")
    middle, pixel = (geometry.columns - 1) / 2, geometry.pixel[-1]
    if center in ("auto", "find"):
        shift = float(ct.find_offset(lines, geometry))
        column = middle - shift / pixel
        run.log(f"rotation axis found at column {column:.2f}")
    else:
        try:
            column = float(center)
        except ValueError:
            raise click.BadParameter(
                f"{center!r}; expected auto, find, none or a column", param_hint="--center"
            ) from None
        shift = (middle - column) * pixel
    offset = shift if len(geometry.detector) == 1 else (geometry.offset[0], shift)
    return geometry.replace(offset=offset), column


def _water(header: dict[str, Any], text: str) -> float | None:
    """Attenuation of water in 1/mm, None for attenuation as output."""
    if text == "none":
        return None
    if text == "auto":
        return header.get("mu_water")
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < np.inf:
        raise click.BadParameter(
            f"{text!r}; expected auto, none or water's attenuation in 1/mm", param_hint="--hu"
        )
    if not header["pixel_known"]:
        raise DataError("--hu needs lengths in mm; give the pixel size by --geometry FILE.yaml")
    return value
