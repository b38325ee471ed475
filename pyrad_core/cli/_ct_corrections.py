"""Corrections of line integrals that ``recon ct`` applies on request."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np

from ..errors import DataError, FileFormatError
from .common import Run

_SPECTRUM = (
    *("energies", "weights", "mu", "reference"),
    *("mu_second", "threshold", "passes", "coefficients"),
)
_METAL = 3.5  # times water: 2500 HU


def corrected(
    run: Run,
    lines: Any,
    geometry: Any,
    volume: Any,
    header: Mapping[str, Any],
    options: Mapping[str, Any],
) -> tuple[Any, Any]:
    """Line integrals without rings, noise, hardening and metal as asked for, and the metal (or
    None) to put back into the image."""
    from .. import ct

    if options["rings"]:
        run.log(f"removing rings: {options['rings']}")
        lines = ct.remove_rings(lines, method=options["rings"])
    if options["denoise_projections"] is not None:
        run.log("denoising the projections")
        lines = _denoised(lines, header, options)
    if options["beam_hardening"] is not None:
        run.log("correcting beam hardening")
        table = _hardening(options["beam_hardening"])
        lines = ct.correct_beam_hardening(lines, geometry, volume, **table)
    if options["metal"] is None:
        if options["metal_threshold"] is not None:
            raise click.UsageError("--metal-threshold goes with --metal")
        return lines, None
    run.log(f"reducing metal: {options['metal']}")
    return ct.reduce_metal(
        lines,
        geometry,
        volume,
        threshold=_threshold(header, options),
        method=options["metal"],
        return_metal=True,
    )


def _threshold(header: Mapping[str, Any], options: Mapping[str, Any]) -> float:
    """Attenuation of metal in 1/mm, where none is given 2500 HU by the water that is known."""
    if options["metal_threshold"] is not None:
        return float(options["metal_threshold"])
    try:
        water = float(options["hu"])
    except ValueError:
        water = header.get("mu_water") or 0.0
    if not water > 0:
        raise click.UsageError("--metal needs --metal-threshold (1/mm) where water is not known")
    return _METAL * water


def open_beam(header: Mapping[str, Any], photons: float | None) -> Any:
    """Counts without object: as given, else those the file states per view and column."""
    if photons is not None:
        return photons
    stated = header.get("photons")
    return None if stated is None else np.asarray(stated)[:, None, :]


def _denoised(lines: Any, header: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    from .. import ct

    difference = options["denoise_projections"]
    if not 0 < difference < np.inf:
        raise DataError(f"--denoise-projections is {difference:g}; expected a number > 0")
    photons = open_beam(header, options["photons"])
    if photons is None:
        raise click.UsageError("--denoise-projections needs --photons; the file states none")
    strength = 1 / difference**2
    if np.ndim(photons) == 0:
        return ct.denoise_projections(lines, photons=photons, strength=strength)
    weights = (photons * np.exp(-lines)).astype(lines.dtype)
    return ct.denoise_projections(lines, weights=weights, strength=strength)


def _hardening(text: str) -> dict[str, Any]:
    """Coefficients ``1,0.1,...``, or a YAML file with a spectrum."""
    try:
        return {"coefficients": [float(part) for part in text.split(",")]}
    except ValueError:
        pass
    from .._checks import known_names
    from .._yaml import load_yaml
    from ..io.files import existing, shown

    path = existing(Path(text))
    table = load_yaml(path)
    if not isinstance(table, dict):
        raise FileFormatError(f"{shown(path)}: expected 'key: value' lines")
    known_names(f"entry of {shown(path)}", table, _SPECTRUM)
    return table
