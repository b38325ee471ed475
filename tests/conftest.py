"""Fixture ``device``: the same parity test on the CUDA emulator, a CuPy stand-in and a GPU."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import standin_cupy
from emulator import BuildFailed, build_emulator

from pyrad_core._kernels import cpu, cuda, select
from pyrad_core._kernels.cuda import runtime

# A test run started in the background inherits an ignored Ctrl-C; some tests send one.
signal.signal(signal.SIGINT, signal.default_int_handler)


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
    """CuPy arrays on the current CUDA device, or on the stand-in for one."""

    kernels = cuda

    def __init__(self, name="gpu"):
        self.name = name

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


@pytest.fixture(params=["emulated", "stand-in", pytest.param("gpu", marks=pytest.mark.gpu)])
def device(request):
    """Where CUDA kernels run: ``.array(x)`` moves a NumPy array there, ``.numpy(x)`` back,
    ``.kernels`` is the CUDA table; within ``with device:`` public functions use it.

    "emulated" runs the kernels on NumPy arrays; "stand-in" runs them on arrays that, like CuPy's,
    refuse to be mixed with NumPy's; "gpu" is the real thing.
    """
    if request.param != "gpu":
        request.getfixturevalue("emulator")
    if request.param == "emulated":
        yield Emulated()
    elif request.param == "stand-in":
        with standin_cupy.installed():
            yield Gpu("stand-in")
    else:
        cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
        if not cupy.is_available():
            pytest.skip("no CUDA device")
        yield Gpu()


@pytest.fixture(autouse=True)
def alone(request):
    """A test draws the same numbers whatever ran before it; what the process has once is put back,
    also after a test that failed half-way."""
    state = getattr(request.module, "_state_of_rng", None)
    if state is not None:
        request.module.RNG.bit_generator.state = state
    threads, width = cpu.num_threads(), cpu.limit_vector_width(16)
    cpu.limit_vector_width(width)
    folder, errors = os.getcwd(), np.geterr()
    yield
    if cpu.num_threads() != threads:
        cpu.set_num_threads(threads)
    cpu.limit_vector_width(width)
    os.chdir(folder)
    np.seterr(**errors)
    tracemalloc.stop()


def pytest_terminal_summary(terminalreporter):
    """Says so where C++ was changed (or pulled) after it was last compiled."""
    sources = Path(cpu.__file__).parents[2] / "csrc"
    compiled = os.path.getmtime(cpu.__file__)
    newer = [
        path.relative_to(sources.parent).as_posix()
        for path in sorted(sources.rglob("*"))
        if path.suffix in (".cpp", ".hpp", ".inl") and "cuda_emu" not in path.parts
        if path.stat().st_mtime > compiled
    ]
    if newer:
        terminalreporter.write_line(
            f"The compiled kernels are older than {newer[0]} and {len(newer) - 1} other files; "
            "python setup.py build_ext --inplace"
        )


def pytest_collection_modifyitems(items):
    """A module's generator RNG begins every test where its import left it (fixture ``alone``);
    tests/sanitize.sh runs every test that goes through the emulator, once."""
    for module in {item.module for item in items if hasattr(item, "module")}:
        if hasattr(module, "RNG"):
            module._state_of_rng = module.RNG.bit_generator.state
    for item in items:
        uses = {"device", "emulator"} & set(getattr(item, "fixturenames", ()))
        if uses and "stand-in" not in item.name:
            item.add_marker(pytest.mark.sanitize)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Neighbours run in one process, so that what a module shares is made once, not in each."""
    if config.getvalue("dist") == "load":
        from xdist.scheduler import WorkStealingScheduling

        return WorkStealingScheduling(config, log)
    return None
