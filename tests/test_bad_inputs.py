"""docs/bad_inputs.md lists every number of the catalogue, and every number has a test."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parent
TABLE = TESTS.parent / "docs" / "bad_inputs.md"
NUMBERS = set(range(1, 107))


def numbers_of(name: str) -> set[int]:
    """``test_bad_input_45_46_arrays`` -> 45, 46; ``70_to_75`` is a range."""
    found: set[int] = set()
    words = name.removeprefix("test_bad_input_").split("_")
    for place, word in enumerate(words):
        if word.isdigit():
            first = int(words[place - 2]) if words[place - 1] == "to" and place > 1 else int(word)
            found |= set(range(first, int(word) + 1))
        elif word != "to":
            break
    return found


def test_every_number_has_a_test():
    names = {
        name
        for path in TESTS.rglob("test_*.py")
        for name in re.findall(r"def (test_bad_input_\w+)", path.read_text(encoding="utf-8"))
    }
    tested = set().union(*map(numbers_of, names))
    assert NUMBERS - tested == set()


def test_every_number_is_documented_once():
    rows = re.findall(r"^\| ([\d, ]+) \|", TABLE.read_text(encoding="utf-8"), flags=re.M)
    listed = [int(number) for row in rows for number in row.split(",")]
    assert sorted(listed) == sorted(NUMBERS)
