"""What a cohort run leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Outcome"]


@dataclass(frozen=True)
class Outcome:
    """Counts of a cohort run and where its results are.

    Attributes
    ----------
    out : Path
        The folder of the run.
    results : tuple of Path
        Tables with a row per case, in the order of the cases: CSV, and Parquet where pyarrow is
        installed.
    computed, kept : int
        Cases finished by this run, and those whose result was already there.
    failed : mapping
        Id -> why the case has no result.
    """

    out: Path
    results: tuple[Path, ...]
    computed: int
    kept: int
    failed: dict[str, str]
