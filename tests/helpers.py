"""Shared assertions and data access for the tests."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

_ROOT = Path(__file__).resolve().parent.parent


def data_path(*parts: str) -> Path:
    """A file of the reference data ($PYRAD_CORE_DATA or ../shared/data); skips where absent."""
    folder = Path(os.environ.get("PYRAD_CORE_DATA") or _ROOT.parent / "shared" / "data")
    path = folder.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"reference data {'/'.join(parts)} not found; set PYRAD_CORE_DATA")
    return path


def thread_cluster(workers: int):
    """Dask workers in threads: quick to start, and what a remote scheduler looks like."""
    distributed = pytest.importorskip("distributed")
    return distributed.LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=False,
        dashboard_address=None,
        protocol="tcp",
        host="127.0.0.1",
    )


def relative_error(got, expected) -> float:
    """Relative L2 error in double precision; no scale is fitted."""
    got, expected = np.asarray(got), np.asarray(expected)
    wide = np.complex128 if np.iscomplexobj(expected) or np.iscomplexobj(got) else np.float64
    got, expected = got.astype(wide), expected.astype(wide)
    return float(np.linalg.norm(got - expected) / np.linalg.norm(expected))


def assert_adjoint(operator, *, complex_domain=False, dtype=np.float32, seed=0) -> None:
    """<Ax, y> = <x, A^H y> with dot products in double precision."""
    rng = np.random.default_rng(seed)

    def draw(shape):
        x = rng.standard_normal(shape)
        if complex_domain:
            x = x + 1j * rng.standard_normal(shape)
            return x.astype(np.complex64 if dtype == np.float32 else np.complex128)
        return x.astype(dtype)

    x, y = draw(operator.domain_shape), draw(operator.range_shape)
    forward, adjoint = operator.forward(x), operator.adjoint(y)
    assert forward.dtype == x.dtype and adjoint.dtype == y.dtype
    wide = np.complex128 if complex_domain else np.float64
    left = np.vdot(y.astype(wide), forward.astype(wide))
    right = np.vdot(adjoint.astype(wide), x.astype(wide))
    scale = np.linalg.norm(forward.astype(wide)) * np.linalg.norm(y.astype(wide))
    tolerance = 1e-6 if dtype == np.float32 else 1e-12
    assert abs(left - right) <= tolerance * scale, (left, right, abs(left - right) / scale)
