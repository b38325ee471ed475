"""pygrappa, and BART's homodyne through its command line (files in memory).

k-space is (coil, y, x) as ours; pygrappa gets it with the coils last and in the precision it works
in, which is what it would convert to.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .need import need

__all__ = ["bart_homodyne", "pygrappa_fill"]


def pygrappa_fill(kspace: Any, calibration: Any, *, name: str, kernel: Any) -> Callable:
    """cgrappa (2D, compiled), mdgrappa (any dimension, compiled calibration) or grappa."""
    call = getattr(need("pygrappa"), name)
    dtype = np.complex128 if name == "cgrappa" else np.complex64
    data, lines = (
        np.ascontiguousarray(np.moveaxis(x, 0, -1), dtype=dtype) for x in (kspace, calibration)
    )
    size = tuple(kernel)
    return lambda: np.moveaxis(call(data, lines, kernel_size=size, coil_axis=-1), -1, 0)


def bart_homodyne(kspace: Any, fraction: float, ramp: float = 0.5) -> Callable:
    """Coil images, phase removed; start of the process and files in memory included."""
    if shutil.which("bart") is None:
        pytest.skip("bart is not installed")
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    data = np.moveaxis(kspace, 0, -1)[:, :, None]
    sizes = " ".join(map(str, data.shape))
    (folder / "k.hdr").write_text(f"# Dimensions\n{sizes}\n")
    data.astype(np.complex64).ravel(order="F").tofile(folder / "k.cfl")
    command = ["bart", "homodyne", "-r", str(ramp), "0", str(fraction), "k", "image"]

    def run():
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        image = np.fromfile(folder / "image.cfl", np.complex64).reshape(data.shape, order="F")
        return np.moveaxis(image[:, :, 0], -1, 0)

    return run
