"""Nyxus (3D): reads files, computes groups of features, one region on one thread."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .need import need

__all__ = ["NYXUS_GROUPS", "nyxus_group"]

# Our family -> (its group, PyRadiomics' class, short and PyRadiomics' names of what both have).
NYXUS_GROUPS = {
    "glcm": ("GLCM", "glcm", {"ACOR": "Autocorrelation", "CLUTEND": "ClusterTendency"}),
    "glrlm": ("GLRLM", "glrlm", {"SRE": "ShortRunEmphasis", "LRE": "LongRunEmphasis"}),
    "glszm": ("GLSZM", "glszm", {"SAE": "SmallAreaEmphasis", "LAE": "LargeAreaEmphasis"}),
    "ngldm": ("GLDM", "gldm", {"DNN": "DependenceNonUniformityNormalized"}),
    "ngtdm": ("NGTDM", "ngtdm", {"COARSENESS": "Coarseness", "CONTRAST": "Contrast"}),
}


def nyxus_group(image: Any, mask: Any, *, name: str, bins: int) -> tuple[Callable, float]:
    """(run, milliseconds that reading the files and the mean alone take)."""
    nyxus, nibabel = need("nyxus"), need("nibabel")
    folder = tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    paths = []
    for stem, array in (("image", np.asarray(image, np.float32)), ("mask", np.asarray(mask))):
        paths.append(f"{folder}/{stem}.nii")
        nibabel.save(nibabel.Nifti1Image(np.ascontiguousarray(array.T), np.eye(4)), paths[-1])
    group, title, alike = NYXUS_GROUPS[name]

    def runner(group: str) -> Callable:
        engine = nyxus.Nyxus3D([group], n_feature_calc_threads=1, ibsi=True, coarse_gray_depth=bins)
        return lambda: engine.featurize_files([paths[0]], [paths[1]], False)

    base, family = runner("3MEAN"), runner(f"*3D_{group}*")
    base()
    start = time.perf_counter()
    base()
    without = (time.perf_counter() - start) * 1e3

    def run() -> dict[str, float]:
        row = family().iloc[0]
        return {
            f"original_{title}_{ours}": float(row[f"3{group}_{theirs}"])
            for theirs, ours in alike.items()
        }

    return run, without
