"""The MR half of the demo: undersampled radial multi-coil k-space of a head.

The coil sensitivities are short Fourier series, so that the k-space of phantom times sensitivity
is an exact closed form: a sum of shifted copies of the phantom's own Fourier transform.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_WAVES = np.arange(-1.5, 1.51, 0.5)  # cycles per field of view; half cycles do not wrap round


@dataclass
class Mr:
    """What the MR half produced."""

    truth: np.ndarray
    gridded: np.ndarray
    sense: np.ndarray
    spokes: int
    coils: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def run(size: int, spokes: int, coils: int, seed: int, note: Callable[[str], None]) -> Mr:
    """Scan, estimate coil maps, reconstruct by gridding and by CG-SENSE."""
    from .. import mr
    from ..geometry import Volume
    from ..mr.calibration import calibrate

    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        note(name)
        start = time.perf_counter()
        result = work()
        seconds[name] = time.perf_counter() - start
        return result

    volume = Volume((size, size), 240.0 / size)
    head = phantom()
    coordinates = _radial(spokes, size)
    kspace = timed("exact k-space", lambda: _kspace(head, coordinates, volume, coils))
    kspace = _with_noise(kspace, seed)
    shape = (size, size)
    plan = mr.NUFFT(coordinates, shape, coils=coils)
    weights = mr.density_compensation(coordinates, shape)
    images = timed("gridding", lambda: plan.adjoint(kspace * weights))
    gridded = mr.combine_coils(images)
    centre = timed("calibration", lambda: calibrate(kspace, coordinates, shape))
    maps = timed("ESPIRiT coil maps", lambda: mr.espirit(centre))
    sense = timed(
        "CG-SENSE",
        lambda: mr.cg_sense(
            kspace,
            maps,
            coordinates=coordinates,
            weights=weights,
            iterations=12,
            regularization=1e-2,
        ),
    )
    truth = head.raster(volume)
    result = Mr(truth, _scaled(gridded, truth), _scaled(np.abs(sense), truth), spokes, coils)
    result.seconds = seconds
    result.rows = [
        _quality(name, image, truth)
        for name, image in (("gridding", result.gridded), ("CG-SENSE", result.sense))
    ]
    return result


def phantom() -> Any:
    """A head: Shepp-Logan's ellipses with tissue-like contrast, and dots that test resolution."""
    from ..phantom import Ellipsoids, shepp_logan

    table = shepp_logan(2, radius=112.0).table.copy()
    dots = [
        (0.35, r, r, x, 78.0, 0.0)
        for r, x in ((3.4, -26), (2.6, -15.5), (1.9, -7), (1.35, -0.5), (0.95, 4.5), (0.7, 8.5))
    ]
    return Ellipsoids(np.vstack([table, dots]))


def _radial(spokes: int, size: int) -> np.ndarray:
    """Spokes at even angles through the centre, (spoke, sample, (ky, kx))."""
    angles = np.pi * np.arange(spokes) / spokes
    radius = (np.arange(2 * size) - size) / 2
    ky, kx = (np.outer(f(angles), radius) for f in (np.sin, np.cos))
    return np.stack([ky, kx], axis=-1).astype(np.float32)


def _kspace(head: Any, coordinates: np.ndarray, volume: Any, coils: int) -> np.ndarray:
    """Sum over the waves of each sensitivity of the phantom's transform, shifted by the wave."""
    waves = np.stack(np.meshgrid(_WAVES, _WAVES, indexing="ij"), axis=-1).reshape(-1, 2)
    series = _sensitivities(waves, volume.shape, coils)
    total = np.zeros((coils, *coordinates.shape[:-1]), np.complex128)
    for wave, amplitudes in zip(waves, series.T, strict=True):
        total += amplitudes[:, None, None] * head.kspace(coordinates - wave, volume)
    return total.astype(np.complex64)


def _sensitivities(waves: np.ndarray, shape: tuple[int, ...], coils: int) -> np.ndarray:
    """Fourier series of birdcage-like maps, fitted inside the circle: (coil, wave)."""
    from ..phantom import coil_maps

    coarse = 32
    maps = coil_maps(coils, (coarse, coarse), dtype=np.complex128)
    place = (np.arange(coarse) - coarse // 2) / coarse  # fields of view
    y, x = np.meshgrid(place, place, indexing="ij")
    inside = x**2 + y**2 <= 0.25
    basis = np.exp(
        2j * np.pi * (np.outer(y[inside], waves[:, 0]) + np.outer(x[inside], waves[:, 1]))
    )
    gram = basis.conj().T @ basis + 1e-6 * inside.sum() * np.eye(len(waves))
    return np.linalg.solve(gram, basis.conj().T @ maps[:, inside].T).T


def _with_noise(kspace: np.ndarray, seed: int, level: float = 6e-4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    spread = level * np.abs(kspace).max()
    noise = rng.standard_normal((2, *kspace.shape)).astype(np.float32) * spread
    return kspace + noise[0] + 1j * noise[1]


def _scaled(image: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Coil combination leaves one free factor; fit it."""
    image = np.asarray(image, np.float64)
    return image * (np.vdot(image, truth) / np.vdot(image, image))


def _quality(name: str, image: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    from skimage.metrics import structural_similarity

    error = float(np.sqrt(np.mean((image - truth) ** 2)))
    return {
        "image": name,
        "RMSE": error,
        "PSNR": 20 * float(np.log10(1.0 / error)),
        "SSIM": float(structural_similarity(image, truth.astype(np.float64), data_range=1.0)),
    }


def panels(result: Mr) -> list[Any]:
    """Truth, gridding and CG-SENSE for mr.png."""
    from ..plot import Panel

    notes = {r["image"]: f"RMSE {r['RMSE']:.3f}   SSIM {r['SSIM']:.2f}" for r in result.rows}
    full = int(np.ceil(np.pi / 2 * result.truth.shape[0]))
    shown = [
        ("truth", result.truth, "closed-form phantom"),
        (f"gridding, {result.spokes} of {full} spokes", result.gridded, notes["gridding"]),
        (f"CG-SENSE, {result.coils} coils", result.sense, notes["CG-SENSE"]),
    ]
    return [Panel(image, name, note, window=(0.0, 0.55)) for name, image, note in shown]


def error_panels(result: Mr) -> list[Any]:
    """What gridding and CG-SENSE leave of error, in one scale."""
    from ..plot import Panel

    shown = {"error of gridding": result.gridded, "error of CG-SENSE": result.sense}
    return [
        Panel(np.abs(image - result.truth), name, window=(0.0, 0.25), cmap="heat")
        for name, image in shown.items()
    ]
