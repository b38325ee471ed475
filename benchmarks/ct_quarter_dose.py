"""From a quarter of the dose to the full one: every denoiser on projections or on images.

    python -m benchmarks.ct_quarter_dose [--save] [--picture FILE] [--size N]

Two scans. The closed-form abdomen of the demo with a contrast insert (fan beam, full turn, truth
known), whose full dose is simulated from exact line integrals; and the real tooth of tomopy
($PYRAD_CORE_DATA or ../shared/data), whose photon count follows from the spread of its flat fields.
From the noisy full-dose scan ``ct.simulate_dose(dose_fraction=0.25)`` makes the quarter dose.
Sinogram methods work on line integrals or on stabilised counts, before the same FBP; image methods
after it, with the noise level that ``ct.noise_map`` propagates. Each method has one strength, the
best of a few by its error against the truth (against the full dose where there is none), so that
none is judged by its default. Images are scored inside the body: PSNR and SSIM over a window of 400
HU, bias and noise in a uniform region, mean frequency of the noise power, MTF at the insert's edge
of 300 HU. The full dose's own noise is part of the distance to it, so that an image closer to the
truth is not always closer to the full dose.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import pyrad_core as prc
from pyrad_core import ct, denoise
from pyrad_core.demo import ct as demo

from .quality import edge_frequency, noise_frequency, psnr, ssim
from .report import results_stem

ROOT = Path(__file__).resolve().parent.parent
_ABOUT = """What is measured and how is told by `python -m benchmarks.ct_quarter_dose --help`."""
_LIVER, _INSERT = (-42.0, -8.0), (-60.0, -32.0, 6.0)  # mm; centre, and radius


@dataclass
class Scan:
    """A scan in two doses and what its images are compared with."""

    title: str
    reconstruct: Callable[..., Any]  # (lines, **options of fbp)
    full: Any
    quarter: Any
    photons: float  # of the quarter dose
    noise: float  # electronic, counts
    scale: tuple[float, float]  # image value -> (value - first) * second
    peak: float
    inside: Any
    spacing: float
    truth: Any = None  # scaled
    region: Any = None
    edge: Any = None  # distance from a round edge

    def __post_init__(self) -> None:
        self.low = self.reconstruct(self.quarter)
        model = {"photons": self.photons, "electronic_noise": self.noise}
        self.sigma = ct.noise_map(self.reconstruct, self.quarter, draws=8, **model)
        self.level = float(np.median(self.sigma[self.inside]))
        self.full_image = self.scaled(self.reconstruct(self.full))

    def scaled(self, image: Any) -> Any:
        return (np.asarray(image, np.float64) - self.scale[0]) * self.scale[1]

    @property
    def target(self) -> Any:
        return self.full_image if self.truth is None else self.truth

    def score(self, image: Any, against: Any) -> tuple[float, float]:
        options = {"peak": self.peak, "inside": self.inside}
        clip = (against[self.inside].min() - self.peak, against[self.inside].max() + self.peak)
        return psnr(image, against, **options), ssim(np.clip(image, *clip), against, **options)


def _pwls(s: Scan, strength: float) -> Any:
    model = {"photons": s.photons, "electronic_noise": s.noise}
    return s.reconstruct(ct.denoise_projections(s.quarter, strength=strength, **model))


def _counts(denoiser: Callable[[Any, float], Any]) -> Callable[[Scan, float], Any]:
    def run(s: Scan, strength: float) -> Any:
        model = {"photons": s.photons, "electronic_noise": s.noise}
        calm = ct.denoise_counts(s.quarter, lambda x: denoiser(x, strength), **model)
        return s.reconstruct(calm)

    return run


def _bilateral(s: Scan, strength: float) -> Any:
    return denoise.bilateral(s.low, sigma_space=1.5, sigma_range=strength * s.level)


# name -> (domain, run, strengths)
METHODS: dict[str, tuple[str, Callable[[Scan, float], Any], tuple[float, ...]]] = {
    "FBP, quarter dose": ("-", lambda s, _: s.low, (0.0,)),
    "FBP with Hann window": (
        "filter",
        lambda s, c: s.reconstruct(s.quarter, filter="hann", cutoff=c),
        (1.0, 0.7, 0.5, 0.35),
    ),
    "PWLS": ("projections", _pwls, (300.0, 1e3, 3e3, 1e4)),
    "counts + TV": (
        "projections",
        _counts(lambda x, k: denoise.tv(x, weight=k)),
        (0.25, 0.5, 1.0, 2.0),
    ),
    "counts + NLM": (
        "projections",
        _counts(lambda x, k: denoise.nlm(x, sigma=k, patch=5)),
        (0.6, 0.8, 1.0, 1.3),
    ),
    "counts + wavelet": (
        "projections",
        _counts(lambda x, k: denoise.wavelet(x, sigma=k, wavelet="db2", cycle_spins=2)),
        (0.5, 0.75, 1.0, 1.5),
    ),
    "NLM": (
        "image",
        lambda s, k: denoise.nlm(s.low, sigma=k * s.sigma, patch=5, search=21),
        (0.6, 0.9, 1.2, 1.5),
    ),
    "TV": ("image", lambda s, k: denoise.tv(s.low, weight=k * s.level), (0.4, 0.7, 1.0, 1.5)),
    "TGV": ("image", lambda s, k: denoise.tgv(s.low, weight=k * s.level), (0.4, 0.7, 1.0, 1.5)),
    "wavelet": (
        "image",
        lambda s, k: denoise.wavelet(s.low, sigma=k * s.level, wavelet="db2", cycle_spins=2),
        (0.75, 1.0, 1.5, 2.0),
    ),
    "bilateral": ("image", _bilateral, (1.5, 2.5, 4.0)),
}


def abdomen(size: int, photons: float = 2e6, noise: float = 10.0) -> Scan:
    """The demo's abdomen without its lesions, fan beam, in Hounsfield units."""
    spacing = 224.0 / size
    volume = prc.Volume((size, size), spacing)
    body, _ = demo.phantom(0)
    x0, y0, radius = _INSERT
    insert = prc.phantom.Ellipsoids(np.array([[0.3 * demo.MU_WATER, radius, radius, x0, y0, 0.0]]))
    angles = np.linspace(0, 2 * np.pi, int(1.8 * size), endpoint=False)
    beam = prc.FanBeam(angles, int(1.5 * size), 1.5 * spacing, 600.0, 1000.0)
    exact = (body.project(beam) + insert.project(beam)).astype(np.float32)
    full = ct.simulate_dose(exact, photons, noise, seed=1)
    quarter = ct.simulate_dose(full, photons, noise, seed=2, dose_fraction=0.25)
    truth = 1000 * ((body.raster(volume) + insert.raster(volume)) / demo.MU_WATER - 1)
    y, x = np.meshgrid(*volume.axes(), indexing="ij")
    region = np.hypot(x - _LIVER[0], y - _LIVER[1]) < 16
    return Scan(
        f"abdomen, {size}^2, {photons / 4:g} photons, electronic noise {noise:g}",
        lambda lines, **options: ct.fbp(lines, beam, volume, **options),
        full,
        quarter,
        photons / 4,
        noise,
        (demo.MU_WATER, 1000 / demo.MU_WATER),
        400.0,
        truth > -500,
        spacing,
        truth,
        region,
        np.hypot(x - x0, y - y0) - radius,
    )


def tooth(folder: Path) -> Scan | None:
    """The second row of tomopy's tooth; None where the data or h5py is missing."""
    path = folder / "ct" / "tooth_parallel" / "tooth.h5"
    if not path.exists():
        return None
    import h5py

    with h5py.File(path) as file:
        data, flat, dark, angles = (
            np.asarray(file["exchange"][name])
            for name in ("data", "data_white", "data_dark", "theta")
        )
    open_beam = (flat.mean(0) - dark.mean(0)).astype(np.float64)
    # flats differ by a common factor, too: what counts is the spread of pixels about their mean
    levels = flat / flat.mean(axis=(1, 2), keepdims=True)
    spread = levels.std(axis=0, ddof=1).mean()
    photons = float(1 / spread**2)
    lines = np.asarray(ct.normalize(data, flat, dark), np.float32)[:, 1]
    lines = np.asarray(ct.remove_rings(lines), np.float32)
    assert open_beam.min() > 0
    offset = (lines.shape[1] - 1) / 2 - 295.5
    beam = prc.ParallelBeam(np.deg2rad(angles), lines.shape[1], 1.0, offset=offset)
    volume = prc.Volume((512, 512), 1.0)
    quarter = ct.simulate_dose(lines, photons, seed=2, dose_fraction=0.25)
    full = ct.fbp(lines, beam, volume)
    inside = full > 0.3 * np.percentile(full, 99)
    return Scan(
        f"tooth (real), 512^2, {photons / 4:.0f} photons",
        lambda lines, **options: ct.fbp(lines, beam, volume, **options),
        lines,
        quarter,
        photons / 4,
        0.0,
        (0.0, 1.0),
        float(np.percentile(full, 99.5)),
        inside,
        1.0,
    )


def run(scan: Scan, names: list[str]) -> list[dict[str, Any]]:
    """One row per method, at its best strength, and one for the full dose."""
    rows = [{"name": "FBP, full dose", "domain": "-", "strength": 0.0, "image": scan.full_image}]
    for name in names:
        domain, method, strengths = METHODS[name]
        images = {k: scan.scaled(method(scan, k)) for k in strengths}
        errors = {k: psnr(i, scan.target, inside=scan.inside) for k, i in images.items()}
        best = max(errors, key=errors.__getitem__)
        rows.append({"name": name, "domain": domain, "strength": best, "image": images[best]})
    for row in rows:
        image = row["image"]
        row["full"] = scan.score(image, scan.full_image) if row["domain"] != "-" else None
        if row["name"] == "FBP, quarter dose":
            row["full"] = scan.score(image, scan.full_image)
        if scan.truth is None:
            continue
        row["truth"] = scan.score(image, scan.truth)
        error = image - scan.truth
        row["bias"], row["noise"] = error[scan.region].mean(), error[scan.region].std()
        at = np.argwhere(scan.region).mean(0).astype(int)
        half = int(11 / scan.spacing)
        patch = error[at[0] - half : at[0] + half, at[1] - half : at[1] + half]
        row["frequency"] = noise_frequency(patch, scan.spacing)
        row["edge"] = edge_frequency(image, scan.edge, 4.0)
    return rows


def as_markdown(scan: Scan, rows: list[dict[str, Any]]) -> str:
    known = scan.truth is not None
    head = ["method", "works on", "strength", "to full dose, dB / SSIM"]
    if known:
        head += ["to truth, dB / SSIM", "bias, HU", "noise, HU", "NPS mean, 1/mm", "MTF50, 1/mm"]
    lines = [f"## {scan.title}", "", "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in rows:
        full = "-" if row["full"] is None else f"{row['full'][0]:.2f} / {row['full'][1]:.3f}"
        cells = [
            row["name"],
            row["domain"],
            f"{row['strength']:g}" if row["strength"] else "-",
            full,
        ]
        if known:
            cells.append(f"{row['truth'][0]:.2f} / {row['truth'][1]:.3f}")
            cells += [f"{row['bias']:+.2f}", f"{row['noise']:.1f}"]
            cells += [f"{row['frequency']:.3f}", f"{row['edge']:.3f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def draw(scan: Scan, rows: list[dict[str, Any]], path: Path) -> None:
    """All images of a scan in one window, and their difference to the target."""
    from pyrad_core import plot

    low = float(np.percentile(scan.target[scan.inside], 1)) - 0.2 * scan.peak
    panels = []
    for row in rows:
        panels.append(plot.Panel(row["image"], row["name"], window=(low, low + scan.peak)))
    plot.panels(panels, path)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ct_quarter_dose",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--save", action="store_true", help="write to benchmarks/results")
    parser.add_argument("--picture", type=Path, help="PNG of the abdomen's images")
    parser.add_argument("--size", type=int, default=512, help="voxels of the abdomen's side")
    options = parser.parse_args(arguments)
    names = [n for n in METHODS if n != "bilateral" or hasattr(denoise, "bilateral")]
    folder = Path(os.environ.get("PYRAD_CORE_DATA") or ROOT.parent / "shared" / "data")
    tables = []
    for scan in (abdomen(options.size), tooth(folder)):
        if scan is None:
            continue
        rows = run(scan, names)
        tables.append(as_markdown(scan, rows))
        print(tables[-1], flush=True)
        if options.picture and scan.truth is not None:
            draw(scan, rows, options.picture)
    if options.save:
        target = results_stem().parent / "ct-quarter-dose.md"
        text = "\n\n".join(["# From a quarter of the dose to the full one", _ABOUT, *tables])
        target.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
