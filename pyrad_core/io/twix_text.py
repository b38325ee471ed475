"""The protocol in front of a Siemens measurement, read in one pass over its text.

Sections are a name, a length and text: lines ``a.b[0].c = value`` between two marks, and
parameters ``<ParamLong."name"> { values }``. Both become dicts, indices as keys, so that no index
makes anything larger than the text itself. Only the sections that a reconstruction needs are
looked at; patients are named in others.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from .files import refused

__all__ = ["read_protocol"]

_WANTED = ("MeasYaps", "Meas")
_MOST = 64  # sections of a header
_LARGEST = 64 << 20  # bytes of it
_BEGIN, _END = "### ASCCONV BEGIN", "### ASCCONV END ###"
_PART = re.compile(r"(\w{1,64})((?:\[\d{1,9}\]){0,4})")
_PARAMETER = re.compile(r'<Param(?:Bool|Long|String|Double)\."(\w{1,64})">\s{0,64}\{')
_NOT_VALUES = re.compile(r"<Precision>\s{0,64}\d{0,9}|<\w{1,32}>[^\n]*")
_LONGEST, _DEEPEST = 1 << 14, 16  # characters of one value, parts of one name


def read_protocol(path: Path, start: int) -> dict[str, dict[Any, Any]]:
    """Section name -> parameters, of the measurement that begins at byte ``start``."""
    with open(path, "rb") as stream:
        stream.seek(start)
        length, count = (int(n) for n in np.frombuffer(stream.read(8), "<u4"))
        if length > _LARGEST or count > _MOST:
            raise refused(path, f"declares a protocol of {length} bytes in {count} sections")
        content = stream.read(length - 8)
    sections = _sections(path, content, count)
    return {name: _parsed(text) for name, text in sections if name in _WANTED}


def _sections(path: Path, content: bytes, count: int) -> list[tuple[str, str]]:
    found, at = [], 0
    for _ in range(count):
        end = content.find(b"\0", at, at + 64)
        begin = end + 5
        size = int.from_bytes(content[end + 1 : begin], "little")
        if end < 0 or begin + size > len(content):
            raise refused(
                path, f"a section of the protocol is larger than its {len(content)} bytes"
            )
        name = content[at:end].decode("latin-1").strip()
        found.append((name, content[begin : begin + size].decode("latin-1")))
        at = begin + size
    return found


def _parsed(text: str) -> dict[Any, Any]:
    begin = text.find(_BEGIN)
    end = text.find(_END, begin) if begin >= 0 else -1
    if end < 0:
        return _parameters(text)
    rest = text[:begin] + text[end + len(_END) :]
    return {**_assignments(text[begin:end].split("\n")[1:]), **_parameters(rest)}


def _assignments(lines: list[str]) -> dict[Any, Any]:
    """``a.b[0].c = value`` as nested dicts; what is a value already takes no parts."""
    tree: dict[Any, Any] = {}
    for line in lines:
        name, found, value = line[:_LONGEST].partition("=")
        keys = _keys(name.strip())
        if not found or not keys or "__attribute__" in keys:
            continue
        here = tree
        for key in keys[:-1]:
            inner = here.setdefault(key, {})
            if not isinstance(inner, dict):
                break
            here = inner
        else:
            here[keys[-1]] = _value(value.partition("#")[0].strip())
    return tree


def _keys(name: str) -> list[Any]:
    keys: list[Any] = []
    for part in name.split(".", _DEEPEST):
        match = _PART.fullmatch(part)
        if match is None:
            return []
        keys.append(match[1])
        keys.extend(int(n) for n in match[2].strip("[]").split("][") if n)
    return keys


def _parameters(text: str) -> dict[Any, Any]:
    """Values of the parameters, one or a list; what is nested or very long is passed over."""
    found: dict[Any, Any] = {}
    for match in _PARAMETER.finditer(text):
        end = text.find("}", match.end(), match.end() + _LONGEST)
        if end < 0:
            continue
        words = _NOT_VALUES.sub(" ", text[match.end() : end]).split()
        values = [_value(word) for word in words]
        found[match[1]] = values[0] if len(values) == 1 else values
    return found


def _value(word: str) -> Any:
    """A number where the text is one."""
    word = word.strip().strip('"')
    try:
        return int(word, 16) if word[:2] == "0x" and len(word) < 19 else float(word)
    except ValueError:
        return word
