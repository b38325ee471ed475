"""A stand-in for CuPy on a machine without a GPU: its arrays are NumPy's behind a wall.

What CuPy refuses is refused: mixing with NumPy arrays in arithmetic, assignment or calls, and
implicit conversion to NumPy. ``RawModule`` hands launches to the CUDA emulator. So the launchers
and public functions run their GPU path, host and device kept apart, in the ordinary tests.
It knows nothing of what CuPy lacks beside NumPy, nor of streams and memory.
"""

from __future__ import annotations

import contextlib
import importlib
import operator
import sys
import types
from typing import Any

import numpy as np

from pyrad_core._kernels.cuda import runtime


def unwrap(x: Any) -> Any:
    if isinstance(x, ndarray):
        return x._host
    if isinstance(x, np.ndarray):
        raise TypeError("Unsupported type <class 'numpy.ndarray'>: NumPy and CuPy arrays mixed")
    if isinstance(x, (tuple, list)):
        return type(x)(unwrap(part) for part in x)
    if isinstance(x, dict):
        return {key: unwrap(value) for key, value in x.items()}
    return x


def wrap(x: Any) -> Any:
    if isinstance(x, (np.ndarray, np.generic)):
        return ndarray(np.asarray(x))
    if isinstance(x, (tuple, list)) and any(isinstance(p, (np.ndarray, np.generic)) for p in x):
        parts = [wrap(part) for part in x]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)  # eigh names its two
    return x


def _index(key: Any) -> Any:
    """Indices may be NumPy arrays: CuPy moves them."""
    if isinstance(key, tuple):
        return tuple(_index(part) for part in key)
    return key if isinstance(key, np.ndarray) else unwrap(key)


class Device(contextlib.nullcontext):
    compute_capability = "90"

    def __init__(self, number: int = 0):
        super().__init__()
        self.id = number

    def synchronize(self) -> None:
        pass


class ndarray:
    """cupy.ndarray: never a NumPy array, never converted to one unless asked by get()."""

    __array_priority__ = 100

    def __init__(self, host: np.ndarray):
        self._host = host

    device = Device()

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return self._host.__array_interface__

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed; use .get()")

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **keywords: Any) -> Any:
        if "out" in keywords:
            getattr(ufunc, method)(*unwrap(args), **unwrap(keywords))
            return keywords["out"][0]
        return wrap(getattr(ufunc, method)(*unwrap(args), **unwrap(keywords)))

    def __array_function__(self, function: Any, _: Any, args: Any, keywords: Any) -> Any:
        return wrap(function(*unwrap(args), **unwrap(keywords)))

    def get(self) -> np.ndarray:
        return self._host.copy()

    def fill(self, value: Any) -> None:
        self._host.fill(unwrap(value))

    @property
    def flags(self) -> Any:
        flags = self._host.flags
        return types.SimpleNamespace(c_contiguous=flags.c_contiguous, owndata=flags.owndata)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_host":
            raise AttributeError(name)
        value = getattr(self._host, name)
        return _wrapped(value) if callable(value) else wrap(value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("real", "imag", "shape"):
            setattr(self._host, name, unwrap(value))
        else:
            object.__setattr__(self, name, value)

    def __getitem__(self, key: Any) -> ndarray:
        return wrap(self._host[_index(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(value, (list, tuple)):
            raise TypeError("CuPy assigns arrays and scalars only")
        self._host[_index(key)] = unwrap(value)

    def __len__(self) -> int:
        return len(self._host)

    def __iter__(self) -> Any:
        return (wrap(part) for part in self._host)

    def __float__(self) -> float:
        return float(self._host)

    def __int__(self) -> int:
        return int(self._host)

    def __index__(self) -> int:
        return operator.index(self._host)

    def __complex__(self) -> complex:
        return complex(self._host)

    def __bool__(self) -> bool:
        return bool(self._host)

    def __repr__(self) -> str:
        return f"on device: {self._host!r}"

    __hash__ = None  # type: ignore[assignment]


def _add_operators() -> None:
    binary = "add sub mul truediv floordiv mod pow and or xor lshift rshift matmul".split()
    for name in binary:
        method = f"__{name}__"
        function = getattr(operator, method)
        setattr(ndarray, method, lambda a, b, f=function: wrap(f(a._host, unwrap(b))))
        setattr(ndarray, f"__r{name}__", lambda a, b, f=function: wrap(f(unwrap(b), a._host)))
        setattr(ndarray, f"__i{name}__", lambda a, b, n=name: _in_place(a, b, f"__i{n}__"))
    for name in "lt le eq ne gt ge".split():
        function = getattr(operator, f"__{name}__")
        setattr(ndarray, f"__{name}__", lambda a, b, f=function: wrap(f(a._host, unwrap(b))))
    for name in "neg pos abs invert".split():
        function = getattr(operator, f"__{name}__")
        setattr(ndarray, f"__{name}__", lambda a, f=function: wrap(f(a._host)))


def _in_place(a: ndarray, b: Any, method: str) -> ndarray:
    getattr(operator, method)(a._host, unwrap(b))
    return a


_add_operators()


def _wrapped(function: Any) -> Any:
    def call(*args: Any, **keywords: Any) -> Any:
        if "workers" in keywords:
            raise TypeError("unexpected keyword argument 'workers'")
        out = keywords.get("out")
        result = function(*unwrap(args), **unwrap(keywords))
        return out if isinstance(out, ndarray) else wrap(result)

    return call


class Namespace(types.ModuleType):
    """A module of NumPy or SciPy whose functions take and return arrays of the device."""

    def __init__(self, name: str, behind: types.ModuleType):
        super().__init__(name)
        self._behind = behind

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.__dict__["_behind"], name)
        if isinstance(value, type) or not callable(value):
            return value
        return _wrapped(value)


class _RawModule:
    def __init__(self, *, code: str, options: tuple[str, ...]):
        folder = runtime.source_folder()
        texts = {path.read_text(): path for path in folder.rglob("*.cu")}
        self._source = texts[code].relative_to(folder).as_posix()

    def get_function(self, name: str) -> Any:
        return _Function(self._source, name)


class _Function:
    max_dynamic_shared_size_bytes = 48 * 1024

    def __init__(self, source: str, name: str):
        self._source, self._name = source, name

    def __call__(self, grid: Any, block: Any, args: Any, *, shared_mem: int = 0) -> None:
        if shared_mem > self.max_dynamic_shared_size_bytes:
            raise MemoryError(f"{self._name}: {shared_mem} bytes shared were not asked for")
        emulator = runtime._load_emulator()
        emulator.launch(self._source, self._name, grid, block, unwrap(args), shared_mem)


class _DriverError(RuntimeError):
    status = 0


class _OutOfMemory(MemoryError):
    pass


class _CompileError(Exception):
    pass


def _array(x: Any, *args: Any, **keywords: Any) -> ndarray:
    return ndarray(np.array(x._host if isinstance(x, ndarray) else x, *args, **keywords))


def _asarray(x: Any, dtype: Any = None, order: Any = None) -> ndarray:
    if isinstance(x, ndarray) and dtype in (None, x.dtype) and order is None:
        return x
    return _array(x, dtype=dtype, order=order)


def _ascontiguousarray(x: Any, dtype: Any = None) -> ndarray:
    host = x._host if isinstance(x, ndarray) else np.array(x)
    made = np.ascontiguousarray(host, dtype)
    return x if isinstance(x, ndarray) and made is host else ndarray(made)


def _make() -> dict[str, types.ModuleType]:
    """The modules by name, for sys.modules."""
    cupy: Any = Namespace("cupy", np)
    cupy.ndarray, cupy.RawModule = ndarray, _RawModule
    cupy.array, cupy.asarray, cupy.ascontiguousarray = _array, _asarray, _ascontiguousarray
    cupy.asnumpy = lambda x: x.get() if isinstance(x, ndarray) else np.asarray(x)
    cupy.is_available = lambda: True
    cupy.__version__ = "stand-in"
    pool = types.SimpleNamespace(free_all_blocks=lambda: None)
    cupy.get_default_memory_pool = lambda: pool
    cupy.get_array_module = lambda *xs: cupy if any(isinstance(x, ndarray) for x in xs) else np
    cupy.cuda = types.SimpleNamespace(
        Device=Device,
        driver=types.SimpleNamespace(CUDADriverError=_DriverError),
        runtime=types.SimpleNamespace(
            CUDARuntimeError=_DriverError,
            getDevice=lambda: 0,
            memGetInfo=lambda: (1 << 33, 1 << 34),
        ),
        memory=types.SimpleNamespace(OutOfMemoryError=_OutOfMemory),
        compiler=types.SimpleNamespace(CompileException=_CompileError),
        nvrtc=types.SimpleNamespace(getVersion=lambda: (13, 0)),
    )
    cupy.fft, cupy.linalg = Namespace("cupy.fft", np.fft), Namespace("cupy.linalg", np.linalg)
    modules = {"cupy": cupy, "cupy.fft": cupy.fft, "cupy.linalg": cupy.linalg}
    cupyx: Any = types.ModuleType("cupyx")
    cupyx.scipy = types.ModuleType("cupyx.scipy")
    modules |= {"cupyx": cupyx, "cupyx.scipy": cupyx.scipy}
    for name in ("fft", "ndimage", "signal", "special"):
        part = Namespace(f"cupyx.scipy.{name}", importlib.import_module(f"scipy.{name}"))
        setattr(cupyx.scipy, name, part)
        modules[f"cupyx.scipy.{name}"] = part
    return modules


MODULES = _make()


@contextlib.contextmanager
def installed() -> Any:
    """Within the block ``import cupy`` finds the stand-in."""
    before = {name: sys.modules.get(name) for name in MODULES}
    sys.modules.update(MODULES)
    runtime._function.cache_clear()
    runtime._module.cache_clear()
    try:
        yield MODULES["cupy"]
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
