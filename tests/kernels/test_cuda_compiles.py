"""Every .cu file compiles for every supported architecture, without spilling registers."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import nvrtc
import pytest

from pyrad_core._kernels.cuda import runtime
from pyrad_core._kernels.cuda.runtime import source_folder

ARCHITECTURES = (75, 80, 86, 89, 90, 100, 120)
SOURCES = sorted(p.relative_to(source_folder()).as_posix() for p in source_folder().rglob("*.cu"))

# Kernels that may spill: name -> why that is the better choice.
ACCEPTED_SPILLS: dict[str, str] = {}


def nvcc() -> str:
    found = shutil.which("nvcc") or shutil.which("/usr/local/cuda/bin/nvcc")
    if not found:
        pytest.skip("nvcc not found")
    return found


def spills(log: str) -> dict[str, str]:
    """Kernel -> "sm_75: 8 bytes stored, 16 loaded" from ptxas -v, without the accepted ones."""
    entry = re.compile(
        r"Compiling entry function '(\w+)' for '(sm_\w+)'.*?"
        r"(\d+) bytes spill stores, (\d+) bytes spill loads",
        re.S,
    )
    return {
        name: f"{arch}: {stores} bytes stored, {loads} loaded"
        for name, arch, stores, loads in entry.findall(log)
        if (stores != "0" or loads != "0") and name not in ACCEPTED_SPILLS
    }


@pytest.mark.parametrize("source", SOURCES)
def test_compiles_for_every_architecture(source, tmp_path):
    folder: Path = source_folder()
    # One pass of the front end for all; test_nvrtc_compiles makes one for each architecture.
    codes = ",".join(f"sm_{arch}" for arch in ARCHITECTURES)
    command = [
        *(nvcc(), "-std=c++17", "-O3", "-Xptxas", "-v", "-fatbin", "-I", str(folder)),
        *("-gencode", f"arch=compute_{ARCHITECTURES[0]},code=[{codes}]"),
        *("-o", str(tmp_path / "out.fatbin"), str(folder / source)),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    log = done.stdout + done.stderr
    assert done.returncode == 0, log
    warnings = [line for line in log.splitlines() if "warning" in line]
    assert not warnings, "\n".join(warnings)
    assert log.count("Compiling entry function") >= len(ARCHITECTURES)
    assert not spills(log)


@pytest.mark.parametrize("source", SOURCES)
def test_nvrtc_compiles(source):
    """With the options and the compiler that users' machines run."""
    if nvrtc.library() is None:
        pytest.skip("NVRTC not found: pip install nvidia-cuda-nvrtc")
    text = (source_folder() / source).read_text()
    for arch in ARCHITECTURES:
        options = [*runtime.compile_options(), "-ftz=true", f"-arch=sm_{arch}"]
        compiled, log = nvrtc.compile_cuda(text, source, [*options, "--ptxas-options=-v"])
        assert compiled, log
        assert "warning" not in log, log
        assert not spills(log)


@pytest.mark.parametrize("source", SOURCES)
def test_no_host_headers(source):
    """NVRTC has none: kernels include headers of csrc alone."""
    folder = source_folder()
    pending, seen = [folder / source], set()
    while pending:
        path = pending.pop()
        if path in seen:
            continue
        seen.add(path)
        if path.name == "portable.hpp":  # its one host header is hidden from NVRTC
            continue
        for kind, name in re.findall(r'#\s*include\s*([<"])([^>"]+)', path.read_text()):
            assert kind == '"', f"{path.name} includes <{name}>"
            assert (folder / name).exists(), f'{path.name} includes "{name}"'
            pending.append(folder / name)
