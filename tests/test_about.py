"""prc.info(): what the installation can do."""

from __future__ import annotations

import json
import subprocess
import sys
import types

import pytest

import pyrad_core as prc
from pyrad_core import about


def test_info_is_plain_data():
    info = prc.info()
    json.dumps(info)
    assert info["version"] == prc.__version__
    assert info["threads"] == prc.num_threads()
    assert info["isa"] and "g++" in info["compiler"]
    assert set(info["missing"]) == {name for name, v in info["optional"].items() if v is None}


def test_info_imports_no_optional_package():
    code = (
        "import sys, pyrad_core; pyrad_core.info();"
        "print(*{'torch', 'numba', 'dask', 'matplotlib', 'h5py', 'SimpleITK'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stdout.split(), done.stdout + done.stderr


def test_bad_input_85_cupy_absent(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    state = about._cuda()
    assert not state["available"] and "pip install pyrad_core[gpu-cuda12]" in state["why"]


class FakeRuntime:
    """As much of cupy.cuda.runtime as info() asks."""

    class CUDARuntimeError(Exception):
        pass

    def __init__(self, devices):
        self._devices = devices

    def getDeviceCount(self):
        if self._devices is None:
            raise self.CUDARuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected")
        return self._devices

    def getDeviceProperties(self, _):
        return {"name": b"Test GPU", "major": 9, "minor": 0}

    def memGetInfo(self):
        return 3 << 30, 4 << 30

    def driverGetVersion(self):
        return 13000

    def runtimeGetVersion(self):
        return 12060


def fake_cupy(devices):
    import contextlib

    cupy = types.ModuleType("cupy")
    cupy.__version__ = "14.0"
    cupy.cuda = types.SimpleNamespace(
        runtime=FakeRuntime(devices), Device=lambda n: contextlib.nullcontext(n)
    )
    return cupy


@pytest.mark.parametrize("devices", [None, 0])
def test_info_without_a_gpu(monkeypatch, devices):
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(devices))
    state = about._cuda()
    assert not state["available"] and "finds no GPU" in state["why"]


def test_info_with_a_gpu(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(1))
    state = about._cuda()
    assert state["available"] and (state["driver"], state["runtime"]) == ("13.0", "12.6")
    assert state["devices"][0] == {
        "name": "Test GPU",
        "compute_capability": "9.0",
        "memory": 4 << 30,
        "free": 3 << 30,
    }
