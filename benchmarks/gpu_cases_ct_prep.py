"""GPU cases of what comes before and after CT reconstruction; see gpu_cases.py."""

from __future__ import annotations

import numpy as np

from .gpu_cases import case, job, kernel


def _uniform(low, high, shape, dtype=np.float32):
    return np.random.default_rng(0).uniform(low, high, shape).astype(dtype)


def _scan(tiny):
    """Views, rows, columns."""
    return (7, 3, 41) if tiny else (720, 128, 1024)


@case("ct.normalize uint16")
def _(tiny):
    from pyrad_core import ct

    shape = _scan(tiny)
    counts = _uniform(200, 50_000, shape, np.uint16)
    flat = _uniform(55e3, 60e3, shape[1:])
    dark = _uniform(90, 110, shape[1:])
    arrays = {"counts": counts, "flat": flat, "dark": dark}
    return job(
        lambda counts, flat, dark: ct.normalize(counts, flat, dark),
        arrays,
        bytes=3 * counts.nbytes,
    )


@case("ct.fill_rows float32")
def _(tiny):
    views, rows, columns = _scan(tiny)
    shape = (views * rows, columns)
    mask = np.zeros(shape, np.uint8)
    mask[:, columns // 3 : columns // 3 + columns // 20] = 1
    arguments = {"x": _uniform(0, 5, shape), "mask": mask, "out": np.zeros(shape, np.float32)}
    return kernel("fill_rows", arguments, outputs=("out",))


@case("ct.simulate_dose")
def _(tiny):
    from pyrad_core import ct

    lines = _uniform(0, 6, _scan(tiny))
    return job(
        lambda x: ct.simulate_dose(x, 1e5, 5.0, seed=1), {"x": lines}, bytes=2 * lines.nbytes
    )


@case("ct.remove_rings sorting")
def _(tiny):
    from pyrad_core import ct

    lines = _uniform(0, 3, (9, 2, 41) if tiny else (1500, 16, 2048))
    return job(ct.remove_rings, {"projections": lines}, bytes=2 * lines.nbytes)


def _spectrum():
    """Weights and two materials' attenuations, 60 energies."""
    energy = np.linspace(30.0, 120.0, 60)
    water, bone = 0.02 * (60 / energy) ** 0.8, 0.06 * (60 / energy) ** 1.5
    return np.ascontiguousarray([np.full(60, 1 / 60), water, bone])


@case("ct.apply_table float32")
def _(tiny):
    lines = _uniform(0, 8, int(np.prod(_scan(tiny))))
    table = np.linspace(0, 9, 4096, dtype=np.float32) ** 1.1
    arguments = {"x": lines, "table": table, "step": 8 / 4095, "out": np.zeros_like(lines)}
    return kernel("apply_table", arguments, outputs=("out",), bytes=2 * lines.nbytes)


@case("ct.apply_polynomial float32")
def _(tiny):
    lines = _uniform(0, 8, int(np.prod(_scan(tiny))))
    c = np.array([1.0, 0.02, 1e-3, -1e-4], np.float32)
    arguments = {"x": lines, "coefficients": c, "out": np.zeros_like(lines)}
    return kernel("apply_polynomial", arguments, outputs=("out",), bytes=2 * lines.nbytes)


@case("ct.two_material_lines float32")
def _(tiny):
    n = 500 if tiny else 1 << 24
    arguments = {
        "x": _uniform(0, 8, n),
        "lengths": _uniform(0, 30, n),
        "spectrum": _spectrum(),
        "first_mono": 0.019,
        "second_mono": 0.055,
        "out": np.zeros(n, np.float32),
    }
    return kernel("two_material_lines", arguments, outputs=("out",), host=("spectrum",))


@case("ct.denoise_projections, 20 iterations")
def _(tiny):
    from pyrad_core import ct

    lines = _uniform(0, 5, _scan(tiny))
    return job(
        lambda x: ct.denoise_projections(x, photons=1e4, strength=1e3, iterations=20, tol=1e-12),
        {"x": lines},
        bytes=20 * 14 * lines.nbytes,
        tolerance=1e-3,
    )
