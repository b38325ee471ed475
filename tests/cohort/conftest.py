"""Small cohorts on disk, and a scheduler whose workers are threads of the test's process."""

from __future__ import annotations

import csv
import json
import os

import numpy as np
import pytest
from helpers import thread_cluster

from pyrad_core import io


class Folder:
    """A table with its files, and the folder of its results."""

    def __init__(self, path):
        self.path, self.table, self.out = path, path / "cases.csv", path / "out"

    def write(self, lines):
        self.table.write_text("\n".join(lines) + "\n")

    def image(self, name, seed):
        rng = np.random.default_rng(seed)
        values = rng.normal(100, 30, (5, 9, 8)).astype(np.float32)
        io.write_image(self.path / name, values, spacing=(2.0, 1.0, 1.0))

    def rows(self):
        with open(self.out / "results.csv", newline="") as stream:
            return {row["id"]: row for row in csv.DictReader(stream)}

    def record(self, case):
        return json.loads((self.out / "cases" / f"{case}.json").read_text())

    def records(self):
        folder = self.out / "cases"
        return {p.name: p.read_bytes() for p in sorted(folder.glob("[!.]*"))}


@pytest.fixture
def folder(tmp_path):
    """Four good cases (of three images), one without an image and one with an empty mask."""
    made = Folder(tmp_path)
    lines = ["id,Image,mask,label,remark"]
    for number in range(3):
        made.image(f"i{number}.nii.gz", number)
    labels = np.random.default_rng(9).integers(0, 3, (5, 9, 8)).astype(np.uint8)
    io.write_image(tmp_path / "m.nii.gz", labels, spacing=(2.0, 1.0, 1.0))
    empty = np.zeros((5, 9, 8), np.uint8)
    io.write_image(tmp_path / "empty.nii.gz", empty, spacing=(2.0, 1.0, 1.0))
    lines += [f"p{number},i{number}.nii.gz,m.nii.gz,1,none" for number in range(3)]
    lines += ["p3,i0.nii.gz,m.nii.gz,2,", "bad1,absent.nii.gz,m.nii.gz,,"]
    lines += ["bad2,i0.nii.gz,empty.nii.gz,,"]
    made.write(lines)
    return made


@pytest.fixture(scope="session")
def scheduler():
    """Two workers."""
    os.environ.setdefault("DASK_DISTRIBUTED__LOGGING__DISTRIBUTED", "error")
    with thread_cluster(2) as made:
        yield made.scheduler_address
