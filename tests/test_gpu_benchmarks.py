"""benchmarks/gpu.py, dry: its cases on the emulator, and what the bare GPU machine lacks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pyrad_core._kernels.cuda.runtime import source_folder

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))  # at the end: an installed pyrad_core stays the one under test

from benchmarks import gpu, gpu_cases  # noqa: E402

# Packages that a GPU machine need not have; tests that use them skip there.
ABSENT = ("nibabel", "pywt", "ismrmrd", "SimpleITK", "pydicom", "nrrd", "twixtools", "defusedxml")
# Collecting them all would take as long as many a test: what fails there is the import.
IMPORT_TESTS = f"""
import importlib, pathlib, sys, types
sys.modules.update(dict.fromkeys({ABSENT}))
import pytest
package = sys.modules["all_tests"] = types.ModuleType("all_tests")
package.__path__ = ["tests"]
for path in sorted(pathlib.Path("tests").rglob("*.py")):
    if not path.name.startswith(("test_", "conftest")):
        continue
    name = ".".join(["all_tests", *path.with_suffix("").parts[1:]])
    try:
        importlib.import_module(name)
    except pytest.skip.Exception:
        print("skipped", name)
    else:
        print("imported", name)
"""


# Launched for sizes and settings alone that the cases do not have.
OTHER_SIZES = {"spread_direct", "discretise_edges", "dwt_fold"}


def stem(kernel: str) -> str:
    """Without the dtypes: they run the same template, one of them is enough."""
    return re.sub(r"(_(f32|f64|c64|c128|u8|u16|u32|u64|i8|i16|i32|i64))+$", "", kernel)


@pytest.fixture(scope="module")
def rows(emulator):
    return {row["name"]: row for row in gpu.run_cases([], True, None)}


def test_cases_on_the_emulator(rows):
    """One test for all, so that no second process runs them again for its share."""
    assert set(rows) == set(gpu_cases.CASES)
    failed = [row for row in rows.values() if "failed" in row]
    assert not failed, failed
    assert [n for n, row in rows.items() if not (row["bytes"] > 0 and row["kernels"])] == []


def test_every_kernel_is_in_a_case(emulator, rows):
    folder = source_folder()
    written = {
        stem(kernel)
        for path in folder.rglob("*.cu")
        for kernel in emulator.kernels(path.relative_to(folder).as_posix())
    }
    launched = {stem(kernel) for row in rows.values() for kernel in row.get("kernels", ())}
    assert written - launched - OTHER_SIZES == set()


def test_dry_run_writes_one_json(emulator, tmp_path, capsys):
    status = gpu.main(["base.count", "--emulated", "--out", str(tmp_path)])
    (path,) = tmp_path.glob("*.json")
    result = json.loads(path.read_text())
    assert status == 0 and result["device"] == "emulated"
    assert [case["name"] for case in result["cases"]] == ["base.count_nonfinite float32"]


def test_a_failing_case_is_reported_and_costs_no_other(emulator, tmp_path, monkeypatch):
    def broken(tiny):
        raise RuntimeError("no such kernel")

    monkeypatch.setitem(gpu_cases.CASES, "base.count_broken", broken)
    assert gpu.main(["base.count", "--emulated", "--out", str(tmp_path)]) == 1
    rows = json.loads(next(tmp_path.glob("*.json")).read_text())["cases"]
    assert [("failed" in row) for row in rows] == [False, True]


def test_tests_are_imported_without_optional_packages():
    paths = (str(ROOT / "tests"), *sys.path)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in paths if p)}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_TESTS],
        cwd=ROOT, capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert "imported all_tests.denoise.test_parity" in done.stdout
