"""The CT half of the demo: a simulated low-dose scan of an abdomen with two textured lesions.

Everything is made of ellipses, the lesions' textures too, so that the projections are exact closed
forms. Values are shown in Hounsfield units, ``1000 * (mu / mu_water - 1)``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

MU_WATER = 0.02  # 1/mm, near 70 keV
_WINDOW = (-180.0, 240.0)
_FIELD = 224.0  # mm
_LESION_RADIUS = 17.0
_LESIONS = {"fine": (-47.0, -10.0, 1.3), "coarse": (30.0, 22.0, 3.6)}  # x, y, texture grain in mm

# HU added to what lies below: amplitude, semi-axes (mm), centre x y (mm), angle (degrees)
_ABDOMEN = [
    (900.0, 103.0, 80.0, 0.0, 0.0, 0.0),  # body outline: fat, -100 HU
    (145.0, 94.0, 70.0, 0.0, 0.0, 0.0),  # muscle, 45 HU
    (15.0, 46.0, 40.0, -42.0, -8.0, 15.0),  # liver
    (10.0, 36.0, 27.0, 38.0, 20.0, -20.0),  # spleen and stomach wall
    (620.0, 17.0, 14.0, 0.0, 48.0, 0.0),  # vertebra
    (-420.0, 6.5, 6.0, 0.0, 53.0, 0.0),  # spinal canal
    (95.0, 8.0, 8.0, -3.0, 26.0, 0.0),  # aorta
    (-900.0, 15.0, 7.0, 34.0, -32.0, 8.0),  # gas
    (55.0, 11.0, 7.0, -9.0, -34.0, 30.0),  # bowel with contrast
]
_RIBS = [(430.0, 5.5, 2.6, 97.0, angle) for angle in (20, 48, 132, 160, 200, 232, 308, 340)]


@dataclass
class Ct:
    """What the CT half produced."""

    truth: np.ndarray
    noisy: np.ndarray
    denoised: np.ndarray
    labels: np.ndarray
    heat: np.ndarray
    spacing: float
    rows: list[dict[str, Any]] = field(default_factory=list)
    lesions: list[dict[str, Any]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def run(size: int, seed: int, note: Callable[[str], None]) -> Ct:
    """Scan, reconstruct, denoise, and describe the lesions."""
    from .. import ct, denoise
    from ..geometry import FanBeam, Volume

    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        note(name)
        start = time.perf_counter()
        result = work()
        seconds[name] = time.perf_counter() - start
        return result

    spacing = _FIELD / size
    volume = Volume((size, size), spacing)
    body, grains = phantom(seed)
    angles = np.linspace(0, 2 * np.pi, int(1.8 * size), endpoint=False)
    beam = FanBeam(angles, int(1.5 * size), 1.5 * _FIELD / size, 600.0, 1000.0)
    exact = timed("exact projections", lambda: body.project(beam) + grains.project(beam))
    lines = _low_dose(exact, seed)
    noisy = timed("filtered back-projection", lambda: ct.fbp(lines, beam, volume))
    truth = _hounsfield(body.raster(volume) + grains.raster(volume))
    noisy = _hounsfield(noisy)
    inside = truth > -500
    sigma = float(np.std((noisy - truth)[inside]))
    denoised = timed(
        "non-local means", lambda: denoise.nlm(noisy, sigma=0.8 * sigma, patch=5, search=21)
    )
    smooth = timed("total variation", lambda: denoise.tv(noisy, weight=0.7 * sigma))
    labels = _labels(volume)
    images = {"low-dose FBP": noisy, "TV": smooth, "NLM": denoised}
    rows = [_quality(name, image, truth, inside) for name, image in images.items()]
    shown = {"truth": truth, "low-dose FBP": noisy, "NLM": denoised}
    lesions = timed("lesion features", lambda: _describe(shown, labels, spacing))
    heat = timed("texture heat map", lambda: _heat(denoised, labels, spacing))
    return Ct(truth, noisy, denoised, labels, heat, spacing, rows, lesions, seconds)


def phantom(seed: int) -> tuple[Any, Any]:
    """The abdomen, and the grains of both lesions, as ellipses with attenuations in 1/mm."""
    from ..phantom import Ellipsoids

    ribs = [
        (hu, a, b, r * np.cos(t), 0.765 * r * np.sin(t), np.rad2deg(t) + 90)
        for hu, a, b, r, t in ((hu, a, b, r, np.deg2rad(t)) for hu, a, b, r, t in _RIBS)
    ]
    table = np.array(_ABDOMEN + ribs, dtype=np.float64)
    rng = np.random.default_rng(seed)
    grains = np.array([g for place in _LESIONS.values() for g in _grains(*place, rng)])
    for values in (table, grains):
        values[:, 0] *= MU_WATER / 1000
    return Ellipsoids(table), Ellipsoids(grains)


def _grains(x: float, y: float, grain: float, rng: np.random.Generator) -> list[tuple[float, ...]]:
    """One disc for the lesion, and small ellipses of both signs that give it its texture."""
    rows: list[tuple[float, ...]] = [(40.0, _LESION_RADIUS, _LESION_RADIUS, x, y, 0.0)]
    reach, step = _LESION_RADIUS - 1.2 * grain, 1.75 * grain
    ticks = np.arange(-np.ceil(reach / step), np.ceil(reach / step) + 1) * step
    places = np.array([(a, b) for a in ticks for b in ticks])
    places += rng.uniform(-0.3, 0.3, places.shape) * step
    places = rng.permutation(places[np.hypot(*places.T) < reach])
    for i, (a, b) in enumerate(places):
        wide = grain * rng.uniform(0.9, 1.25)
        tall = wide * rng.uniform(0.65, 1.0)
        rows.append((85.0 if i % 2 else -85.0, wide, tall, x + a, y + b, 180 * rng.random()))
    return rows


def _low_dose(lines: np.ndarray, seed: int, photons: float = 4.0e4) -> np.ndarray:
    """Poisson counts behind the object, as line integrals again."""
    rng = np.random.default_rng(seed + 1)
    counts = rng.poisson(photons * np.exp(-lines.astype(np.float64)))
    return -np.log(np.maximum(counts, 1) / photons).astype(np.float32)


def _hounsfield(image: np.ndarray) -> np.ndarray:
    return (1000.0 * (image / MU_WATER - 1.0)).astype(np.float32)


def _labels(volume: Any) -> np.ndarray:
    """1 in the lesion of fine texture, 2 in the coarse one; the rim is left out."""
    y, x = np.meshgrid(*volume.axes(), indexing="ij")
    labels = np.zeros(volume.shape, np.uint8)
    for label, (cx, cy, _) in enumerate(_LESIONS.values(), start=1):
        labels[(x - cx) ** 2 + (y - cy) ** 2 <= (_LESION_RADIUS - 1.5) ** 2] = label
    return labels


def _quality(name: str, image: np.ndarray, truth: np.ndarray, inside: np.ndarray) -> dict[str, Any]:
    from skimage.metrics import structural_similarity

    scale = _WINDOW[1] - _WINDOW[0]
    error = float(np.sqrt(np.mean((image - truth)[inside] ** 2)))
    clipped = (np.clip(a, *_WINDOW) for a in (image, truth))
    _, similarity = structural_similarity(*clipped, data_range=scale, full=True)
    return {
        "image": name,
        "RMSE": error,
        "PSNR": 20 * float(np.log10(scale / error)),
        "SSIM": float(np.mean(similarity[inside])),
    }


def _describe(
    images: dict[str, np.ndarray], labels: np.ndarray, spacing: float
) -> list[dict[str, Any]]:
    """Texture of both lesions in each image: the two have equal grey levels, not equal grain."""
    from .. import features

    settings = features.Settings.preset("pyradiomics", binWidth=25)
    rows = []
    for label, lesion in enumerate(_LESIONS, start=1):
        for name, image in images.items():
            found = features.glcm(
                image, labels, settings=settings, spacing=(spacing, spacing), label=label
            )
            values = {key.rpartition("_")[2]: value for key, value in found.items()}
            chosen = {key: values[key] for key in ("Contrast", "Correlation", "JointEntropy")}
            rows.append({"lesion": lesion, "image": name, **chosen})
    return rows


def _heat(image: np.ndarray, labels: np.ndarray, spacing: float) -> np.ndarray:
    """GLCM contrast about each voxel of the lesions and a rim around them."""
    from scipy.ndimage import binary_dilation

    from .. import features

    settings = features.Settings.preset("pyradiomics", binWidth=25)
    region = binary_dilation(labels > 0, iterations=max(2, round(3 / spacing))).astype(np.uint8)
    found = features.maps(
        image, region, family="glcm", features=["Contrast"], radius=2, settings=settings,
        spacing=(spacing, spacing),
    )  # fmt: skip
    return np.asarray(next(iter(found.values())), dtype=np.float64)


def panels(result: Ct) -> list[Any]:
    """Truth, low-dose and denoised image for ct.png, without the air above and below."""
    from ..plot import Panel

    notes = {
        row["image"]: f"RMSE {row['RMSE']:.0f} HU   SSIM {row['SSIM']:.2f}" for row in result.rows
    }
    shown = [
        ("truth", result.truth, "closed-form phantom, two textured lesions"),
        ("low-dose FBP", result.noisy, notes["low-dose FBP"]),
        ("non-local means", result.denoised, notes["NLM"]),
    ]
    last = len(shown) - 1
    return [
        Panel(image[_rows(image)], name, note, window=_WINDOW, bar="HU" if i == last else None)
        for i, (name, image, note) in enumerate(shown)
    ]


def heat_panels(result: Ct) -> list[Any]:
    """Both lesions enlarged: denoised image, and the heat map over it."""
    from ..plot import Panel

    out = []
    low, high = (float(v) for v in np.nanpercentile(result.heat, (2, 98)))
    for label, name in enumerate(_LESIONS, start=1):
        box = _box(result.labels == label)
        common: dict[str, Any] = {"window": _WINDOW}
        out.append(Panel(result.denoised[box], f"{name} texture", **common))
        out.append(
            Panel(
                result.denoised[box],
                "GLCM contrast",
                over=result.heat[box],
                over_window=(low, high),
                bar="contrast" if label == 2 else None,
                **common,
            )
        )
    return out


def heat_overview(result: Ct) -> Any:
    """The heat map over the whole slice."""
    from ..plot import Panel

    rows = _rows(result.heat)
    low, high = (float(v) for v in np.nanpercentile(result.heat, (2, 98)))
    return Panel(
        result.denoised[rows],
        "texture heat map",
        "GLCM contrast, 5 x 5 voxels",
        window=_WINDOW,
        over=result.heat[rows],
        over_window=(low, high),
        alpha=0.9,
        bar="",
    )


def _rows(image: np.ndarray) -> slice:
    """The middle four fifths."""
    return slice(image.shape[0] // 10, image.shape[0] - image.shape[0] // 10)


def _box(inside: np.ndarray, margin: int = 14) -> tuple[slice, slice]:
    rows, columns = (np.flatnonzero(inside.any(axis=a)) for a in (1, 0))
    return (
        slice(int(rows[0]) - margin, int(rows[-1]) + margin + 1),
        slice(int(columns[0]) - margin, int(columns[-1]) + margin + 1),
    )
