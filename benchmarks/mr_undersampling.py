"""Retrospective undersampling of a fully sampled brain: error per method and acceleration.

    python -m benchmarks.mr_undersampling [--data FILE] [--save] [--picture FILE] [--ours]

The set is gpuNUFFT's ``img_brain_4ch.mat`` (4 coils, 256^2; $PYRAD_CORE_DATA or ../shared/data):
its coil images are transformed to k-space, of which a mask keeps a part. Coil maps come from the
24^2 (24 lines) in the middle of what is kept. The truth is the image that all samples give,
combined with ESPIRiT maps of all of them; NRMSE and SSIM compare magnitudes inside these maps'
support after one fitted factor, since BART's and NLINV's images come in units of their own. BART
and SigPy appear where they are installed. Every method has one weight, the best of a few at Poisson
4.
"""

from __future__ import annotations

import argparse
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
from skimage.metrics import structural_similarity

import pyrad_core as prc
from pyrad_core import mr

from . import peers
from .report import results_stem

ROOT = Path(__file__).resolve().parent.parent
RATES = (2, 3, 4, 6)
_ITERATIONS = 50
_ABOUT = """NRMSE / SSIM of magnitudes inside the head; what is measured and how is told by
`python -m benchmarks.mr_undersampling --help`."""


class Brain:
    """The fully sampled set, its truth and what is measured against it."""

    def __init__(self, path: Path):
        images = np.moveaxis(scipy.io.loadmat(path)["img"], 2, 0)
        self.kspace = mr.fft(images.astype(np.complex64))
        self.kspace /= np.abs(images).max()
        maps = mr.espirit(self.kspace)
        self.truth = np.abs(mr.combine_coils(mr.ifft(self.kspace), maps))
        self.inside = np.linalg.norm(maps, axis=0) > 0.5
        self.shape = self.truth.shape

    def scores(self, image: Any) -> tuple[float, float]:
        """(NRMSE, SSIM)."""
        found = np.abs(np.asarray(image)) * self.inside
        truth = self.truth * self.inside
        found = found * (np.vdot(found, truth) / np.vdot(found, found))
        error = float(np.linalg.norm(found - truth) / np.linalg.norm(truth))
        _, local = structural_similarity(
            truth, found.astype(truth.dtype), data_range=float(truth.max()), full=True
        )
        return error, float(local[self.inside].mean())


class Case:
    """One mask: the samples it keeps, and the maps that follow from them."""

    def __init__(self, brain: Brain, pattern: str, rate: int):
        if pattern == "regular":
            self.mask = mr.regular_mask(brain.shape, (rate, 1), calibration=(24, brain.shape[1]))
        else:
            self.mask = mr.poisson_mask(brain.shape, rate, calibration=24)
        self.regular = pattern == "regular"
        self.kspace = brain.kspace * self.mask
        self.maps = mr.espirit(self.kspace, calibration=24)

    @property
    def acceleration(self) -> float:
        return float(self.mask.size / self.mask.sum())


def _regularised(c: Case, **options: Any) -> Any:
    return mr.compressed_sensing(c.kspace, c.maps, mask=c.mask, iterations=_ITERATIONS, **options)


def _zero_filled(c: Case) -> Any:
    return mr.combine_coils(mr.ifft(c.kspace), c.maps)


def _cg_sense(c: Case) -> Any:
    return mr.cg_sense(c.kspace, c.maps, mask=c.mask, iterations=20, regularization=1e-2)


def _grappa(c: Case) -> Any:
    return (
        mr.combine_coils(mr.ifft(mr.grappa(c.kspace, mask=c.mask)), c.maps) if c.regular else None
    )


def _spirit(c: Case) -> Any:
    return mr.combine_coils(mr.ifft(mr.spirit(c.kspace, mask=c.mask)), c.maps)


def _nlinv(c: Case) -> Any:
    image, maps = mr.nlinv(c.kspace, mask=c.mask)
    return np.abs(image) * np.linalg.norm(maps, axis=0)


def _bart(options: str) -> Callable[[Case], Any]:
    return lambda c: peers.bart_pics(f"-S {options}", c.kspace, c.maps)()


def _sigpy_wavelet(c: Case) -> Any:
    return peers.sigpy_wavelet(c.kspace, c.maps, weight=0.002, iterations=_ITERATIONS)()


def _sigpy_sense(c: Case) -> Any:
    return peers.sigpy_sense(c.kspace, c.maps, None, regularization=1e-2, iterations=20)()


# name -> (whose, reconstruction)
METHODS: dict[str, tuple[str, Callable[[Case], Any]]] = {
    "zero-filled": ("pyrad_core", _zero_filled),
    "CG-SENSE": ("pyrad_core", _cg_sense),
    "GRAPPA": ("pyrad_core", _grappa),
    "SPIRiT": ("pyrad_core", _spirit),
    "NLINV": ("pyrad_core", _nlinv),
    "L1-wavelet": ("pyrad_core", lambda c: _regularised(c, weight=2e-3)),
    "TV": ("pyrad_core", lambda c: _regularised(c, prior="tv", weight=1e-3)),
    "L1-wavelet + TV": (
        "pyrad_core",
        lambda c: _regularised(c, prior=("wavelet", "tv"), weight=(1e-3, 5e-4)),
    ),
    "SENSE (BART)": ("bart", _bart("-i20 -l2 -r0.01")),
    "L1-wavelet (BART)": ("bart", _bart(f"-i{_ITERATIONS} -R W:3:0:0.002")),
    "TV (BART)": ("bart", _bart(f"-i{_ITERATIONS} -u0.1 -R T:3:0:0.001")),
    "SENSE (SigPy)": ("sigpy", _sigpy_sense),
    "L1-wavelet (SigPy)": ("sigpy", _sigpy_wavelet),
}


def available(whose: str) -> bool:
    if whose == "bart":
        return shutil.which("bart") is not None
    if whose == "sigpy":
        try:
            import sigpy.mri.app  # noqa: F401
        except ImportError:
            return False
    return True


def run(brain: Brain, names: list[str]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Scores and magnitude images: {case: {method: (nrmse, ssim)}}, {case: {method: image}}."""
    scores: dict[str, dict[str, Any]] = {}
    images: dict[str, Any] = {}
    for pattern in ("regular", "poisson"):
        for rate in RATES:
            case = Case(brain, pattern, rate)
            title = f"{pattern} {rate} ({case.acceleration:.1f}x)"
            scores[title], images[title] = {}, {}
            for name in names:
                recon = METHODS[name][1]
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", prc.PyradWarning)
                    image = recon(case)
                if image is None:
                    continue
                scores[title][name] = brain.scores(image)
                images[title][name] = np.abs(np.asarray(image))
                error, similarity = scores[title][name]
                print(f"{title}: {name} {error:.4f} {similarity:.3f}", flush=True)
    return scores, images


def as_markdown(scores: dict[str, dict[str, Any]], names: list[str]) -> str:
    """NRMSE / SSIM, one column per mask."""
    lines = ["| NRMSE / SSIM | " + " | ".join(scores) + " |", "|---" * (len(scores) + 1) + "|"]
    for name in names:
        cells = [scores[t].get(name) for t in scores]
        texts = ["-" if c is None else f"{c[0]:.3f} / {c[1]:.3f}" for c in cells]
        lines.append(f"| {name} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def draw(brain: Brain, images: dict[str, Any], names: list[str], path: Path) -> None:
    """One row per method at Poisson 4 and regular 3: image, five times the error."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    chosen = [t for t in images if t.startswith(("poisson 4", "regular 3"))]
    figure, axes = pyplot.subplots(
        2 * len(chosen), len(names) + 1, figsize=(2 * len(names) + 2, 4.2 * len(chosen))
    )
    top = float(brain.truth.max()) * 0.8
    for row, title in enumerate(chosen):
        for column, name in enumerate(["truth", *names]):
            image = brain.truth if name == "truth" else images[title].get(name)
            for part in (0, 1):
                axes[2 * row + part, column].axis("off")
            if image is None:
                continue
            shown = image * brain.inside
            axes[2 * row, column].imshow(shown, cmap="gray", vmin=0, vmax=top)
            axes[2 * row, column].set_title(f"{name}\n{title}", fontsize=7)
            error = 5 * np.abs(shown - brain.truth * brain.inside)
            axes[2 * row + 1, column].imshow(error, cmap="gray", vmin=0, vmax=top)
    figure.tight_layout(pad=0.2)
    figure.savefig(path, dpi=110)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mr_undersampling",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, help="img_brain_4ch.mat")
    parser.add_argument("--save", action="store_true", help="write to benchmarks/results")
    parser.add_argument("--picture", type=Path, help="PNG of images and errors (matplotlib)")
    parser.add_argument("--ours", action="store_true", help="without the other libraries")
    options = parser.parse_args(arguments)
    folder = Path(os.environ.get("PYRAD_CORE_DATA") or ROOT.parent / "shared" / "data")
    path = options.data or folder / "mr" / "gpunufft" / "img_brain_4ch.mat"
    if not path.exists():
        parser.error(f"{path} not found; give --data or set PYRAD_CORE_DATA")
    whose = {name: METHODS[name][0] for name in METHODS}
    names = [
        n
        for n in METHODS
        if (available(whose[n]) if not options.ours else whose[n] == "pyrad_core")
    ]
    brain = Brain(path)
    scores, images = run(brain, names)
    table = as_markdown(scores, names)
    print(table)
    if options.save:
        target = results_stem().parent / "mr-undersampling.md"
        title = "# Retrospective undersampling, 4-coil brain, 256^2"
        target.write_text(f"{title}\n\n{_ABOUT}\n\n{table}\n", encoding="utf-8")
    if options.picture:
        draw(brain, images, names, options.picture)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
