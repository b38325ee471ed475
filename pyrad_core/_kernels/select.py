"""The one place where arrays pick the kernel table.

A public function takes its arrays through :func:`edge_of` once::

    edge = edge_of(image=image, mask=mask)   # NumPy -> C++, CuPy -> CUDA, mixed -> error
    x = edge.real("image", ndim=(2, 3))      # contiguous float32/float64, finite
    out = edge.xp.empty_like(x)
    edge.kernels.some_kernel(x, out)
    return edge.answer(out)                  # torch in, torch out
"""

from __future__ import annotations

import contextlib
import contextvars
import sys
from typing import Any

import numpy as np

from ..errors import (
    BackendMismatchError,
    DataError,
    DeviceError,
    MissingDependencyError,
    ShapeError,
)

_emulated: contextvars.ContextVar[bool] = contextvars.ContextVar("pyrad_emulated", default=False)


@contextlib.contextmanager
def emulated():
    """Within this context NumPy arrays take the CUDA launchers, run by the CPU emulator."""
    token = _emulated.set(True)
    try:
        yield
    finally:
        _emulated.reset(token)


def is_emulated() -> bool:
    return _emulated.get()


def edge_of(**arrays: Any) -> Edge:
    """Look at the arrays of one call (None is skipped) and choose the kernel table."""
    given = {name: array for name, array in arrays.items() if array is not None}
    taken = {name: _take(name, array) for name, array in given.items()}
    on_device = {name: _on_device(array) for name, array in taken.items()}
    if len(set(on_device.values())) > 1:
        where = ", ".join(f"{name} is on {place}" for name, place in on_device.items())
        raise BackendMismatchError(f"arrays must live in one place, but {where}; move them first")
    place = next(iter(on_device.values()), "the CPU")
    return Edge(taken, given, place != "the CPU")


def host_array(x: Any) -> np.ndarray:
    """The array in host memory."""
    return x.get() if hasattr(x, "get") else np.asarray(x)


def to_gpu(x: Any) -> Any:
    """The array on the current CUDA device."""
    try:
        import cupy
    except ImportError as error:
        raise MissingDependencyError(
            f"CuPy is needed for the GPU; pip install 'pyrad_core[gpu]' ({error})"
        ) from None
    try:
        return cupy.asarray(x)
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise DeviceError(f"no usable GPU: {error}") from None


class Edge:
    """The arrays of one call, the array module and the kernel table they chose."""

    def __init__(self, arrays: dict[str, Any], given: dict[str, Any], cuda: bool):
        self.arrays = arrays
        self._given = given
        self.on_gpu = cuda
        if cuda:
            import cupy

            self.xp: Any = cupy
        else:
            self.xp = np

    @property
    def kernels(self) -> Any:
        if self.on_gpu or is_emulated():
            from . import cuda

            return cuda
        return cpu_kernels()

    def __getitem__(self, name: str) -> Any:
        if name not in self.arrays:
            raise DataError(f"{name} is None; expected an array")
        return self.arrays[name]

    def real(
        self,
        name: str,
        *,
        ndim: int | tuple[int, ...] | None = None,
        dtype: Any = None,
        finite: bool = True,
    ) -> Any:
        """C-contiguous float array: float32/float64 stay, integers and bool become float32."""
        x = self[name]
        kind = x.dtype.kind
        if kind not in "fiub" or x.dtype.itemsize == 2 and kind == "f" or x.dtype == np.longdouble:
            raise DataError(
                f"{name} has dtype {x.dtype}; accepted are float32, float64 and integers"
            )
        target = dtype or (x.dtype if kind == "f" else np.float32)
        return self._finish(name, x, target, ndim, finite)

    def complex(
        self,
        name: str,
        *,
        ndim: int | tuple[int, ...] | None = None,
        dtype: Any = None,
        real_ok: bool = False,
        finite: bool = True,
    ) -> Any:
        """C-contiguous complex64/complex128 array; real input only with ``real_ok``."""
        x = self[name]
        other = x.dtype in (np.float16, np.longdouble, np.clongdouble)
        if x.dtype.kind != "c" and not (real_ok and x.dtype.kind in "fiub") or other:
            raise DataError(f"{name} has dtype {x.dtype}; accepted are complex64 and complex128")
        double = x.dtype in (np.complex128, np.float64)
        return self._finish(
            name, x, dtype or (np.complex128 if double else np.complex64), ndim, finite
        )

    def _finish(self, name: str, x: Any, dtype: Any, ndim: Any, finite: bool) -> Any:
        allowed = (ndim,) if isinstance(ndim, int) else ndim
        if allowed is not None and x.ndim not in allowed:
            wanted = " or ".join(str(n) for n in allowed)
            raise ShapeError(f"{name} has shape {x.shape}; expected {wanted} dimensions")
        x = self.xp.ascontiguousarray(x, dtype=dtype).reshape(x.shape)
        if finite:
            self.check_finite(name, x)
        return x

    def check_finite(self, name: str, x: Any, error: type[DataError] = DataError) -> None:
        """Raise ``error`` with the count and the first index of the NaN and Inf values of x."""
        flat = x.reshape(-1)
        if flat.dtype.kind == "c":
            flat = flat.view(flat.real.dtype)
        count, first = self.kernels.count_nonfinite(flat)
        if count:
            at = np.unravel_index(first // (2 if x.dtype.kind == "c" else 1), x.shape)
            index = tuple(int(i) for i in at)
            raise error(f"{name} holds {count} NaN or Inf values, the first at index {index}")

    def answer(self, result: Any) -> Any:
        """The result as the kind of array the caller passed first (torch in, torch out)."""
        first = next(iter(self._given.values()), None)
        if (
            isinstance(first, np.ndarray)
            or self.xp is not np
            and isinstance(first, self.xp.ndarray)
        ):
            return result
        source = type(first).__module__.partition(".")[0]
        if source == "torch":
            return sys.modules["torch"].from_dlpack(result)
        if source in ("jax", "jaxlib"):
            return sys.modules["jax"].dlpack.from_dlpack(result)
        return result


def cpu_kernels() -> Any:
    try:
        from . import cpu  # type: ignore[attr-defined,unused-ignore]
    except ImportError as error:
        raise MissingDependencyError(
            "the compiled kernels of pyrad_core are missing; in a source tree run "
            "`pip install -e .` or `python setup.py build_ext --inplace` "
            f"({error})"
        ) from error
    return cpu


def _take(name: str, array: Any) -> Any:
    if isinstance(array, np.ndarray):
        return np.asarray(array)
    if hasattr(array, "__cuda_array_interface__"):
        return _cupy(name).asarray(array)
    if hasattr(array, "__dlpack__") and hasattr(array, "__dlpack_device__"):
        if array.__dlpack_device__()[0] in (2, 13):  # kDLCUDA, kDLCUDAManaged
            return _cupy(name).from_dlpack(array)
        detached = array.detach() if hasattr(array, "detach") else array
        return np.from_dlpack(detached)
    try:
        taken = np.asarray(array)
    except ValueError:  # lists of different lengths
        raise DataError(f"{name} of type {type(array).__name__} is no numeric array") from None
    if taken.dtype.kind not in "biufc":
        raise DataError(f"{name} of type {type(array).__name__} is no numeric array")
    return taken


def _on_device(array: Any) -> str:
    return "the CPU" if isinstance(array, np.ndarray) else f"GPU {array.device.id}"


def _cupy(name: str) -> Any:
    try:
        import cupy
    except ImportError as error:
        raise MissingDependencyError(
            f"{name} is a GPU array; install CuPy for it: pip install pyrad_core[gpu-cuda12] "
            "or pyrad_core[gpu-cuda13]"
        ) from error
    return cupy
