"""The table of names in docs/features.md; run as a module, it is written anew."""

from __future__ import annotations

from pathlib import Path

from pyrad_core.features._names import CLASS_NAMES, ENTRIES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "features.md"
BEGIN, END = "<!-- generated:", "<!-- end -->"


def table():
    """Lines of the table, one per feature."""
    lines = ["| Family | Name | PyRadiomics | IBSI tag | Code | Standardised |", "|---|" * 6]
    lines[1] = "|---" * 6 + "|"
    for family, entries in ENTRIES.items():
        for entry in entries:
            theirs = f"{CLASS_NAMES.get(family, family)}_{entry.name}" if entry.pyradiomics else "-"
            tagged = entry.tag is not None
            known = "-" if not tagged else "yes" if entry.standardised else "no"
            cells = (family, entry.name, theirs, entry.tag or "-", entry.code or "-", known)
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def written():
    """The page with the table as the package has it."""
    text = PAGE.read_text()
    head, _, rest = text.partition(BEGIN)
    command, _, _ = rest.partition("\n")
    tail = text[text.index(END) :]
    return "\n".join([head + BEGIN + command, *table(), tail])


if __name__ == "__main__":
    PAGE.write_text(written())
