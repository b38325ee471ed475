"""What benchmarks/gpu.py runs: one case per CUDA kernel, and one per main job.

A case is a function of ``tiny`` (sizes for the emulator) that returns a Problem. Add one with

    @case("area.kernel float32")
    def _(tiny):
        n = 33 if tiny else 512
        return kernel("name in both tables", {"x": ..., "out": ...}, outputs=("out",), size=n)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

CASES: dict[str, Callable[[bool], Problem]] = {}


@dataclass
class Problem:
    """Arrays to move to the device, and what to do with them there."""

    arrays: dict[str, np.ndarray]
    run: Callable[[Any, dict[str, Any]], Any]  # (kernel table, arrays) -> array(s)
    text: str
    bytes: int  # inputs read once and results written once
    tolerance: float = 1e-5  # relative L2 error against the CPU


def case(name: str) -> Callable[[Callable[[bool], Problem]], None]:
    def add(make: Callable[[bool], Problem]) -> None:
        assert name not in CASES, name
        CASES[name] = make

    return add


def kernel(
    name: str,
    arguments: dict[str, Any],
    outputs: tuple[str, ...],
    *,
    host: tuple[str, ...] = (),
    bytes: int | None = None,
    tolerance: float = 1e-5,
) -> Problem:
    """Problem of one kernel: arguments by parameter name, those in ``outputs`` compared.

    Arrays named in ``host`` are small tables that the launcher takes from the host.
    """
    arrays = {k: v for k, v in arguments.items() if isinstance(v, np.ndarray) and k not in host}
    scalars = {k: v for k, v in arguments.items() if k not in arrays}

    def run(table: Any, on_device: dict[str, Any]) -> Any:
        answer = getattr(table, name)(**on_device, **scalars)
        return tuple(on_device[k] for k in outputs) or answer

    text = ", ".join(f"{k} {v.shape}" for k, v in arrays.items())
    moved = sum(a.nbytes for a in arrays.values()) if bytes is None else bytes
    return Problem(arrays, run, text, moved, tolerance)


def job(
    call: Callable[..., Any],
    arrays: dict[str, np.ndarray],
    *,
    bytes: int | None = None,
    tolerance: float = 1e-4,
) -> Problem:
    """Problem of a public function of the arrays, given by name."""
    return planned(lambda **a: lambda: call(**a), arrays, bytes=bytes, tolerance=tolerance)


def planned(
    plan: Callable[..., Callable[[], Any]],
    arrays: dict[str, np.ndarray],
    *,
    bytes: int | None = None,
    tolerance: float = 1e-4,
) -> Problem:
    """As job(), with preparations that are not timed: ``plan(**arrays)`` returns the call."""
    plans: dict[int, tuple[dict[str, Any], Callable[[], Any]]] = {}

    def run(_: Any, on_device: dict[str, Any]) -> Any:
        if id(on_device) not in plans:  # kept with its key, which must not be used again
            plans[id(on_device)] = on_device, plan(**on_device)
        return plans[id(on_device)][1]()

    text = ", ".join(f"{k} {v.shape}" for k, v in arrays.items())
    moved = sum(a.nbytes for a in arrays.values()) if bytes is None else bytes
    return Problem(arrays, run, text, moved, tolerance)


def _normal(shape: Any, dtype: Any = np.float32) -> np.ndarray:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


# --- base ---------------------------------------------------------------------------------------


@case("base.count_nonfinite float32")
def _(tiny):
    x = _normal(1000 if tiny else 1 << 28)
    x[17] = np.nan
    return kernel("count_nonfinite", {"x": x}, outputs=())


@case("base.inner_product float32")
def _(tiny):
    n = 1000 if tiny else 1 << 27
    return kernel("inner_product", {"a": _normal(n), "b": _normal(n)[::-1].copy()}, outputs=())


@case("base.axpby float32")
def _(tiny):
    n = 1000 if tiny else 1 << 27
    arguments = {"alpha": 0.5, "x": _normal(n), "beta": -1.0, "out": np.ones(n, np.float32)}
    return kernel("axpby", arguments, outputs=("out",), bytes=3 * 4 * n)


# --- wavelet ------------------------------------------------------------------------------------


def _filters(side: str) -> np.ndarray:
    """Low and high filter of db4, "decomposition" or "reconstruction"."""
    from pyrad_core.wavelet import Wavelet

    return getattr(Wavelet("db4"), side)


for _dtype in ("float32", "float64"):

    @case(f"wavelet.dwt_analysis {_dtype}")
    def _(tiny, dtype=_dtype):
        from pyrad_core.wavelet import modes

        outer, n, inner = (3, 40, 5) if tiny else (512, 512, 512)
        half = np.zeros((outer, n // 2, inner), dtype)
        arguments = {
            "x": _normal((outer, n, inner), dtype),
            "filters": _filters("decomposition"),
            "mode": modes.index("periodization"),
            "low": half,
            "high": half.copy(),
        }
        return kernel("dwt_analysis", arguments, outputs=("low", "high"), host=("filters",))

    @case(f"wavelet.dwt_synthesis {_dtype}")
    def _(tiny, dtype=_dtype):
        outer, n, inner = (3, 40, 5) if tiny else (512, 512, 512)
        arguments = {
            "low": _normal((outer, n // 2, inner), dtype),
            "high": _normal((outer, n // 2, inner), dtype),
            "filters": _filters("reconstruction"),
            "periodization": True,
            "out": np.zeros((outer, n, inner), dtype),
        }
        return kernel("dwt_synthesis", arguments, outputs=("out",), host=("filters",))

    @case(f"wavelet.swt_analysis {_dtype}")
    def _(tiny, dtype=_dtype):
        outer, n, inner = (3, 40, 5) if tiny else (512, 512, 512)
        out = np.zeros((outer, n, inner), dtype)
        arguments = {
            "x": _normal((outer, n, inner), dtype),
            "filters": _filters("decomposition"),
            "low": out,
            "high": out.copy(),
        }
        return kernel("swt_analysis", arguments, outputs=("low", "high"), host=("filters",))

    @case(f"wavelet.swt_synthesis {_dtype}")
    def _(tiny, dtype=_dtype):
        outer, n, inner = (3, 40, 5) if tiny else (512, 512, 512)
        arguments = {
            "low": _normal((outer, n, inner), dtype),
            "high": _normal((outer, n, inner), dtype),
            "filters": _filters("reconstruction"),
            "out": np.zeros((outer, n, inner), dtype),
        }
        return kernel("swt_synthesis", arguments, outputs=("out",), host=("filters",))


@case("wavelet.dwtn db4 3D")
def _(tiny):
    from pyrad_core import wavelet

    x = _normal((8, 12, 10) if tiny else (256, 256, 256))
    return job(lambda x: wavelet.dwtn(x, "db4", "periodization"), {"x": x}, bytes=2 * x.nbytes)


# --- ct -----------------------------------------------------------------------------------------


def _parallel(tiny: bool) -> tuple[Any, Any]:
    import pyrad_core as prc

    views, columns, size = (12, 47, 32) if tiny else (720, 736, 512)
    angles = np.arange(views) * np.pi / views
    return prc.ParallelBeam(angles, columns), prc.Volume((size, size))


def _fan(tiny: bool) -> tuple[Any, Any]:
    import pyrad_core as prc

    views, columns, size = (24, 47, 32) if tiny else (720, 736, 512)
    angles = np.arange(views) * 2 * np.pi / views
    beam = prc.FanBeam(angles, columns, 2.0, 4.0 * size, 8.0 * size)
    return beam, prc.Volume((size, size))


def _arc(tiny: bool) -> tuple[Any, Any]:
    beam, volume = _fan(tiny)
    return beam.replace(curved=True), volume


for _beam in (_parallel, _fan, _arc):
    _name = _beam.__name__[1:]

    @case(f"ct.fbp {_name} 512^2 x 720 x 736")
    def _(tiny, beam=_beam):
        from pyrad_core import ct

        geometry, volume = beam(tiny)
        x = _normal((len(geometry.angles), geometry.columns))
        moved = x.nbytes + 4 * volume.shape[0] * volume.shape[1]
        return job(lambda x: ct.fbp(x, geometry, volume), {"x": x}, bytes=moved)

    @case(f"ct.Projector {_name} forward 512^2 x 720 x 736")
    def _(tiny, beam=_beam):
        from pyrad_core import ct

        projector = ct.Projector(*beam(tiny))
        x = _normal(projector.domain_shape)
        moved = 4 * int(np.prod(projector.domain_shape) + np.prod(projector.range_shape))
        return job(lambda x: projector.forward(x), {"x": x}, bytes=moved)

    @case(f"ct.Projector {_name} adjoint 512^2 x 720 x 736")
    def _(tiny, beam=_beam):
        from pyrad_core import ct

        projector = ct.Projector(*beam(tiny))
        y = _normal(projector.range_shape)
        moved = 4 * int(np.prod(projector.domain_shape) + np.prod(projector.range_shape))
        return job(lambda y: projector.adjoint(y), {"y": y}, bytes=moved)


def _stack(tiny: bool) -> tuple[Any, Any]:
    """Parallel beams onto many slices."""
    import pyrad_core as prc

    beam, volume = _parallel(tiny)
    slices = 5 if tiny else 64
    return (
        prc.ParallelBeam(beam.angles, (slices, beam.columns)),
        prc.Volume((slices, *volume.shape)),
    )


@case("ct.fbp parallel 64 x 512^2 x 720 x 736")
def _(tiny):
    from pyrad_core import ct

    geometry, volume = _stack(tiny)
    x = _normal(geometry.projection_shape)
    moved = x.nbytes + 4 * volume.size
    return job(lambda x: ct.fbp(x, geometry, volume), {"x": x}, bytes=moved)


@case("ct.Projector parallel pair 64 x 512^2 x 720 x 736")
def _(tiny):
    from pyrad_core import ct

    projector = ct.Projector(*_stack(tiny))
    x = _normal(projector.domain_shape)
    moved = 8 * int(np.prod(projector.domain_shape) + np.prod(projector.range_shape))
    return job(lambda x: projector.adjoint(projector.forward(x)), {"x": x}, bytes=moved)


# --- mr -----------------------------------------------------------------------------------------


def _radial(tiny: bool) -> tuple[np.ndarray, tuple[int, int], int]:
    """Spokes in cycles per field of view, image shape, coils."""
    spokes, readout, size, coils = (9, 24, 16, 2) if tiny else (402, 512, 256, 12)
    angles = np.arange(spokes) * np.pi / spokes
    radius = (np.arange(readout) - readout // 2) / readout * size
    direction = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
    return (direction[:, None] * radius[:, None]).astype(np.float32), (size, size), coils


@case("mr.NUFFT forward, 12 coils 256^2, 402 spokes x 512")
def _(tiny):
    from pyrad_core import mr

    k, shape, coils = _radial(tiny)
    x = _normal((coils, *shape), np.complex64)

    def plan(k, x):
        nufft = mr.NUFFT(k, shape)
        return lambda: nufft.forward(x)

    moved = x.nbytes + 8 * coils * k.size // 2 + k.nbytes
    return planned(plan, {"k": k, "x": x}, bytes=moved)


@case("mr.NUFFT adjoint, 12 coils 256^2, 402 spokes x 512")
def _(tiny):
    from pyrad_core import mr

    k, shape, coils = _radial(tiny)
    y = _normal((coils, *k.shape[:-1]), np.complex64)

    def plan(k, y):
        nufft = mr.NUFFT(k, shape)
        return lambda: nufft.adjoint(y)

    moved = y.nbytes + 8 * coils * shape[0] * shape[1] + k.nbytes
    return planned(plan, {"k": k, "y": y}, bytes=moved)


@case("mr.grid_pad_maps, 12 coils 256^3")
def _(tiny):
    n, lanes = (6, 4) if tiny else (256, 12)
    arguments = {
        "image": _normal((n, n, n), np.complex64),
        "maps": _normal((n, n, n, lanes), np.complex64),
        "grid": np.zeros((n, n + 2, n + n // 2, lanes), np.complex64),
    }
    return kernel("grid_pad_maps", arguments, outputs=("grid",))


@case("mr.grid_crop_maps, 12 coils 256^3")
def _(tiny):
    n, lanes = (6, 4) if tiny else (256, 12)
    arguments = {
        "grid": _normal((n, n + 2, n + n // 2, lanes), np.complex64),
        "maps": _normal((n, n, n, lanes), np.complex64),
        "image": np.zeros((n, n, n), np.complex64),
    }
    moved = 8 * n**3 * (2 * lanes + 1)
    return kernel("grid_crop_maps", arguments, outputs=("image",), bytes=moved)


def _coil_images(tiny: bool) -> tuple[np.ndarray, np.ndarray]:
    """Maps and images of 8 coils (4 where tiny), with a little noise."""
    from pyrad_core import phantom

    coils, size = (4, 28) if tiny else (8, 256)
    maps = np.asarray(phantom.coil_maps(coils, (size, size)), np.complex64)
    y, x = np.indices((size, size)) / size - 0.5
    image = (np.hypot(x, y) < 0.4) * (1 + 0.3 * np.cos(20 * x) * np.cos(15 * y))
    return maps, (maps * image + 1e-3 * _normal(maps.shape, np.complex64)).astype(np.complex64)


@case("mr.cg_sense Cartesian 8 coils 256^2, 2 x 2, 10 iterations")
def _(tiny):
    from pyrad_core import mr

    maps, images = _coil_images(tiny)
    mask = np.zeros(maps.shape[1:], np.float32)
    mask[::2, ::2] = 1
    kspace = mr.fft(images, axes=(-2, -1)) * mask
    call = partial(mr.cg_sense, iterations=10)
    return job(call, {"kspace": kspace, "maps": maps, "mask": mask}, tolerance=1e-3)


@case("mr.cg_sense radial 12 coils 256^2, 402 spokes x 512, 10 iterations")
def _(tiny):
    from pyrad_core import mr, phantom

    k, shape, coils = _radial(tiny)
    maps = np.asarray(phantom.coil_maps(coils, shape), np.complex64)
    kspace = mr.NUFFT(k, shape).forward(maps * _normal(shape, np.complex64))
    call = partial(mr.cg_sense, iterations=10)
    return job(call, {"kspace": kspace, "maps": maps, "coordinates": k}, tolerance=1e-2)


# --- denoise ------------------------------------------------------------------------------------


def _noisy(shape: tuple[int, ...]) -> np.ndarray:
    """A box of height 1 in noise of 0.1."""
    x = 0.1 * _normal(shape)
    x[tuple(slice(n // 4, 3 * n // 4) for n in shape)] += 1
    return x


for _shape, _small in (((2048, 2048), (24, 28)), ((256, 256, 256), (8, 10, 12))):
    _text = " x ".join(map(str, _shape))

    for _method in ("fgp", "pdhg"):

        @case(f"denoise.tv {_method} {_text}, 50 iterations")
        def _(tiny, shape=_shape, small=_small, method=_method):
            from pyrad_core import denoise

            x = _noisy(small if tiny else shape)
            options = {"weight": 0.15, "method": method, "tol": 0.0, "max_iterations": 50}
            return job(
                partial(denoise.tv, **options), {"image": x}, bytes=2 * x.nbytes, tolerance=1e-3
            )

    @case(f"denoise.tgv {_text}, 50 iterations")
    def _(tiny, shape=_shape, small=_small):
        from pyrad_core import denoise

        x = _noisy(small if tiny else shape)
        call = partial(denoise.tgv, weight=0.15, tol=0.0, max_iterations=50)
        return job(call, {"image": x}, bytes=2 * x.nbytes, tolerance=1e-3)


# --- features -----------------------------------------------------------------------------------


def _region(tiny: bool) -> dict[str, np.ndarray]:
    """A smooth random image and the mask of a ball."""
    from scipy.ndimage import gaussian_filter

    n = 14 if tiny else 256
    z, y, x = (np.arange(n) - (n - 1) / 2 for _ in range(3))
    ball = z[:, None, None] ** 2 + y[:, None] ** 2 + x**2 < (0.4 * n) ** 2
    image = gaussian_filter(_normal((n, n, n)), 1.0) * 100
    return {"image": image.astype(np.float32), "mask": ball.astype(np.uint8)}


for _preset in ("ibsi", "pyradiomics"):

    @case(f"features.extract {_preset}, ball in 256^3")
    def _(tiny, preset=_preset):
        from pyrad_core import features

        settings = features.Settings.preset(preset).replace(discretisation=("fbn", 32))
        call = partial(features.extract, settings=settings, spacing=1.0)
        return job(call, _region(tiny))


for _rule in (("fbs", 5.0), ("fbn", 16)):
    for _matrix in ("glcm", "glrlm", "glszm", "gldzm", "ngldm"):

        @case(f"features.matrices.{_matrix} {_rule[0]}, ball in 256^3")
        def _(tiny, rule=_rule, matrix=_matrix):
            from pyrad_core import features

            settings = features.Settings(discretisation=rule)
            call = partial(getattr(features.matrices, matrix), settings=settings, spacing=1.0)
            return job(call, _region(tiny), tolerance=0.0)


for _family in ("first_order", "glcm", "glrlm", "glszm", "ngtdm", "ngldm"):

    @case(f"features.maps {_family}, ball in 256^3")
    def _(tiny, family=_family):
        from pyrad_core import features

        settings = features.Settings.preset("pyradiomics").replace(discretisation=("fbn", 32))
        call = partial(features.maps, family=family, settings=settings, spacing=1.0)
        return job(call, _region(tiny))


from . import (  # noqa: E402  (their cases join CASES)
    gpu_cases_ct_cone,  # noqa: F401
    gpu_cases_ct_footprint,  # noqa: F401
    gpu_cases_ct_joseph3d,  # noqa: F401
    gpu_cases_ct_prep,  # noqa: F401
    gpu_cases_denoise_bm4d,  # noqa: F401
    gpu_cases_denoise_gibbs,  # noqa: F401
    gpu_cases_denoise_local,  # noqa: F401
    gpu_cases_denoise_mppca,  # noqa: F401
    gpu_cases_denoise_nlm,  # noqa: F401
    gpu_cases_denoise_tv,  # noqa: F401
    gpu_cases_features_batch,  # noqa: F401
    gpu_cases_features_filters,  # noqa: F401
    gpu_cases_features_maps,  # noqa: F401
    gpu_cases_filters,  # noqa: F401
    gpu_cases_iterative,  # noqa: F401
    gpu_cases_mr_coils,  # noqa: F401
    gpu_cases_mr_grappa,  # noqa: F401
    gpu_cases_mr_priors,  # noqa: F401
    gpu_cases_mr_sense,  # noqa: F401
)
