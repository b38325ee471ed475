"""Sphinx: ``sphinx-build -W docs build/docs`` with ``pip install -e ".[docs]"``.

With ``-t quick`` the gallery's scripts are not run (tests/test_docs.py runs them), so that pages
lack their pictures; ``-b dummy -t quick`` is the check of every change, in a fifth of the time.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

import pyrad_core

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

project = "pyrad_core"
author = copyright = "the pyrad_core developers"
quick = tags.has("quick")  # noqa: F821 (Sphinx puts it here)
version = release = pyrad_core.__version__
html_title = f"pyrad_core {version}"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
]
html_theme = "furo"
html_math_renderer = "mathml"
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
exclude_patterns = ["decisions.md", "gallery/*.md"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
# ref.python: the "rows" of a shape in a docstring are no reference to anything's attribute.
suppress_warnings = ["config.cache", "myst.xref_missing", "ref.python"]
if quick:
    suppress_warnings.append("image.not_readable")

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "examples",
    "filename_pattern": r"plot_",
    "plot_gallery": not quick,
    "download_all_examples": False,
    "show_signature": False,
    "min_reported_time": 1e9,
    "abort_on_example_error": True,
    "remove_config_comments": True,
    "within_subsection_order": "FileNameSortKey",
}

AREAS = {
    "geometry": "Scan geometries and grids",
    "ct": "CT: projections to images",
    "mr": "MR: k-space to images",
    "denoise": "Denoising",
    "wavelet": "Wavelets",
    "filters": "Filters of IBSI 2",
    "features": "Radiomic features and maps",
    "operators": "Linear operators",
    "solvers": "Solvers",
    "prox": "Proximal operators",
    "phantom": "Phantoms and simulated noise",
    "io": "Files",
    "plot": "Pictures",
    "chunked": "Volumes beyond memory",
    "cohort": "Cohorts",
}


def reference_pages() -> None:
    """One page per area, from what its package exports."""
    folder = HERE / "reference"
    folder.mkdir(exist_ok=True)
    for area, title in AREAS.items():
        module = importlib.import_module(f"pyrad_core.{area}")
        names = [n for n in module.__all__ if callable(getattr(module, n))]
        listing = "\n".join(f"   {name}" for name in names)
        text = (
            f"{title}\n{'=' * len(title)}\n\n.. automodule:: pyrad_core.{area}\n"
            f"   :no-members:\n\n.. currentmodule:: pyrad_core.{area}\n\n"
            f".. autosummary::\n   :toctree: names\n   :nosignatures:\n\n{listing}\n"
        )
        path = folder / f"{area}.rst"
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def inline_formula(writer, node) -> None:
    writer.body.append(tex2mathml(node.astext(), as_block=False))
    raise nodes.SkipNode


def block_formula(writer, node) -> None:
    writer.body.append(f'<div class="math">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app) -> None:
    """Formulas are MathML, which browsers draw by themselves: no script from another host."""
    app.add_html_math_renderer("mathml", (inline_formula, None), (block_formula, None))


reference_pages()
