"""Where a row of features comes from."""

from __future__ import annotations

import hashlib
import platform
from typing import Any

import numpy as np

from .._kernels.select import host_array
from ._image import array_of

__all__ = ["origin"]


def origin(image: Any, mask: Any) -> dict[str, object]:
    """What tells two runs apart beside the settings: versions, and what the arrays hold."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "image_sha256": _hash(image),
        "mask_sha256": _hash(mask),
    }


def _hash(source: Any) -> str:
    data = array_of(source)
    data = np.ascontiguousarray(host_array(data))
    digest = hashlib.sha256(f"{data.shape} {data.dtype.str} ".encode())
    digest.update(data.data if data.size else b"")
    return digest.hexdigest()
