"""Build the compiled CPU kernels with CMake and ship the CUDA sources beside them.

Environment: CMAKE_ARGS, CMAKE_GENERATOR (standard), PYRAD_BUILD_TYPE (default Release),
PYRAD_BUILD_DIR (default build/cmake-<interpreter>), CMAKE_BUILD_PARALLEL_LEVEL.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent.resolve()
CUDA_SOURCES = ("*.cu", "*.cuh", "*.hpp")


class CMakeBuild(build_ext):
    """Configure and build one CMake project; every Extension is a target of it."""

    def build_extension(self, ext):
        import pybind11

        folder = Path(
            os.environ.get("PYRAD_BUILD_DIR")
            or ROOT / "build" / f"cmake-{sys.implementation.cache_tag}"
        )
        target_dir = Path(self.get_ext_fullpath(ext.name)).parent.resolve()
        drop_stale_cache(folder)
        configure = [
            cmake_program(),
            *("-S", str(ROOT), "-B", str(folder)),
            f"-DCMAKE_BUILD_TYPE={os.environ.get('PYRAD_BUILD_TYPE', 'Release')}",
            f"-DPYRAD_MODULE_DIR={target_dir}",
            f"-DPython_EXECUTABLE={sys.executable}",
            f"-Dpybind11_DIR={pybind11.get_cmake_dir()}",
        ]
        if "CMAKE_GENERATOR" not in os.environ and ninja_program():
            configure += ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja_program()}"]
        configure += shlex.split(os.environ.get("CMAKE_ARGS", ""))
        build = [cmake_program(), "--build", str(folder), "--target", "cpu"]
        if "CMAKE_BUILD_PARALLEL_LEVEL" not in os.environ:
            build += ["--parallel", str(len(os.sched_getaffinity(0)))]
        subprocess.run(configure, check=True)
        subprocess.run(build, check=True)


class BuildWithCudaSources(build_py):
    """Copy every file that NVRTC compiles at run time into the wheel (pyrad_core/_csrc)."""

    def run(self):
        super().run()
        if self.editable_mode:  # an editable install reads csrc/ itself
            return
        for source in self.cuda_sources():
            target = Path(self.build_lib, "pyrad_core", "_csrc", source.relative_to(ROOT / "csrc"))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)

    @staticmethod
    def cuda_sources():
        skipped = ("bindings", "cuda_emu")
        for pattern in CUDA_SOURCES:
            for path in sorted((ROOT / "csrc").rglob(pattern)):
                if path.relative_to(ROOT / "csrc").parts[0] not in skipped:
                    yield path


def cmake_program():
    return shutil.which("cmake") or "cmake"


def ninja_program():
    return shutil.which("ninja")


def drop_stale_cache(folder):
    """Pip's isolated builds leave a cache that names tools of a deleted environment."""
    cache = folder / "CMakeCache.txt"
    if not cache.exists():
        return
    tools = re.findall(
        r"^(?:CMAKE_MAKE_PROGRAM|CMAKE_COMMAND|pybind11_DIR)[^=]*=(.*)$", cache.read_text(), re.M
    )
    if not all(Path(tool).exists() for tool in tools):
        shutil.rmtree(folder)


setup(
    ext_modules=[Extension("pyrad_core._kernels.cpu", sources=[])],
    cmdclass={"build_ext": CMakeBuild, "build_py": BuildWithCudaSources},
)
