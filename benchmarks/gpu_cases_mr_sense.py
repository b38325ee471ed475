"""Cases of iterative SENSE: both normal operators, off-resonance, steps of conjugate gradients."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.gpu_cases import case, job, kernel


def _problem(tiny: bool) -> dict:
    from pyrad_core import mr, phantom

    spokes, samples, n, coils = (9, 24, 12, 2) if tiny else (402, 512, 256, 12)
    k = mr.radial(spokes, samples, n)
    maps = np.asarray(phantom.coil_maps(coils, (n, n)), np.complex64)
    return {"maps": maps, "coordinates": k}


def _image(n: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.standard_normal((n, n)) + 1j * rng.standard_normal((n, n))).astype(np.complex64)


def _gram(maps, coordinates, image, normal, repeats):
    from pyrad_core import mr

    operator = mr.Sense(maps, coordinates=coordinates, normal=normal)
    for _ in range(repeats):
        image = operator.gram.forward(image)
    return image


for _normal in ("nufft", "toeplitz"):

    @case(f"mr.Sense gram {_normal}, 12 coils 256^2, 402 spokes x 512, with its plan")
    def _(tiny, normal=_normal):
        p = _problem(tiny)
        image = _image(p["maps"].shape[-1])
        call = partial(_gram, normal=normal, repeats=1)
        return job(call, {**p, "image": image}, tolerance=1e-3)


def _graph(kspace, maps, coordinates, steps):
    from pyrad_core import mr

    operator = mr.Sense(maps, coordinates=coordinates)
    iteration = mr.ConjugateGradients(operator, kspace, regularization=1e-2)
    iteration.capture()
    for _ in range(steps):
        iteration.step()
    return iteration.x


@case("mr.ConjugateGradients in a CUDA graph, 12 coils 256^2, 402 x 512, 20 steps")
def _(tiny):
    from pyrad_core import mr

    p = _problem(tiny)
    image = _image(p["maps"].shape[-1])
    kspace = mr.Sense(p["maps"], coordinates=p["coordinates"]).forward(image)
    return job(partial(_graph, steps=3 if tiny else 20), {"kspace": kspace, **p}, tolerance=1e-2)


@case("mr.toeplitz_maps, 12 coils 256^2")
def _(tiny):
    n, lanes = (6, 2) if tiny else (256, 12)
    rng = np.random.default_rng(0)
    maps = (rng.standard_normal((1, 1, n, n, lanes)) + 1j).astype(np.complex64)
    arguments = {
        "images": _image(n)[None, None],
        "maps": maps,
        "spectrum": rng.random((1, 2 * n, 2 * n)).astype(np.float32),
        "work": np.zeros((1, n, 2 * n, lanes), np.complex64),
        "out": np.zeros((1, 1, n, n), np.complex64),
    }
    return kernel("toeplitz_maps", arguments, ("out",))


@case("mr.toeplitz_images, 12 coils 256^2")
def _(tiny):
    n, lanes = (6, 2) if tiny else (256, 12)
    rng = np.random.default_rng(0)
    arguments = {
        "images": np.repeat(_image(n)[None, None], lanes, axis=0),
        "spectrum": rng.random((1, 2 * n, 2 * n)).astype(np.float32),
        "work": np.zeros((1, n, 2 * n, lanes), np.complex64),
        "out": np.zeros((lanes, 1, n, n), np.complex64),
    }
    return kernel("toeplitz_images", arguments, ("out",))


@case("mr.scale_lanes, 206k samples, 12 coils")
def _(tiny):
    count, lanes = (50, 3) if tiny else (402 * 512, 12)
    rng = np.random.default_rng(0)
    values = (rng.standard_normal((count, lanes)) + 1j).astype(np.complex64)
    arguments = {"values": values, "factors": values[:, 0].copy()}
    flags = {"conjugate": True, "accumulate": False}
    return kernel("scale_lanes", {**arguments, **flags, "out": np.zeros_like(values)}, ("out",))


def _vectors(tiny: bool) -> dict:
    rng = np.random.default_rng(0)
    p, q, x, r = rng.standard_normal((4, 2, 40 if tiny else 2 * 256 * 256)).astype(np.float32)
    state = np.array([[2.0, 1.0, 0.5]] * 2)
    return {"p": p, "q": q, "x": x, "r": r, "state": state}


@case("mr.cg_curvature, 2 x 256^2 complex")
def _(tiny):
    v = _vectors(tiny)
    arguments = {"p": v["p"], "regularization": 0.1, "q": v["q"], "state": v["state"]}
    return kernel("cg_curvature", arguments, ("q", "state"))


@case("mr.cg_step, 2 x 256^2 complex")
def _(tiny):
    return kernel("cg_step", _vectors(tiny), ("x", "r", "state"))


@case("mr.cg_turn, 2 x 256^2 complex")
def _(tiny):
    v = _vectors(tiny)
    return kernel("cg_turn", {name: v[name] for name in ("r", "p", "state")}, ("p", "state"))
