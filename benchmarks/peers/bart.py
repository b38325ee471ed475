"""BART's command line. Files live in memory; the start of the process and its file transfer are
part of the time, since that is how the tool is used."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

__all__ = ["bart", "from_bart", "to_bart"]

# Our axes (coil, y, x) or (coil, z, y, x) against BART's (x, y, z, coil, maps).


def bart(command: str, *inputs: Any, threads: int = 1, named: int = 0) -> Callable:
    """``bart command inputs... output``: a callable that runs it and returns the output array.

    Inputs are arrays in BART's order of axes; they are written once, before. The first ``named``
    of them stand in the command as {0}, {1}, ...
    """
    if not shutil.which("bart"):
        pytest.skip("bart is not installed")
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="bart-", dir=memory))
    atexit.register(shutil.rmtree, folder, True)
    names = []
    for i, array in enumerate(inputs):
        names.append(str(folder / f"in{i}"))
        _write(folder / f"in{i}", np.asarray(array, np.complex64))
    out = folder / "out"
    words = command.format(*names[:named]).split()
    full = ["bart", *words, *names[named:], str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": "1"}

    def run() -> Any:
        subprocess.run(full, check=True, capture_output=True, env=environment)
        return _read(out)

    return run


def to_bart(x: Any) -> Any:
    """(coil, ...) with the last axis x, to (x, y, z, coil)."""
    volume = x if x.ndim == 4 else x[:, None]
    return volume.transpose(3, 2, 1, 0)


def from_bart(x: Any) -> Any:
    """(x, y, z, coil, maps) to (maps, coil, z, y, x), without axes of length 1."""
    full = x.reshape(*x.shape, *(1,) * (5 - x.ndim))
    return np.squeeze(full.transpose(4, 3, 2, 1, 0))


def _write(path: Path, x: Any) -> None:
    path.with_suffix(".hdr").write_text("# Dimensions\n" + " ".join(map(str, x.shape)) + "\n")
    x.ravel(order="F").tofile(path.with_suffix(".cfl"))


def _read(path: Path) -> Any:
    sizes = [int(n) for n in path.with_suffix(".hdr").read_text().splitlines()[1].split()]
    while len(sizes) > 1 and sizes[-1] == 1:
        sizes.pop()
    return np.fromfile(path.with_suffix(".cfl"), np.complex64).reshape(sizes, order="F")
