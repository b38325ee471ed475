"""Cases of the finite differences and the update steps of iterative reconstruction."""

from __future__ import annotations

import numpy as np

from benchmarks.gpu_cases import case, kernel

_SPACING = {"inverse_spacing": [1.0, 1.0, 0.5]}


def _volume(tiny: bool, *lead: int) -> np.ndarray:
    shape = (5, 6, 33) if tiny else (256, 256, 256)
    return np.random.default_rng(0).standard_normal((*lead, *shape)).astype(np.float32)


@case("differences.difference float32")
def _(tiny):
    x = _volume(tiny)
    return kernel(
        "difference", {"x": x, **_SPACING, "out": np.zeros_like(_volume(tiny, 3))}, ("out",)
    )


@case("differences.difference_adjoint float32")
def _(tiny):
    field = _volume(tiny, 3)
    out = np.zeros_like(field[0])
    return kernel("difference_adjoint", {"field": field, **_SPACING, "out": out}, ("out",))


@case("differences.difference_ascent float32")
def _(tiny):
    arguments = {"x": _volume(tiny), **_SPACING, "step": 0.3, "radius": 0.7, "isotropic": True}
    return kernel("difference_ascent", {**arguments, "field": _volume(tiny, 3)}, ("field",))


@case("differences.roughness_gradient float32")
def _(tiny):
    arguments = {"x": _volume(tiny), **_SPACING, "delta": 0.1, "huber": False, "isotropic": False}
    out = np.zeros_like(arguments["x"])
    return kernel("roughness_gradient", {**arguments, "scale": 0.5, "out": out}, ("out",))


def _vectors(tiny: bool, names: str) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    size = 1000 if tiny else 1 << 26
    return {name: rng.standard_normal(size).astype(np.float32) for name in names.split()}


@case("steps.scaled_step float32")
def _(tiny):
    return kernel("scaled_step", {"step": 0.5, "low": 0.0, **_vectors(tiny, "scale update x")},
                  ("x",))  # fmt: skip


@case("steps.momentum_step float32")
def _(tiny):
    numbers = {"factor": 0.9, "weight": 1.5, "mix": 0.3, "low": 0.0}
    arrays = _vectors(tiny, "gradient scale start sum z x")
    return kernel("momentum_step", {**numbers, **arrays}, ("sum", "z", "x"))
