"""Check that the sdist holds all that a build needs and the wheel every file NVRTC compiles, and
that neither kept what is no longer in the sources.

usage: check_dist.py <source tree> <folder with one .tar.gz and one .whl>
"""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

NEEDED = (
    "csrc",
    "pyrad_core",
    "CMakeLists.txt",
    "setup.py",
    "pyproject.toml",
    "README.md",
    "LICENSE",
)


def main(root: Path, dist: Path) -> int:
    tracked = subprocess.run(
        ["git", "ls-files", *NEEDED], cwd=root, check=True, capture_output=True, text=True
    )
    sources = set(tracked.stdout.splitlines())
    with tarfile.open(next(dist.glob("*.tar.gz"))) as sdist:
        packed = {name.partition("/")[2] for name in sdist.getnames()}
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as wheel:
        installed = set(wheel.namelist())
    for_nvrtc = {
        f"pyrad_core/_csrc/{path.removeprefix('csrc/')}"
        for path in sources
        if path.startswith("csrc/")
        and path.endswith((".cu", ".cuh", ".hpp", ".inl"))
        and path.split("/")[1] not in ("bindings", "cuda_emu")
    }
    missing = sorted(sources - packed) + sorted(for_nvrtc - installed)
    for path in missing:
        print("missing from the distribution:", path)
    ours = {n for n in installed if n.startswith("pyrad_core/") and not n.endswith(".so")}
    stale = sorted(ours - sources - for_nvrtc)
    for path in stale:
        print("in the wheel, but not in the sources:", path)
    if not any(name.startswith("pyrad_core/_kernels/cpu.") for name in installed):
        print("the wheel has no compiled kernels")
        return 1
    print(f"sdist {len(packed)} entries, wheel {len(installed)} entries")
    return 1 if missing or stale else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
