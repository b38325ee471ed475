"""The Python blocks of every page run, page by page, and so do the gallery's scripts."""

from __future__ import annotations

import re
import runpy
import warnings
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


@pytest.mark.parametrize("script", sorted(p.name for p in (DOCS / "gallery").glob("plot_*.py")))
def test_gallery_scripts_run(script):
    """Without warnings, which would stand on the page beside the pictures."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    path = DOCS / "gallery" / script
    needs = {"prc.cohort": "distributed", "prc.chunked": "dask"}
    needs |= {f"from {package}": package for package in ("sklearn", "pandas", "lifelines")}
    for words, package in needs.items():
        if words in path.read_text(encoding="utf-8"):
            pytest.importorskip(package)
    pyplot.switch_backend("agg")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        runpy.run_path(str(path))
    assert pyplot.get_fignums()
    pyplot.close("all")


def test_pictures_of_pages_are_made_by_the_gallery_or_the_demo():
    for page in DOCS.glob("*.md"):
        for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            made = re.fullmatch(r"examples/images/sphx_glr_(plot_\w+)_\d{3}\.png", picture)
            if made:
                assert (DOCS / "gallery" / f"{made[1]}.py").is_file(), (page.name, picture)
            else:
                assert picture == "images/overview.png", (page.name, picture)
