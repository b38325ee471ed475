"""YAML files, which may name parts of themselves and so mean far more than they hold."""

from __future__ import annotations

import os
from typing import Any

from .errors import FileFormatError

__all__ = ["load_yaml"]

_MOST_BYTES = 64 << 20
_MOST_VALUES, _DEEPEST = 10_000_000, 64


def load_yaml(path: str | os.PathLike[str]) -> Any:
    """Plain values of a YAML file; repeated parts count as often as they are named."""
    import yaml

    name = os.fsdecode(path).encode("utf-8", "backslashreplace").decode()
    size = os.path.getsize(path)
    if size > _MOST_BYTES:
        raise FileFormatError(f"{name}: a YAML file of {size} bytes, at most {_MOST_BYTES}")
    try:
        with open(path, encoding="utf-8") as stream:
            content = yaml.safe_load(stream)
    except (
        yaml.YAMLError,
        ArithmeticError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as e:
        raise FileFormatError(f"{name}: is no readable YAML file ({e})") from None
    if _values(content, {}, 0) > _MOST_VALUES:
        raise FileFormatError(f"{name}: its parts are repeated to more than {_MOST_VALUES} values")
    return content


def _values(content: Any, known: dict[int, int], depth: int) -> int:
    """Values in lists and mappings; infinitely many where one holds itself or is too deep."""
    if not isinstance(content, (dict, list, tuple, set)):
        return 1
    if depth > _DEEPEST:
        return _MOST_VALUES + 1
    if id(content) not in known:
        known[id(content)] = _MOST_VALUES + 1  # while it is not known: it may hold itself
        inner = content.values() if isinstance(content, dict) else content
        known[id(content)] = 1 + sum(_values(item, known, depth + 1) for item in inner)
    return known[id(content)]
