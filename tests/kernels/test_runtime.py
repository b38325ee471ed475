"""The launch layer on a GPU: CuPy is played by a stand-in, so that every failure can happen."""

from __future__ import annotations

import contextlib
import re
import sys
import types

import numpy as np
import pytest

from pyrad_core import DataError, DeviceError, DeviceMemoryError, MissingDependencyError
from pyrad_core._kernels.cuda import runtime


class DriverError(RuntimeError):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class CompileError(Exception):
    pass


class OutOfMemory(MemoryError):
    pass


class DeviceArray:
    """Enough of cupy.ndarray."""

    def __init__(self, contiguous=True, dtype=np.float32):
        self.flags = types.SimpleNamespace(c_contiguous=contiguous)
        self.dtype = np.dtype(dtype)
        self.device = _Device(0)


class _Device(contextlib.nullcontext):
    compute_capability = "90"

    def __init__(self, number=0):
        super().__init__()
        self.id = number


class Cupy(types.ModuleType):
    """Records launches; ``fail`` is raised by the next ones, ``broken`` by compilation."""

    ndarray = DeviceArray

    def __init__(self):
        super().__init__("cupy")
        self.launches, self.options, self.freed = [], None, 0
        self.fail = self.broken = None
        self.room = 10**9
        errors = types.SimpleNamespace(CUDADriverError=DriverError)
        cuda_runtime = types.SimpleNamespace(
            CUDARuntimeError=DriverError,
            getDevice=lambda: 0,
            memGetInfo=lambda: (self.room, 4 * 10**9),
        )
        self.cuda = types.SimpleNamespace(
            driver=errors,
            runtime=cuda_runtime,
            Device=_Device,
            memory=types.SimpleNamespace(OutOfMemoryError=OutOfMemory),
            compiler=types.SimpleNamespace(CompileException=CompileError),
            nvrtc=types.SimpleNamespace(getVersion=lambda: (13, 0)),
        )

    def RawModule(self, *, code, options):
        assert "PYRAD_KERNEL" in code
        self.options = options
        return types.SimpleNamespace(get_function=self._function)

    def _function(self, name):
        if self.broken:
            raise self.broken

        class Function:
            max_dynamic_shared_size_bytes = 0

            def __call__(function, grid, block, args, shared_mem):
                if self.fail:
                    raise self.fail
                self.launches.append(
                    (name, grid, block, shared_mem, function.max_dynamic_shared_size_bytes)
                )

        return Function()

    def empty(self, shape, dtype):
        if np.prod(shape) * np.dtype(dtype).itemsize > self.room:
            raise OutOfMemory("out of memory")
        return DeviceArray(dtype=dtype)

    def get_default_memory_pool(self):
        def free():
            self.freed += 1

        return types.SimpleNamespace(free_all_blocks=free)


@pytest.fixture
def cupy(monkeypatch):
    stand_in = Cupy()
    monkeypatch.setitem(sys.modules, "cupy", stand_in)
    monkeypatch.setattr(runtime, "_cuda_pid", None)
    runtime._function.cache_clear()
    runtime._module.cache_clear()
    yield stand_in
    runtime._function.cache_clear()
    runtime._module.cache_clear()


def launch(**keywords):
    array = keywords.pop("array", None) or DeviceArray()
    args = (array, np.int64(1), DeviceArray())
    runtime.launch("base/finite.cu", "count_nonfinite_f32", (2,), (64,), args, **keywords)


def test_launch_compiles_once_with_the_hash_of_all_sources(cupy):
    launch()
    options = cupy.options
    launch()
    assert cupy.launches == [("count_nonfinite_f32", (2,), (64,), 0, 0)] * 2
    assert "-std=c++17" in options and f"-I{runtime.source_folder()}" in options
    assert any(re.fullmatch("-DPYRAD_SRC_HASH=0x[0-9a-f]{16}", option) for option in options)


def test_large_shared_memory_is_asked_for(cupy):
    launch(shared=100_000)
    assert cupy.launches[-1][3:] == (100_000, 100_000)


def test_strided_array_is_refused(cupy):
    with pytest.raises(DataError, match="count_nonfinite_f32: argument 0 is not C-contiguous"):
        launch(array=DeviceArray(contiguous=False))


def test_bad_input_85_cupy_absent(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(MissingDependencyError, match="pip install pyrad_core"):
        launch()


def test_bad_input_88_out_of_device_memory(cupy):
    cupy.room = 1000
    with pytest.raises(DeviceMemoryError, match="4000 bytes asked for on GPU 0, 1000 of"):
        runtime.empty(DeviceArray(), (10, 100), np.float32)
    assert cupy.freed == 1
    assert runtime.empty(DeviceArray(), 100, np.float32).dtype == np.float32


def test_bad_input_89_kernel_does_not_compile(cupy):
    cupy.broken = CompileError('finite.cu(3): error: identifier "x" is undefined')
    with pytest.raises(DeviceError, match="(?s)base/finite.cu .* sm_90 .NVRTC 13.0.*undefined"):
        launch()


def test_bad_input_90_dtype_without_a_kernel():
    with pytest.raises(DataError, match="float16"):
        runtime.suffix(np.zeros(1, np.float16))


def test_bad_input_91_illegal_address(cupy):
    cupy.fail = DriverError(700, "CUDA_ERROR_ILLEGAL_ADDRESS")
    for _ in range(2):  # later calls say so as well
        with pytest.raises(DeviceError, match="context of this process is dead.*restart"):
            launch()


def test_bad_input_92_fork_after_cuda(cupy, monkeypatch):
    launch()
    monkeypatch.setattr(runtime.os, "getpid", lambda: -1)
    with pytest.raises(DeviceError, match="forked child cannot use it.*spawn"):
        launch()
    with pytest.raises(DeviceError, match="spawn"):
        runtime.empty(DeviceArray(), 3, np.float32)


def test_bad_input_92_fork_noticed_by_the_driver(cupy):
    cupy.fail = DriverError(3, "CUDA_ERROR_NOT_INITIALIZED")
    with pytest.raises(DeviceError, match="spawn"):
        launch()


def test_launch_that_the_gpu_refuses(cupy):
    cupy.fail = DriverError(1, "CUDA_ERROR_INVALID_VALUE")
    with pytest.raises(DeviceError, match=r"grid \(2,\), block \(64,\), 9 bytes shared"):
        launch(shared=9)
