"""A low-dose helical chest scan: exact projections, photon noise, raw files, and what to expect.

The scanner is a clinical one at half its sampling: a curved detector of 32 rows and 368 columns,
1.2 mm a row at the axis, pitch 1. The chest is made of ellipsoids, so that the projections are
closed forms, in the world of :mod:`pyrad_core.io.dicom_ct_pd`: x to the patient's left, y to the
back, z to the head.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

MU_WATER = 0.0192  # 1/mm
PHOTONS = 6.0e4  # open beam, per pixel and view
ELECTRONIC_NOISE = 8.0  # counts

# HU added to what lies below: amplitude, semi-axes a b c, centre x y z (mm), angle (degrees)
_CHEST = [
    (900.0, 150.0, 100.0, 400.0, 0.0, 0.0, 0.0, 0.0),  # fat, -100 HU
    (100.0, 140.0, 90.0, 400.0, 0.0, 0.0, 0.0, 0.0),  # muscle, as water
    (-800.0, 45.0, 62.0, 120.0, 68.0, -10.0, 0.0, 0.0),  # lungs
    (-800.0, 45.0, 62.0, 120.0, -68.0, -10.0, 0.0, 0.0),
    (40.0, 19.0, 28.0, 60.0, 0.0, -28.0, 0.0, 0.0),  # heart
    (150.0, 10.0, 10.0, 400.0, 11.0, 32.0, 0.0, 0.0),  # aorta with contrast
    (-950.0, 8.0, 8.0, 400.0, -6.0, 12.0, 0.0, 0.0),  # trachea
    (600.0, 18.0, 16.0, 400.0, 0.0, 62.0, 0.0, 0.0),  # vertebra
    (-570.0, 7.0, 6.0, 400.0, 0.0, 66.0, 0.0, 0.0),  # spinal canal
    (850.0, 7.0, 7.0, 7.0, 72.0, -22.0, 8.0, 0.0),  # nodules, 50 HU in the lung
    (850.0, 4.0, 4.0, 4.0, -60.0, 12.0, -10.0, 0.0),
]
_RIBS = [  # angle (degrees) and z of each
    *((25, 12), (60, -4), (120, 4), (155, -12)),
    *((205, 10), (240, -8), (300, 0), (335, 14)),
]
_RIB = (700.0, 9.0, 4.0, 7.0)  # amplitude, semi-axes

#: name, centre (x, y, z) in mm, radius, HU
REGIONS = (
    ("muscle", (0.0, -73.0, 0.0), 7.0, 0.0),
    ("muscle, left", (127.0, 8.0, 0.0), 5.0, 0.0),
    ("heart", (0.0, -28.0, 0.0), 12.0, 40.0),
    ("aorta", (11.0, 32.0, 0.0), 5.0, 150.0),
    ("lung, right", (-68.0, -30.0, 0.0), 15.0, -800.0),
    ("trachea", (-6.0, 12.0, 0.0), 4.0, -950.0),
    ("nodule", (72.0, -22.0, 8.0), 3.5, 50.0),
    ("air outside", (0.0, -120.0, 0.0), 8.0, -1000.0),
)


def chest() -> Any:
    """The ellipsoids, with attenuations in 1/mm."""
    from ..phantom import Ellipsoids

    ribs = [
        (*_RIB, 131 * np.cos(t), 85 * np.sin(t), z, np.rad2deg(t) + 90)
        for t, z in ((np.deg2rad(angle), z) for angle, z in _RIBS)
    ]
    table = np.array(_CHEST + ribs, dtype=np.float64)
    table[:, 0] *= MU_WATER / 1000
    return Ellipsoids(table)


def scanner(quick: bool = False) -> Any:
    """The helix: 2.5 turns (quick: a quarter of the columns and half of the rows)."""
    from ..geometry import ConeBeam

    coarse = 4 if quick else 1
    steps, rows, columns = 480 // coarse, 32 // min(coarse, 2), 368 // coarse
    angles = (np.arange(int(2.5 * steps)) - 1.25 * steps + 0.5) * 2 * np.pi / steps
    pixel = (70.06 / rows, 946.3 / columns)
    shift = (0.0, 0.25 * pixel[1])  # the quarter-pixel offset of clinical detectors
    return ConeBeam(angles, (rows, columns), pixel, 595.0, 1085.6, True, shift, pitch=38.4)


def write_raw(folder: Path, quick: bool = False, seed: int = 1) -> int:
    """Simulate the scan and write it as DICOM-CT-PD files; the number of views."""
    from ..ct import simulate_dose
    from ..io._ct_pd_write import write_scan

    beam = scanner(quick)
    lines = simulate_dose(
        chest().project(beam), photons=PHOTONS, electronic_noise=ELECTRONIC_NOISE, seed=seed
    )
    return len(write_scan(folder, lines, beam, mu_water=MU_WATER, photons=PHOTONS))


def measure(image: Any) -> list[dict[str, Any]]:
    """Mean and standard deviation in every region of a reconstruction in HU (an io.Image)."""
    data, inverse = image.data, np.linalg.inv(image.affine)
    rows = []
    for name, centre, radius, expected in REGIONS:
        at = inverse @ np.array([-centre[0], -centre[1], centre[2], 1.0])  # LPS to RAS to index
        z, y, x = np.meshgrid(*(np.arange(n) for n in data.shape), indexing="ij", sparse=True)
        steps = image.spacing
        distance = sum(
            ((i - c) * h) ** 2 for i, c, h in zip((z, y, x), at[2::-1], steps, strict=True)
        )
        values = data[distance <= radius**2]
        if values.size:
            rows.append(
                {
                    "region": name,
                    "expected": expected,
                    "mean": float(values.mean()),
                    "sd": float(values.std()),
                }
            )
    return rows
