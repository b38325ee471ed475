"""benchmarks/gpu.py, dry: its cases on the emulator, and what the bare GPU machine lacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))  # at the end: an installed pyrad_core stays the one under test

from benchmarks import gpu, gpu_cases  # noqa: E402

# Packages that a GPU machine need not have; tests that use them skip there.
ABSENT = ("nibabel", "pywt", "ismrmrd", "SimpleITK", "pydicom", "nrrd", "twixtools", "defusedxml")
COLLECT = f"""
import sys
sys.modules.update(dict.fromkeys({ABSENT}))
import pytest
sys.exit(pytest.main(["--collect-only", "-q", "-m", "gpu", "-p", "no:cacheprovider"]))
"""


@pytest.mark.parametrize("name", gpu_cases.CASES)
def test_case_on_the_emulator(emulator, name):
    row = gpu.run_case(name, True, None)
    assert "failed" not in row, row
    assert row["bytes"] > 0


def test_dry_run_writes_one_json(emulator, tmp_path, capsys):
    status = gpu.main(["base", "--emulated", "--out", str(tmp_path)])
    (path,) = tmp_path.glob("*.json")
    result = json.loads(path.read_text())
    assert status == 0 and result["device"] == "emulated"
    assert [case["name"] for case in result["cases"]] == ["base.count_nonfinite float32"]


def test_a_failing_case_is_reported_and_costs_no_other(emulator, tmp_path, monkeypatch):
    def broken(tiny):
        raise RuntimeError("no such kernel")

    monkeypatch.setitem(gpu_cases.CASES, "base.broken", broken)
    assert gpu.main(["base", "--emulated", "--out", str(tmp_path)]) == 1
    rows = json.loads(next(tmp_path.glob("*.json")).read_text())["cases"]
    assert [("failed" in row) for row in rows] == [False, True]


def test_gpu_tests_are_collected_without_optional_packages():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(
        [sys.executable, "-c", COLLECT], cwd=ROOT, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
