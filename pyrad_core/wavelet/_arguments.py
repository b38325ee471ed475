"""Arguments the wavelet functions share: axes, one wavelet and mode per axis, levels, arrays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .. import _checks
from .._kernels.select import Edge
from ..errors import DataError, ShapeError
from .filters import Wavelet, wavelet_of

# Order of the enum in csrc/wavelet/wavelet_math.hpp.
MODES = (
    "zero",
    "constant",
    "symmetric",
    "reflect",
    "periodic",
    "smooth",
    "periodization",
    "antisymmetric",
    "antireflect",
)


@dataclass(frozen=True)
class AxisStep:
    """What to do along one axis."""

    axis: int
    wavelet: Wavelet
    mode: str = "periodization"

    @property
    def mode_number(self) -> int:
        return MODES.index(self.mode)

    @property
    def periodization(self) -> bool:
        return self.mode == "periodization"

    def coefficients(self, n: int) -> int:
        """Number of coefficients of n samples."""
        return (n + 1) // 2 if self.periodization else (n + self.wavelet.dec_len - 1) // 2

    def samples(self, m: int) -> int:
        """Number of samples reconstructed from m coefficients."""
        return 2 * m if self.periodization else 2 * m - self.wavelet.rec_len + 2


def axis_steps(
    ndim: int,
    axes: Iterable[int] | int | None,
    wavelet: Any,
    mode: Any = "periodization",
    *,
    repeats: bool = False,
) -> list[AxisStep]:
    """One AxisStep per axis; ``wavelet`` and ``mode`` are given once or once per axis."""
    if ndim < 1:
        raise ShapeError("data has no dimensions; expected at least 1")
    chosen = range(ndim) if axes is None else [axes] if isinstance(axes, int) else list(axes)
    places = [_axis(a, ndim) for a in chosen]
    if not places:
        raise DataError("axes is empty; expected at least one axis")
    if not repeats and len(set(places)) != len(places):
        raise DataError(f"axes is {tuple(chosen)}; an axis may be named only once")
    if _is_bank(wavelet):
        wavelet = wavelet_of(wavelet)
    wavelets = [wavelet_of(w) for w in _per_axis(wavelet, len(places), _is_bank(wavelet))]
    modes = [_mode(m) for m in _per_axis(mode, len(places), isinstance(mode, str))]
    return [AxisStep(*step) for step in zip(places, wavelets, modes, strict=True)]


def require_samples(shape: Sequence[int], steps: Iterable[AxisStep], name: str = "data") -> None:
    """No transformed axis is empty, and those with [anti]reflect have two samples."""
    shape = tuple(shape)
    if math.prod(shape) == 0:
        raise ShapeError(f"{name} has shape {shape}: axis {shape.index(0)} is empty")
    for step in steps:
        if shape[step.axis] < 2 and step.mode in ("reflect", "antireflect"):
            raise ShapeError(
                f"{name} has shape {shape}: mode {step.mode!r} needs at least 2 samples along "
                f"axis {step.axis}"
            )


def dwt_max_level(data_len: int, filter_len: Any) -> int:
    """Levels after which a coefficient still sees unextended data only: floor(log2(n / (F - 1))).

    Parameters
    ----------
    data_len : int
        Samples along the shortest transformed axis.
    filter_len : int, str or Wavelet
        Length of the filter, or the wavelet.

    Examples
    --------
    >>> import pyrad_core as prc
    >>> prc.wavelet.dwt_max_level(256, "db4")
    5
    """
    n = _checks.whole("data_len", data_len, 1)
    if isinstance(filter_len, int):
        taps = _checks.whole("filter_len", filter_len, 2)
    else:
        taps = wavelet_of(filter_len).dec_len
    return (n // (taps - 1)).bit_length() - 1 if n >= taps - 1 else 0


def checked_level(level: int | None, shape: Sequence[int], steps: Iterable[AxisStep]) -> int:
    """``level`` or the deepest one; an error names the maximum."""
    deepest = min(dwt_max_level(shape[s.axis], s.wavelet) for s in steps)
    if level is None:
        return deepest
    level = _checks.whole("level", level)
    if level > deepest:
        raise DataError(
            f"level is {level}; data of shape {tuple(shape)} with this wavelet allows at most "
            f"{deepest}"
        )
    return level


def take(edge: Edge, name: str, *, finite: bool = False) -> Any:
    """Contiguous real or complex array of the edge; non-finite values are looked for later."""
    if edge[name].dtype.kind == "c":
        return edge.complex(name, finite=finite)
    return edge.real(name, finite=finite)


def _axis(axis: Any, ndim: int) -> int:
    number = _checks.whole("axis", axis, -ndim)
    if number >= ndim:
        raise DataError(f"axis is {axis}, but data has {ndim} dimensions")
    return number % ndim


def _is_bank(wavelet: Any) -> bool:
    """One wavelet, not one per axis: a name, an object or four filters."""
    if isinstance(wavelet, str) or not isinstance(wavelet, (tuple, list)):
        return True
    return len(wavelet) == 4 and not any(
        isinstance(w, (str, Wavelet)) or hasattr(w, "filter_bank") for w in wavelet
    )


def _per_axis(value: Any, count: int, single: bool) -> list[Any]:
    if single or not isinstance(value, Iterable):
        return [value] * count
    values = list(value)
    if len(values) == 1:
        return values * count
    if len(values) != count:
        raise DataError(f"{len(values)} wavelets or modes given for {count} axes")
    return values


def _mode(mode: Any) -> str:
    return _checks.choice("mode", mode, MODES)
