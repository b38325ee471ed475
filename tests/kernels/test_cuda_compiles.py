"""Every .cu file compiles for every supported architecture, without spilling registers."""

from __future__ import annotations

import hashlib
import os
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

HIDDEN_FROM_NVRTC = r"#if !defined\(__CUDACC(_RTC)?__\)\n.*?#endif"

# Kernels that may spill: name -> why that is the better choice.
ACCEPTED_SPILLS: dict[str, str] = dict.fromkeys(
    ("local_glcm_u8", "local_glcm_u16"),
    "its sums of a rolling window fill the registers; about 200 bytes are stored beside them",
)


def nvcc() -> str | None:
    return shutil.which("nvcc") or shutil.which("/usr/local/cuda/bin/nvcc")


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


def included(source: str) -> set[Path]:
    """The file and every header of csrc that it includes; others are an error."""
    folder = source_folder()
    pending, seen = [folder / source], set()
    while pending:
        path = pending.pop()
        if path in seen:
            continue
        seen.add(path)
        text = re.sub(HIDDEN_FROM_NVRTC, "", path.read_text(), flags=re.S)
        for kind, name in re.findall(r'#\s*include\s*([<"])([^>"]+)', text):
            assert kind == '"', f"{path.name} includes <{name}>"
            assert (folder / name).exists(), f'{path.name} includes "{name}"'
            pending.append(folder / name)
    return seen


def kept_log(source: str, compiler: str) -> Path:
    """Where the log of a success is kept: compiling takes long, and most files stay the same."""
    digest = hashlib.sha256(f"{compiler} {ARCHITECTURES}".encode())
    for path in sorted(included(source)):
        digest.update(path.read_bytes())
    folder = Path(__file__).resolve().parents[2] / "build" / "cuda"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{source.replace('/', '_')}-{digest.hexdigest()[:16]}.log"


@pytest.mark.parametrize("source", SOURCES)
def test_compiles_for_every_architecture(source):
    folder, compiler = source_folder(), nvcc()
    if compiler is None:
        pytest.skip("nvcc not found")
    kept = kept_log(source, f"{compiler} {os.path.getmtime(compiler)}")
    if not kept.exists():
        # One pass of the front end for all; test_nvrtc_compiles makes one for each architecture.
        codes = ",".join(f"sm_{arch}" for arch in ARCHITECTURES)
        command = [
            *(compiler, "-std=c++17", "-O3", "-Xptxas", "-v", "-fatbin", "-I", str(folder)),
            *("-gencode", f"arch=compute_{ARCHITECTURES[0]},code=[{codes}]", "--threads", "0"),
            *("-o", os.devnull, str(folder / source)),
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        log = done.stdout + done.stderr
        assert done.returncode == 0, log
        kept.write_text(log)
    log = kept.read_text()
    warnings = [line for line in log.splitlines() if "warning" in line]
    assert not warnings, "\n".join(warnings)
    assert log.count("Compiling entry function") >= len(ARCHITECTURES)
    assert not spills(log)


@pytest.mark.parametrize("source", SOURCES)
def test_nvrtc_compiles(source):
    """With the compiler and the options of users' machines; for all architectures where nvcc has
    not done so."""
    if nvrtc.library() is None:
        pytest.skip("NVRTC not found: pip install nvidia-cuda-nvrtc")
    if nvcc():
        targets = [f"compute_{arch}" for arch in (ARCHITECTURES[0], ARCHITECTURES[-1])]
    else:
        targets = [f"sm_{arch}" for arch in ARCHITECTURES]
    kept = kept_log(source, f"{nvrtc.library()._name} {targets}")
    if kept.exists():
        return
    text = (source_folder() / source).read_text()
    for target in targets:
        options = [*runtime.compile_options(), "-ftz=true", f"-arch={target}"]
        compiled, log = nvrtc.compile_cuda(text, source, [*options, "--ptxas-options=-v"])
        assert compiled, log
        assert "warning" not in log, log
        assert not spills(log)
    kept.touch()


@pytest.mark.parametrize("source", SOURCES)
def test_no_host_headers(source):
    """NVRTC has none: kernels include headers of csrc alone."""
    assert included(source)
