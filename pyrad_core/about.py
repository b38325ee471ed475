"""What this installation can do: version, processor, threads, CUDA, optional packages."""

from __future__ import annotations

import importlib.util
import platform
import sys
from typing import Any

import numpy as np

from ._kernels.select import cpu_kernels
from ._version import __version__

__all__ = ["info"]

# Optional import -> (extra that brings it, what it is for).
_OPTIONAL = {
    "h5py": ("io", "HDF5 projections and k-space"),
    "ismrmrd": ("io", "ISMRMRD k-space"),
    "twixtools": ("io", "Siemens TWIX k-space"),
    "pydicom": ("io", "DICOM"),
    "highdicom": ("io", "DICOM segmentations"),
    "SimpleITK": ("io", "NRRD, MetaImage"),
    "tifffile": ("io", "TIFF stacks"),
    "pyarrow": ("io", "Parquet tables"),
    "numba": ("numba", "your own penalties and local features at C speed"),
    "matplotlib": ("plot", "figures"),
    "dask": ("cohort", "cohorts over a cluster"),
    "torch": ("torch", "tensors in, tensors out"),
}


def info() -> dict[str, Any]:
    """Version, processor, threads, CUDA state and missing optional packages.

    Returns
    -------
    dict
        ``version``, ``python``, ``numpy``, ``platform`` (text), ``compiler`` of the CPU kernels,
        ``isa`` (instruction set in use), ``threads`` (int), ``cuda`` (see below), ``optional``
        (package -> version or None) and ``missing`` (package -> how to install it and what for).
        ``cuda`` has ``available`` (bool) and, if available, ``cupy``, ``runtime``, ``driver``
        (versions) and ``devices``, each with ``name``, ``compute_capability``, ``memory`` and
        ``free`` in bytes; else ``why``.

    Examples
    --------
    >>> import pyrad_core as prc
    >>> prc.info()["cuda"]["available"]  # doctest: +SKIP
    False
    """
    kernels = cpu_kernels()
    optional = {name: _version(name) for name in _OPTIONAL}
    return {
        "version": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
        "compiler": kernels.compiler(),
        "isa": kernels.isa_name(),
        "threads": int(kernels.num_threads()),
        "cuda": _cuda(),
        "optional": optional,
        "missing": {
            name: f"pip install pyrad_core[{extra}]  # {purpose}"
            for name, (extra, purpose) in _OPTIONAL.items()
            if optional[name] is None
        },
    }


def _version(name: str) -> str | None:
    """Version of an importable package, without importing it."""
    if importlib.util.find_spec(name) is None:
        return None
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return str(getattr(sys.modules.get(name), "__version__", "unknown"))


def _cuda() -> dict[str, Any]:
    try:
        import cupy
    except ImportError:
        return {
            "available": False,
            "why": "CuPy is not installed; for a GPU: pip install pyrad_core[gpu-cuda12] "
            "or pyrad_core[gpu-cuda13]",
        }
    except Exception as error:  # a CuPy wheel for another CUDA fails in many ways
        return {"available": False, "why": f"CuPy cannot be imported: {error}"}
    runtime = cupy.cuda.runtime
    try:
        count = runtime.getDeviceCount()
        devices = [_device(cupy, number) for number in range(count)]
        driver, cuda = runtime.driverGetVersion(), runtime.runtimeGetVersion()
    except runtime.CUDARuntimeError as error:
        return {"available": False, "why": f"CuPy {cupy.__version__} finds no GPU: {error}"}
    if not devices:
        return {"available": False, "why": f"CuPy {cupy.__version__} finds no GPU"}
    return {
        "available": True,
        "cupy": cupy.__version__,
        "runtime": _cuda_version(cuda),
        "driver": _cuda_version(driver),
        "devices": devices,
    }


def _device(cupy: Any, number: int) -> dict[str, Any]:
    runtime = cupy.cuda.runtime
    properties = runtime.getDeviceProperties(number)
    with cupy.cuda.Device(number):
        free, total = runtime.memGetInfo()
    name = properties["name"]
    return {
        "name": name.decode() if isinstance(name, bytes) else name,
        "compute_capability": f"{properties['major']}.{properties['minor']}",
        "memory": total,
        "free": free,
    }


def _cuda_version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"
