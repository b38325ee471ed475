"""The limited-angle scans of the Helsinki Tomography Challenge 2022, scored as the challenge did.

    python -m benchmarks.htc_limited_angle [--data DIR] [--size 512] [--iterations 200]
                                           [--pictures DIR]

Disc tb, an acrylic disc with holes, from 549 views and from spans of 90 down to 30 degrees. From
the full scan by FBP and CGLS; from every span by FBP, SIRT and TV. The TV reconstruction knows what
a user knows: attenuation is between 0 and acrylic's, and 0 outside the disc, whose place follows
from the edges of its shadow in the views given. The image is cut by Otsu's threshold and compared
with the challenge's segmentation by Matthews' correlation coefficient, times 100.

Data: doi:10.5281/zenodo.8041800.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

import pyrad_core as prc

PIXELS, WIDTH = 512, 0.14832  # of the challenge's grid; mm
ACRYLIC = 0.034  # 1/mm at 45 kV, the median of the disc reconstructed from all views
WEIGHT = 2e-4  # of TV, as a part of the largest entry of A^T y
SPANS = ((27, 117), (27, 87), (27, 77), (27, 67), (27, 57), (299, 329))


def read_disc(folder: Path) -> tuple[np.ndarray, prc.FanBeam]:
    """Line integrals and scan of disc tb from all 549 views."""
    with np.load(folder / "htc2022_tb_merged.npz") as file:
        angles, pixel = np.radians(file["angles_deg"]), float(file["pixel_mm"])
        distances = float(file["sod_mm"]), float(file["sdd_mm"])
        return file["sinogram"].astype(np.float32), prc.FanBeam(angles, 560, pixel, *distances)


def read_category7(path: Path) -> tuple[np.ndarray, prc.FanBeam]:
    """Line integrals and scan of one of the challenge's files, 61 views over 30 degrees."""
    from scipy.io import loadmat

    data = loadmat(path, simplify_cells=True)["CtDataLimited"]
    found = data["parameters"]
    scan = prc.FanBeam(
        np.radians(found["angles"]),
        int(found["numDetectorsPost"]),
        float(found["pixelSizePost"]),
        float(found["distanceSourceOrigin"]),
        float(found["distanceSourceDetector"]),
    )
    return data["sinogram"].astype(np.float32), scan


def read_truth(folder: Path) -> np.ndarray:
    """The challenge's segmentation of disc tb, y upwards as in our world."""
    from skimage.io import imread

    return np.asarray(imread(folder / "tb_groundtruth.png"))[::-1] > 0


def grid(size: int) -> prc.Volume:
    return prc.Volume((size, size), WIDTH * PIXELS / size)


def span_of(lines: np.ndarray, scan: prc.FanBeam, first: float, last: float) -> Any:
    degrees = np.degrees(scan.angles)
    chosen = (degrees > first - 1e-6) & (degrees < last + 1e-6)
    return lines[chosen], scan.subset(chosen)


def fit_disc(lines: np.ndarray, scan: prc.FanBeam) -> tuple[float, float, float]:
    """(x, y, radius) of the circle to which the rays at both edges of the shadow are tangent."""
    start, direction = (part[..., :2] for part in scan.rays())
    normal = np.stack([direction[..., 1], -direction[..., 0]], axis=-1)
    distance = (normal * start).sum(axis=-1)  # of every ray from the axis, signed
    inside = lines > 0.05 * np.quantile(lines, 0.99)
    rows, values = [], []
    for view in np.flatnonzero(inside.any(axis=1)):
        columns = np.flatnonzero(inside[view])
        ends = columns[0], columns[-1]
        middle = 0.5 * (distance[view, ends[0]] + distance[view, ends[1]])
        for end in ends:
            side = 1.0 if distance[view, end] > middle else -1.0
            rows.append([*normal[view, end], side])
            values.append(distance[view, end])
    x, y, radius = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    return float(x), float(y), float(radius)


def disc_mask(volume: prc.Volume, lines: np.ndarray, scan: prc.FanBeam) -> np.ndarray:
    x, y, radius = fit_disc(lines, scan)
    rows, columns = np.meshgrid(*volume.axes(), indexing="ij")
    return np.hypot(columns - x, rows - y) < radius + 0.2


def limited_angle_tv(
    lines: np.ndarray, scan: prc.FanBeam, volume: prc.Volume, iterations: int
) -> np.ndarray:
    projector = prc.ct.Projector(scan, volume)
    return prc.ct.recon(
        lines,
        scan,
        volume,
        method="tv",
        iterations=iterations,
        weight=WEIGHT * float(projector.adjoint(lines).max()),
        balance=3.0,
        maximum=ACRYLIC,
        mask=disc_mask(volume, lines, scan),
    )


def score(image: np.ndarray, truth: np.ndarray) -> float:
    """Matthews' correlation of the image, cut by Otsu's threshold, with the truth, times 100."""
    from skimage.filters import threshold_otsu

    repeat = truth.shape[0] // image.shape[0]
    found = np.kron(image > threshold_otsu(image), np.ones((repeat, repeat), bool))
    both, neither = float((found & truth).sum()), float((~found & ~truth).sum())
    extra, missed = float((found & ~truth).sum()), float((~found & truth).sum())
    product = (both + extra) * (both + missed) * (neither + extra) * (neither + missed)
    return 100 * (both * neither - extra * missed) / product**0.5 if product else 0.0


def cases(folder: Path, volume: prc.Volume, iterations: int) -> Iterable[tuple[str, Any]]:
    """(name, call that reconstructs) of every row of the table."""
    lines, scan = read_disc(folder)
    yield "549 views, FBP (hann)", lambda: prc.ct.fbp(lines, scan, volume, filter="hann")
    yield (
        "549 views, CGLS 15",
        lambda: prc.ct.recon(lines, scan, volume, method="cgls", iterations=15),
    )
    for first, last in SPANS:
        part, few = span_of(lines, scan, first, last)
        name = f"{last - first} degrees from {first}, {few.views} views"
        yield f"{name}, FBP (hann)", lambda p=part, s=few: prc.ct.fbp(p, s, volume, filter="hann")
        yield (
            f"{name}, SIRT 100",
            lambda p=part, s=few: prc.ct.recon(
                p, s, volume, method="sirt", maximum=ACRYLIC, mask=disc_mask(volume, p, s)
            ),
        )
        yield (
            f"{name}, TV {iterations}",
            lambda p=part, s=few: limited_angle_tv(p, s, volume, iterations),
        )


def main() -> None:
    usual = os.environ.get("PYRAD_CORE_DATA") or Path(__file__).parents[2] / "shared" / "data"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(usual, "ct", "htc2022_fanbeam"))
    parser.add_argument("--size", type=int, default=PIXELS, choices=(128, 256, 512))
    parser.add_argument("--iterations", type=int, default=200)
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    truth, volume = read_truth(options.data), grid(options.size)
    print(f"disc tb on {options.size} x {options.size}: Matthews correlation x 100, seconds")
    for name, run in cases(options.data, volume, options.iterations):
        begin = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", prc.PyradWarning)  # that the angle is limited
            image = run()
        seconds = time.perf_counter() - begin
        print(f"{name:45s} {score(image, truth):6.2f} {seconds:7.1f}", flush=True)
        if options.pictures:
            options.pictures.mkdir(parents=True, exist_ok=True)
            stem = name.replace(",", "").replace(" ", "_").replace("(", "").replace(")", "")
            prc.plot.preview(image, options.pictures / f"{stem}.png", title=name)


if __name__ == "__main__":
    main()
