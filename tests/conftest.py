"""Fixture ``device``: the same parity test on the CUDA emulator and on a real GPU."""

from __future__ import annotations

import contextlib
import shutil

import numpy as np
import pytest
from emulator import BuildFailed, build_emulator

from pyrad_core._kernels import cuda, select
from pyrad_core._kernels.cuda import runtime


class Emulated:
    """NumPy arrays through the CUDA launchers, run on the CPU."""

    name = "emulated"
    kernels = cuda

    def __init__(self):
        self._contexts = contextlib.ExitStack()

    def array(self, x):
        return np.array(x)

    def numpy(self, x):
        return np.asarray(x)

    def __enter__(self):
        self._contexts.enter_context(select.emulated())
        return self

    def __exit__(self, *_):
        self._contexts.close()


class Gpu:
    """CuPy arrays on the current CUDA device."""

    name = "gpu"
    kernels = cuda

    def array(self, x):
        import cupy

        return cupy.asarray(x)

    def numpy(self, x):
        import cupy

        return cupy.asnumpy(x)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


@pytest.fixture(scope="session")
def emulator():
    """The emulator module, built when first asked for."""
    if not shutil.which("cmake"):
        pytest.skip("cmake not found: the CUDA emulator cannot be built")
    try:
        path = build_emulator()
    except BuildFailed as error:
        pytest.fail(f"the CUDA emulator does not build:\n{error}", pytrace=False)
    module = runtime.load_emulator(path)
    runtime.use_emulator(module)
    return module


@pytest.fixture(params=["emulated", pytest.param("gpu", marks=pytest.mark.gpu)])
def device(request):
    """Where CUDA kernels run: ``.array(x)`` moves a NumPy array there, ``.numpy(x)`` back,
    ``.kernels`` is the CUDA table; within ``with device:`` public functions use it."""
    if request.param == "emulated":
        request.getfixturevalue("emulator")
        return Emulated()
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    if not cupy.is_available():
        pytest.skip("no CUDA device")
    return Gpu()


def pytest_collection_modifyitems(items):
    """tests/sanitize.sh runs every test that goes through the device fixture."""
    for item in items:
        if {"device", "emulator"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.sanitize)
