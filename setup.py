"""Build the compiled CPU kernels with CMake and ship the CUDA sources beside them.

Environment: CMAKE_ARGS, CMAKE_GENERATOR (standard), PYRAD_BUILD_TYPE (default Release),
PYRAD_BUILD_DIR (default build/cmake-<interpreter>), CMAKE_BUILD_PARALLEL_LEVEL.
"""

import filecmp
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
CUDA_SOURCES = ("*.cu", "*.cuh", "*.hpp", "*.inl")


class CMakeBuild(build_ext):
    """Configure and build one CMake project; every Extension is a target of it."""

    def build_extension(self, ext):
        folder = Path(
            os.environ.get("PYRAD_BUILD_DIR")
            or ROOT / "build" / f"cmake-{sys.implementation.cache_tag}"
        )
        target_dir = Path(self.get_ext_fullpath(ext.name)).parent.resolve()
        generator = wanted_generator()
        drop_cache_of_other_generator(folder, generator)
        configure = [
            cmake_program(),
            *("-S", str(ROOT), "-B", str(folder)),
            f"-DCMAKE_BUILD_TYPE={os.environ.get('PYRAD_BUILD_TYPE', 'Release')}",
            f"-DPYRAD_MODULE_DIR={target_dir}",
            f"-DPython_EXECUTABLE={sys.executable}",
            f"-Dpybind11_DIR={pybind11_beside(folder)}",
        ]
        if generator == "Ninja":
            configure += ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={shutil.which('ninja')}"]
        configure += shlex.split(os.environ.get("CMAKE_ARGS", ""))
        build = [cmake_program(), "--build", str(folder), "--target", "cpu"]
        if "CMAKE_BUILD_PARALLEL_LEVEL" not in os.environ:
            build += ["--parallel", str(len(os.sched_getaffinity(0)))]
        subprocess.run(configure, check=True)
        subprocess.run(build, check=True)


class BuildWithCudaSources(build_py):
    """Copy every file that NVRTC compiles at run time into the wheel (pyrad_core/_csrc)."""

    def run(self):
        if not self.editable_mode:  # what an earlier build left there would be installed again
            shutil.rmtree(Path(self.build_lib, "pyrad_core"), ignore_errors=True)
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


def wanted_generator():
    return os.environ.get("CMAKE_GENERATOR") or ("Ninja" if shutil.which("ninja") else None)


def drop_cache_of_other_generator(folder, generator):
    """CMake refuses a folder that another generator configured."""
    cache = folder / "CMakeCache.txt"
    if not cache.exists():
        return
    configured = re.search(r"^CMAKE_GENERATOR:INTERNAL=(.*)$", cache.read_text(), re.M)
    if not configured or configured[1] != (generator or "Unix Makefiles"):
        shutil.rmtree(folder)


def pybind11_beside(folder):
    """CMake folder of a copy of pybind11 at a path that the next build has too.

    Pip builds in an environment of its own each time; with headers in there every binding would
    be compiled again for every install.
    """
    import pybind11

    package, copy = Path(pybind11.__file__).parent, folder / "pybind11"
    for part in ("include", "share"):
        for path in sorted((package / part).rglob("*")):
            target = copy / path.relative_to(package)
            if path.is_file() and not (target.exists() and filecmp.cmp(path, target, False)):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    return copy / "share" / "cmake" / "pybind11"


setup(
    ext_modules=[Extension("pyrad_core._kernels.cpu", sources=[])],
    cmdclass={"build_ext": CMakeBuild, "build_py": BuildWithCudaSources},
)
