"""Gibbs unringing by MRtrix3's command line and by DIPY.

The start of MRtrix's process and its files, which live in memory, are part of its time, since that
is how the tool is used.
"""

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

from .need import need

__all__ = ["dipy_gibbs", "mrdegibbs"]


def mrdegibbs(image: Any, *, threads: int) -> Callable:
    """Slices of an image (..., y, x) in float32, with the defaults."""
    nibabel = need("nibabel")
    if not shutil.which("mrdegibbs"):
        pytest.skip("mrdegibbs of MRtrix3 is not installed")
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="mrtrix-", dir=memory))
    atexit.register(shutil.rmtree, folder, True)
    source, target = folder / "in.nii", folder / "out.nii"
    nibabel.save(nibabel.Nifti1Image(np.asarray(image, np.float32).T, np.eye(4)), source)
    command = ["mrdegibbs", source, target, "-force", "-quiet", "-nthreads", str(threads)]

    def run() -> Any:
        subprocess.run(command, check=True)
        return np.asarray(nibabel.load(target).dataobj).T

    return run


def dipy_gibbs(image: Any, *, threads: int) -> Callable:
    """Slices of an image (z, y, x) or (volume, z, y, x); its own default window."""
    degibbs = need("dipy.denoise.gibbs")
    ours = np.ascontiguousarray(np.asarray(image).T)

    def run() -> Any:
        calm = degibbs.gibbs_removal(ours, slice_axis=2, inplace=False, num_processes=threads)
        return calm.T

    return run
