"""Imports run one way, and importing the package stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pyrad_core

PACKAGE = Path(pyrad_core.__file__).parent

# Lowest first. A module may import what stands in an earlier line and within its own package.
LAYERS = (
    (
        "errors",
        "_version",
        "_checks",
        "_colours",
        "_memory",
        "_yaml",
        "threads",
        "_kernels",
        "about",
    ),  # fmt: skip
    ("geometry",),
    ("operators", "phantom"),
    ("solvers",),
    ("wavelet",),
    ("denoise", "filters"),
    ("prox",),
    ("ct", "mr", "features"),
    ("chunked",),
    ("io",),
    ("plot",),
    ("demo",),
    ("cli",),
    ("cohort",),
    ("__main__",),
)
BASE = LAYERS[0]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
HEAVY = ("cupy", "numba", "torch", "pandas", "matplotlib", "h5py", "dask", "scipy", "skimage")


def modules():
    """Dotted name within the package and path of every module."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield (parts[:-1] if parts[-1] == "__init__" else parts), path


def imported(name, path):
    """(first part below pyrad_core, line) of every import, in functions as well."""
    inside = name if path.stem == "__init__" else name[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            targets = [alias.name.split(".") for alias in node.names]
            targets = [parts[1:] for parts in targets if parts[0] == "pyrad_core"]
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = list(inside[: len(inside) - node.level + 1])
            base += node.module.split(".") if node.module else []
            targets = [base + [alias.name] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pyrad_core"):
            base = node.module.split(".")[1:]
            targets = [base + [alias.name] for alias in node.names]
        else:
            continue
        yield from ((parts[0], node.lineno) for parts in targets if parts)


def test_every_module_has_a_layer():
    top = {name[0] for name, _ in modules() if name}
    assert not top - RANK.keys(), f"give {sorted(top - RANK.keys())} a place in LAYERS"


def test_imports_run_one_way():
    backwards = []
    for name, path in modules():
        if not name:
            continue  # the package itself loads everything lazily
        for target, line in imported(name, path):
            if target == name[0] or target not in RANK:
                continue
            both_base = name[0] in BASE and target in BASE
            if not both_base and RANK[target] >= RANK[name[0]]:
                backwards.append(f"{path.relative_to(PACKAGE)}:{line} imports {target}")
    assert not backwards, "\n".join(backwards)


def test_import_is_light():
    """Processor time, the best of several: what a warm, idle machine takes."""
    code = (
        "import sys, time; start = time.process_time(); import pyrad_core; "
        "print(time.process_time() - start); "
        f"print(','.join(name for name in {HEAVY!r} if name in sys.modules))"
    )
    seconds = []
    for _ in range(5):
        command = [sys.executable, "-c", code]
        run = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=PACKAGE.parent
        )
        took, heavy = run.stdout.split("\n")[:2]
        assert not heavy, f"import pyrad_core imports {heavy}"
        seconds.append(float(took))
    assert min(seconds) < 0.15, f"import pyrad_core took {min(seconds):.3f} s"
