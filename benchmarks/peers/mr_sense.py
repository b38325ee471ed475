"""BART's pics for non-Cartesian SENSE, through the command line with its files in memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

__all__ = ["bart_sense"]


def bart_sense(
    kspace: Any,
    maps: Any,
    coordinates: Any,
    weights: Any,
    *,
    regularization: float,
    iterations: int,
    threads: int = 1,
) -> Callable:
    """Conjugate gradients on the weighted problem (Toeplitz, its default), 2D; process start and
    files are part of a run."""
    bart = shutil.which("bart")
    if bart is None:
        pytest.skip("bart is not installed")
    memory = Path("/dev/shm")
    folder = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
    path = Path(folder.name)
    coils, spokes, samples = kspace.shape
    ny, nx = maps.shape[1:]
    k = np.zeros((spokes, samples, 3), np.complex64)
    k[..., :2] = coordinates[..., ::-1]
    _write(path / "traj", k, (3, samples, spokes))
    _write(path / "weights", np.sqrt(weights), (1, samples, spokes))
    _write(path / "kspace", kspace, (1, samples, spokes, coils))
    _write(path / "maps", maps, (nx, ny, 1, coils))
    options = ["-S", "-l2", "-r", str(regularization), "-i", str(iterations), "-t", "traj"]
    command = [bart, "pics", *options, "-p", "weights", "kspace", "maps", "out"]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive"}

    def run() -> Any:
        subprocess.run(
            command, cwd=folder.name, env=environment, check=True, stdout=subprocess.DEVNULL
        )
        return np.fromfile(path / "out.cfl", np.complex64).reshape(ny, nx)

    return run


def _write(path: Path, array: Any, shape: tuple[int, ...]) -> None:
    path.with_suffix(".hdr").write_text(f"# Dimensions\n{' '.join(map(str, shape))}\n")
    np.ascontiguousarray(array, np.complex64).tofile(path.with_suffix(".cfl"))
