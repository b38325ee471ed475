"""Launch of the CUDA kernels in csrc: on a GPU through CuPy, or on the CPU by the emulator.

The arrays decide: CuPy arrays go to ``cupy.RawModule`` (NVRTC compiles the shipped sources at
first use), NumPy arrays to the ``emulator`` module that the tests build from the same files.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import hashlib
import importlib.util
import math
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import numpy as np

from ...errors import DataError, DeviceError, DeviceMemoryError, MissingDependencyError

__all__ = [
    "array_module",
    "compile_options",
    "empty",
    "emulator_order",
    "launch",
    "source_folder",
    "suffix",
    "use_emulator",
    "zeros",
]

_SUFFIXES = {
    np.dtype(np.float32): "f32",
    np.dtype(np.float64): "f64",
    np.dtype(np.complex64): "c64",
    np.dtype(np.complex128): "c128",
    np.dtype(np.uint8): "u8",
    np.dtype(np.uint16): "u16",
    np.dtype(np.int16): "i16",
    np.dtype(np.int32): "i32",
    np.dtype(np.uint32): "u32",
    np.dtype(np.int64): "i64",
}
_STATIC_SHARED = 48 * 1024  # what every GPU grants a block without being asked
_NOT_INITIALISED = (3, 4)  # CUDA_ERROR_NOT_INITIALIZED, _DEINITIALIZED
_CONTEXT_LOST = (700, 702, *range(714, 720))  # illegal address and its kin

_emulator: ModuleType | None = None
_order: contextvars.ContextVar[str] = contextvars.ContextVar("pyrad_order", default="alternate")
_cuda_pid: int | None = None  # process that used CUDA first


def launch(
    source: str,
    kernel: str,
    grid: Sequence[int],
    block: Sequence[int],
    args: Sequence[Any],
    *,
    shared: int = 0,
) -> None:
    """Run one kernel of ``csrc/<source>`` on the current stream.

    Arrays must be C-contiguous and every scalar a NumPy scalar of the kernel parameter's type;
    ``shared`` is the size in bytes of the dynamic shared memory.
    """
    if any(isinstance(a, np.ndarray) for a in args):
        emulator = _load_emulator()
        emulator.launch(source, kernel, tuple(grid), tuple(block), args, shared, _order.get())
    else:
        _launch_on_gpu(source, kernel, tuple(grid), tuple(block), tuple(args), shared)


def suffix(x: Any) -> str:
    """Ending of the kernel name for this array's dtype: f32, f64, c64, c128, u8, i32, ..."""
    try:
        return _SUFFIXES[x.dtype]
    except KeyError:
        raise DataError(f"no CUDA kernel takes dtype {x.dtype}") from None


def array_module(like: Any) -> Any:
    """NumPy or CuPy, whichever the array belongs to."""
    return np if isinstance(like, np.ndarray) else _cupy()


def empty(like: Any, shape: int | Sequence[int], dtype: Any) -> Any:
    """Uninitialised array beside ``like`` (same device, from CuPy's memory pool)."""
    return _allocate("empty", like, shape, dtype)


def zeros(like: Any, shape: int | Sequence[int], dtype: Any) -> Any:
    """Array of zeros beside ``like``."""
    return _allocate("zeros", like, shape, dtype)


def beside(like: Any, table: Any) -> Any:
    """The table, a host array, where ``like`` is."""
    return array_module(like).asarray(table)


def fft_module(like: Any) -> Any:
    """scipy.fft, or CuPy's module of the same names."""
    if isinstance(like, np.ndarray):
        import scipy.fft

        return scipy.fft
    import cupyx.scipy.fft

    return cupyx.scipy.fft


def ceil_div(size: int, step: int) -> int:
    """How many blocks of ``step`` hold ``size``."""
    return -(-size // step)


def source_folder() -> Path:
    """Where the CUDA sources are: inside the installed package, or csrc of the source tree."""
    package = Path(__file__).resolve().parents[2]
    shipped = package / "_csrc"
    return shipped if shipped.is_dir() else package.parent / "csrc"


# --- on the GPU ---------------------------------------------------------------------------------


def _launch_on_gpu(
    source: str, kernel: str, grid: tuple, block: tuple, args: tuple, shared: int
) -> None:
    cupy = _cupy()
    for position, a in enumerate(args):
        if isinstance(a, cupy.ndarray) and not a.flags.c_contiguous:
            raise DataError(f"{kernel}: argument {position} is not C-contiguous")
    device = cupy.cuda.runtime.getDevice()
    try:
        function = _function(source, kernel, device)
        if shared > _STATIC_SHARED:
            function.max_dynamic_shared_size_bytes = shared
        function(grid, block, args, shared_mem=shared)
    except cupy.cuda.compiler.CompileException as error:
        architecture = cupy.cuda.Device(device).compute_capability
        version = ".".join(map(str, cupy.cuda.nvrtc.getVersion()))
        raise DeviceError(
            f"csrc/{source} does not compile for sm_{architecture} (NVRTC {version}):\n{error}"
        ) from error
    except (cupy.cuda.driver.CUDADriverError, cupy.cuda.runtime.CUDARuntimeError) as error:
        _explain(error, f"{kernel} with grid {grid}, block {block}, {shared} bytes shared")


@functools.cache
def _function(source: str, kernel: str, device: int) -> Any:
    return _module(source, device).get_function(kernel)


@functools.cache
def _module(source: str, device: int) -> Any:
    code = (source_folder() / source).read_text()
    return _cupy().RawModule(code=code, options=compile_options())


def compile_options() -> tuple[str, ...]:
    """What NVRTC is told beside CuPy's own options."""
    return "-std=c++17", f"-I{source_folder()}", f"-DPYRAD_SRC_HASH=0x{_source_hash()}"


@functools.lru_cache(maxsize=1)
def _source_hash() -> str:
    """Of everything a kernel may include: CuPy's cache key covers only the file it is given."""
    folder = source_folder()
    digest = hashlib.sha256()
    for pattern in ("*.cu", "*.cuh", "*.hpp", "*.inl"):
        for path in sorted(folder.rglob(pattern)):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _cupy() -> Any:
    """CuPy, after the check that this process may use CUDA at all."""
    global _cuda_pid
    try:
        import cupy
    except ImportError as error:
        raise MissingDependencyError(
            "GPU arrays need CuPy: pip install pyrad_core[gpu-cuda12] or pyrad_core[gpu-cuda13]"
        ) from error
    if _cuda_pid is None:
        _cuda_pid = os.getpid()
    elif _cuda_pid != os.getpid():
        raise DeviceError(_FORKED)
    return cupy


_FORKED = (
    "CUDA was initialised before this process was forked, and a forked child cannot use it; "
    'start workers with multiprocessing.get_context("spawn")'
)


def _explain(error: Any, what: str) -> NoReturn:
    status = getattr(error, "status", None)
    if status in _CONTEXT_LOST:
        raise DeviceError(
            f"the CUDA context of this process is dead ({error}): a kernel launched earlier "
            f"failed while it ran, and every further call fails too; restart the process. "
            f"Noticed at {what}"
        ) from error
    if status in _NOT_INITIALISED:
        raise DeviceError(f"{_FORKED} ({error})") from error
    raise DeviceError(f"the GPU refused {what}: {error}") from error


def _allocate(how: str, like: Any, shape: int | Sequence[int], dtype: Any) -> Any:
    if isinstance(like, np.ndarray):
        return getattr(np, how)(shape, dtype)
    cupy = _cupy()
    with like.device:
        try:
            return getattr(cupy, how)(shape, dtype)
        except cupy.cuda.memory.OutOfMemoryError:
            cupy.get_default_memory_pool().free_all_blocks()
        try:
            return getattr(cupy, how)(shape, dtype)
        except cupy.cuda.memory.OutOfMemoryError as error:
            sizes = (shape,) if isinstance(shape, int) else shape
            wanted = math.prod(sizes) * np.dtype(dtype).itemsize
            free, total = cupy.cuda.runtime.memGetInfo()
            raise DeviceMemoryError(
                f"{wanted} bytes asked for on GPU {like.device.id}, {free} of {total} bytes free"
            ) from error
        except (cupy.cuda.driver.CUDADriverError, cupy.cuda.runtime.CUDARuntimeError) as error:
            _explain(error, f"an array of shape {shape}")


# --- on the CPU ---------------------------------------------------------------------------------


def use_emulator(module: ModuleType | None) -> None:
    """Run launches on NumPy arrays with this build of the emulator module."""
    global _emulator
    _emulator = module


@contextlib.contextmanager
def emulator_order(order: str) -> Iterator[None]:
    """Order of a block's threads: "forward", "reverse" or (default) "alternate" by block.

    A result that changes with the order comes from a kernel that lacks a barrier.
    """
    token = _order.set(order)
    try:
        yield
    finally:
        _order.reset(token)


def _load_emulator() -> ModuleType:
    if _emulator is None:
        root = Path(__file__).resolve().parents[3]
        folder = root / "build" / f"emulator-{sys.implementation.cache_tag}" / "module"
        found = sorted(Path(os.environ.get("PYRAD_EMULATOR_DIR", folder)).glob("emulator.*so"))
        if not found:
            raise MissingDependencyError(
                "CUDA kernels were asked to run on NumPy arrays, but the emulator is not built; "
                f"tests/emulator.py builds it (looked in {folder})"
            )
        use_emulator(load_emulator(found[0]))
    assert _emulator is not None
    return _emulator


def load_emulator(path: Path) -> ModuleType:
    """Import the emulator module from its file."""
    spec = importlib.util.spec_from_file_location("emulator", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
