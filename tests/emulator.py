"""Builds the CUDA emulator (csrc/cuda_emu) for the tests: `python tests/emulator.py`.

Where PYRAD_EMULATOR_DIR is set (tests/sanitize.sh), the module in that folder is taken as it is.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class BuildFailed(Exception):
    """The text is the end of the build's output."""


def build_emulator() -> Path:
    """Path of the module; only what changed is compiled, parallel callers wait."""
    if "PYRAD_EMULATOR_DIR" in os.environ:
        return next(Path(os.environ["PYRAD_EMULATOR_DIR"]).glob("emulator.*so"))
    folder = ROOT / "build" / f"emulator-{sys.implementation.cache_tag}"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "build.ninja").exists() and not (folder / "Makefile").exists():
            _run(_configure(folder))
        jobs = str(len(os.sched_getaffinity(0)))
        _run([_cmake(), "--build", str(folder), "--target", "emulation", "--parallel", jobs])
    return next((folder / "module").glob("emulator.*so"))


def _configure(folder: Path) -> list[str]:
    import pybind11

    command = [
        *(_cmake(), "-S", str(ROOT), "-B", str(folder), "-DPYRAD_EMULATOR=ON"),
        f"-DPython_EXECUTABLE={sys.executable}",
        f"-Dpybind11_DIR={pybind11.get_cmake_dir()}",
    ]
    if shutil.which("ninja"):
        command += ["-G", "Ninja"]
    if shutil.which("ccache"):
        command.append("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
    return command


def _cmake() -> str:
    return shutil.which("cmake") or "cmake"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise BuildFailed((done.stdout + done.stderr)[-6000:])


if __name__ == "__main__":
    sys.stdout.write(f"{build_emulator()}\n")
