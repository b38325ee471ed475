"""Checks of arguments other than arrays. Each names the argument, its value and the remedy."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .errors import DataError, ShapeError

__all__ = [
    "at_least",
    "choice",
    "entries",
    "known_names",
    "number",
    "positive",
    "same_shape",
    "usable_out",
    "whole",
]


def number(name: str, value: Any, error: type[DataError] = DataError) -> float:
    """A finite real number; text that reads as one counts (YAML takes 1e-3 for text)."""
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        raise error(f"{name} is {value!r}; expected a number") from None
    if not math.isfinite(result):
        raise error(f"{name} is {value}; expected a finite number")
    return result


def positive(name: str, value: Any, error: type[DataError] = DataError) -> float:
    result = number(name, value, error)
    if result <= 0:
        raise error(f"{name} is {value}; expected a number > 0")
    return result


def at_least(name: str, value: Any, minimum: float, error: type[DataError] = DataError) -> float:
    result = number(name, value, error)
    if result < minimum:
        raise error(f"{name} is {value}; expected a number >= {minimum}")
    return result


def whole(name: str, value: Any, minimum: int = 0, error: type[DataError] = DataError) -> int:
    """An integer >= minimum; 3.0 counts as an integer, 3.5 and True do not."""
    result = number(name, value, error)
    if isinstance(value, bool) or result != int(result) or result < minimum:
        raise error(f"{name} is {value}; expected a whole number >= {minimum}")
    return int(result)


def entries(value: Any) -> tuple[Any, ...] | None:
    """The entries of a sequence or an array; None of what stands for itself, such as a number."""
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        return None
    return None if getattr(value, "ndim", 1) == 0 else tuple(value)


def choice(name: str, value: Any, allowed: Iterable[str]) -> str:
    """One of the allowed names; the error lists them and the closest one."""
    names = list(allowed)
    if isinstance(value, str) and value in names:
        return value
    raise DataError(f"{name} is {value!r}; {_closest(value, names)}{_list(names)}")


def known_names(what: str, given: Iterable[str], allowed: Iterable[str]) -> None:
    """Every given name is allowed; else an error with the closest allowed one."""
    names = list(allowed)
    for name in given:
        if name not in names:
            raise DataError(f"unknown {what} {name!r}; {_closest(name, names)}{_list(names)}")


def same_shape(name_a: str, a: Sequence[int], name_b: str, b: Sequence[int]) -> None:
    if tuple(a) != tuple(b):
        raise ShapeError(f"{name_a} has shape {tuple(a)}, but {name_b} asks for {tuple(b)}")


def usable_out(
    out: Any, shape: tuple[int, ...], dtype: Any, what: str, *, contiguous: bool = True
) -> Any:
    """``out``, or the reason why it cannot take ``what``."""
    if tuple(out.shape) != shape:
        raise ShapeError(f"out has shape {tuple(out.shape)}, but {what} is {shape}")
    if out.dtype != dtype:
        raise DataError(f"out has dtype {out.dtype}, but the result is {dtype}")
    if contiguous and not out.flags.c_contiguous:
        raise DataError("out is not C-contiguous")
    if not getattr(out.flags, "writeable", True):
        raise DataError("out is read-only, but it is written to")
    return out


def _closest(value: Any, names: list[str]) -> str:
    close = difflib.get_close_matches(str(value), names, n=1)
    return f"did you mean {close[0]!r}? " if close else ""


def _list(names: list[str]) -> str:
    return "Accepted: " + ", ".join(names)
