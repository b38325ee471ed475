"""The Python blocks of every page of the documentation run, page by page."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parent.parent / "docs"
#: Need a cluster, or a raw file of the reader; tests/features/test_definitions.py runs features.md.
ELSEWHERE = ("cohort.md", "features.md", "recon_mr.md")


@pytest.mark.parametrize(
    "page", sorted(p.name for p in DOCS.glob("*.md") if p.name not in ELSEWHERE)
)
def test_python_blocks_run(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    names: dict = {}
    for block in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S):
        if "numba" in block and find_spec("numba") is None:
            continue
        exec(compile(block, page, "exec"), names)
