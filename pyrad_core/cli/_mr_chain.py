"""From a KSpace to images: every step the options ask for, in the order of the physics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import click
import numpy as np

from .. import mr
from ..errors import DataError
from ._mr_field import field_map
from ._mr_frames import cleaned, prepared
from ._mr_methods import ALIASES, COUPLING, METHODS
from .common import Run

_PASSED = ("iterations", "regularization", "weight", "prior", "coil_maps")
_FILLING = ("sos", "adaptive", "espirit", "grappa", "spirit")


class Found(NamedTuple):
    """Images ([t, z,] y, x), where they lie, and how they were made."""

    values: np.ndarray
    affine: np.ndarray | None
    spacing: tuple[float, ...]
    method: str
    coils: int


def reconstruct(run: Run, scan: Any, options: Mapping[str, Any]) -> Found:
    """All frames of a scan."""
    method = _method(scan, options["method"])
    arguments = _arguments(method, options)
    field = field_map(scan, method, options)
    scan = _channels(run, scan, options)
    run.log(f"method {method}")
    chosen = METHODS[method]
    names = [n for n in scan.axes if n in _frame_names()]
    together = COUPLING & set(str(arguments.get("prior", "")).split("+"))
    images: dict[tuple[int, ...], np.ndarray] = {}
    stores: dict[int, dict[Any, Any]] = {}
    with run.progress("reconstructing", int(np.prod(scan.frame_shape))) as step:
        for indices in _groups(names, scan.frame_shape, bool(together)):
            frames = _prepare(run, scan, names, indices, options, stores)
            if field is not None:
                frames = [
                    field.added(frame, dict(zip(names, index, strict=True)).get("slice", 0))
                    for frame, index in zip(frames, indices, strict=True)
                ]
            if together and len(frames) < 2:
                raise DataError(f"prior {'+'.join(together)} couples frames, but there is only one")
            found = chosen.run(*frames, **arguments)
            found = found if together else found[None]
            for index, frame, image in zip(indices, frames, found, strict=True):
                images[index] = image if chosen.finished else frame.finish(image)
                step()
    values = _stacked(images, names, scan.frame_shape)
    if options["phase_sensitive"]:
        values = _phase_sensitive(images, names, scan.frame_shape)
    return Found(
        values if options["keep_complex"] or options["phase_sensitive"] else np.abs(values),
        *_place(scan, values.shape),
        method,
        scan.data.shape[0],
    )


def _groups(
    names: Sequence[str], shape: tuple[int, ...], together: bool
) -> Iterator[list[tuple[int, ...]]]:
    """Indices of the frames that one call reconstructs: one, or all of a slice."""
    every = list(np.ndindex(*shape))
    if not together:
        yield from ([index] for index in every)
        return
    at = names.index("slice") if "slice" in names else None
    for number in range(1 if at is None else shape[at]):
        yield [index for index in every if at is None or index[at] == number]


def _prepare(
    run: Run, scan: Any, names: Sequence[str], indices: Sequence[tuple[int, ...]],
    options: Mapping[str, Any], stores: dict[int, dict[Any, Any]],
) -> list[Any]:  # fmt: skip
    """Frames ready for a method; those of one slice share coil maps and density weights."""
    frames = []
    for index in indices:
        where = dict(zip(names, index, strict=True))
        store = stores.setdefault(where.get("slice", 0), {})
        frames.append(prepared(run, scan, where, scan.data[(slice(None), *index)], options, store))
    return frames


def _frame_names() -> tuple[str, ...]:
    from ..io.containers import FRAMES

    return FRAMES


def _method(scan: Any, asked: str | None) -> str:
    free = scan.coordinates is not None
    if asked is None:
        if free or scan.mask is not None:
            return "cg-sense"
        return "espirit" if scan.data.shape[0] > 1 else "sos"
    name = ALIASES.get(asked, asked)
    wanted = METHODS[name].sampling
    if free and wanted == "cartesian":
        accepted = ", ".join(n for n, m in METHODS.items() if m.sampling != "cartesian")
        raise DataError(f"method {asked} is for Cartesian k-space; accepted here are {accepted}")
    if not free and wanted == "free":
        raise DataError(f"method {asked} is for non-Cartesian k-space")
    return name


def _arguments(method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The given options that go to the method; one it does not take is wrong usage."""
    accepted = METHODS[method].options
    given = {name: options[name] for name in _PASSED if options[name] is not None}
    for name in given:
        if name not in accepted:
            raise click.UsageError(f"--{name.replace('_', '-')} is not for --method {method}")
    if options["partial_fourier"] is not None and method not in _FILLING:
        raise click.UsageError(
            f"--partial-fourier is not for --method {method}; it is for {', '.join(_FILLING)}"
        )
    return given | _settings(method, accepted, options["settings"])


def _settings(method: str, accepted: Sequence[str], texts: Sequence[str]) -> dict[str, Any]:
    """``--set name=value`` for whatever else the method takes; values as YAML reads them."""
    import yaml

    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in accepted:
            raise click.BadParameter(
                f"{text!r}; expected OPTION=VALUE with an option of {method}: "
                f"{', '.join(accepted) or 'it has none'}",
                param_hint="--set",
            )
        try:
            found[name] = yaml.safe_load(value)
        except yaml.YAMLError:
            found[name] = value
    return found


def _channels(run: Run, scan: Any, options: Mapping[str, Any]) -> Any:
    """Single precision, whitened, and fewer virtual coils; calibration lines alike."""
    extra = scan.header.get("calibration_kspace")
    fits = (scan.data.shape[0], scan.data.shape[-1])
    records = [r for r in scan.header.get("navigators") or [] if r["samples"].shape == fits]
    navigators = [np.stack([r["samples"] for r in records], axis=1)] if records else []
    parts = [scan.data, *([] if extra is None else [extra]), *navigators]
    parts = [np.asarray(part, np.complex64) for part in parts]
    if scan.noise is not None and options["whiten"]:
        run.log("whitening the coils with the noise scan")
        parts = [mr.prewhiten(part, scan.noise) for part in parts]
    wanted = options["coils"]
    if wanted is not None and wanted < parts[0].shape[0]:
        run.log(f"compressing {parts[0].shape[0]} coils to {wanted}")
        parts[0], matrix = mr.compress_coils(parts[0], virtual_coils=wanted, return_matrix=True)
        parts[1:] = [mr.apply_compression(part, matrix) for part in parts[1:]]
    header = {**scan.header, "navigators": []}
    if extra is not None:
        header["calibration_kspace"] = parts[1]
    if records:  # (coil, navigator, x)
        header["navigators"] = [
            {**record, "samples": np.ascontiguousarray(parts[-1][:, i])}
            for i, record in enumerate(records)
        ]
    return cleaned(run, replace(scan, data=parts[0], header=header), options)


def _stacked(
    images: dict[tuple[int, ...], np.ndarray], names: Sequence[str], shape: tuple[int, ...]
) -> np.ndarray:
    """([t,] [z,] y, x): slices of two-dimensional scans are z, all other frames t."""
    first = next(iter(images.values()))
    whole = np.stack([images[index] for index in np.ndindex(*shape)])
    whole = whole.reshape(*shape, *first.shape)
    if "slice" in names and first.ndim == 2:
        whole = np.moveaxis(whole, names.index("slice"), -3)
    others = whole.ndim - max(3 if "slice" in names else 2, first.ndim)
    if others == 0:
        return np.ascontiguousarray(whole)
    depth = whole.shape[-3:] if first.ndim == 3 or "slice" in names else (1, *first.shape)
    return np.ascontiguousarray(whole.reshape(-1, *depth))


def _phase_sensitive(
    images: dict[tuple[int, ...], np.ndarray], names: Sequence[str], shape: tuple[int, ...]
) -> np.ndarray:
    """The first of two frames with its sign, by the phase of the second."""
    pair = next((n for n in ("set", "contrast") if n in names and shape[names.index(n)] == 2), None)
    if pair is None:
        raise DataError("--phase-sensitive needs two sets or contrasts: image and reference")
    at = names.index(pair)
    kept = {
        (*index[:at], *index[at + 1 :]): mr.phase_sensitive(
            image[None], images[(*index[:at], 1, *index[at + 1 :])][None], smoothing=1.0
        )
        for index, image in images.items()
        if index[at] == 0
    }
    rest = [n for n in names if n != pair]
    return _stacked(kept, rest, tuple(n for i, n in enumerate(shape) if i != at))


def _place(scan: Any, shape: tuple[int, ...]) -> tuple[np.ndarray | None, tuple[float, ...]]:
    """Affine where the file has directions, and spacing of the written axes in mm."""
    fov = scan.header.get("field_of_view")
    if fov is None:
        return None, (1.0,) * min(len(shape), 3)
    inner = shape[-len(fov) :]
    spacing = tuple(float(f) / n for f, n in zip(fov, inner, strict=True))
    affine = scan.affine(inner)
    if len(spacing) < min(len(shape), 3):
        thick = float(scan.header.get("slice_thickness") or 1.0)
        step = thick if affine is None else float(np.linalg.norm(affine[:3, 2]))
        spacing = (step, *spacing)
    return affine, spacing
