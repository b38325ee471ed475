"""The transforms of one and two axes in PyWavelets' layouts: thin names of the nD ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import DataError
from ._arguments import axis_steps
from ._dwt import dwtn, idwtn, wavedecn, waverecn
from ._swt import iswtn, swt_max_level, swtn

__all__ = ["dwt2", "idwt2", "iswt", "iswt2", "swt", "swt2", "wavedec2", "waverec2"]

Axes2 = Sequence[int]


def dwt2(
    data: Any, wavelet: Any, mode: Any = "symmetric", axes: Axes2 = (-2, -1)
) -> tuple[Any, tuple[Any, Any, Any]]:
    """One level along two axes: ``cA, (cH, cV, cD)``; see :func:`dwtn`.

    cH is the detail along the first axis (horizontal edges), cV along the second.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> cA, (cH, cV, cD) = prc.wavelet.dwt2(np.eye(8, dtype=np.float32), "haar")
    >>> cH.shape
    (4, 4)
    """
    return _nested(dwtn(data, wavelet, mode, _two(axes)))


def idwt2(coeffs: Any, wavelet: Any, mode: Any = "symmetric", axes: Axes2 = (-2, -1)) -> Any:
    """Inverse of :func:`dwt2`; None stands for zeros.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> x = np.random.default_rng(0).normal(size=(6, 8))
    >>> bool(np.allclose(prc.wavelet.idwt2(prc.wavelet.dwt2(x, "db2"), "db2"), x))
    True
    """
    return idwtn(_named(coeffs), wavelet, mode, _two(axes))


def wavedec2(
    data: Any,
    wavelet: Any,
    mode: Any = "symmetric",
    level: int | None = None,
    axes: Axes2 = (-2, -1),
) -> list[Any]:
    """Multilevel transform along two axes: ``[cAn, (cHn, cVn, cDn), ..., (cH1, cV1, cD1)]``.

    See :func:`wavedecn`.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> [len(c) for c in prc.wavelet.wavedec2(np.ones((32, 32)), "haar", level=2)]
    [8, 3, 3]
    """
    approximation, *levels = wavedecn(data, wavelet, mode, level, _two(axes))
    return [approximation, *((b["da"], b["ad"], b["dd"]) for b in levels)]


def waverec2(coeffs: Any, wavelet: Any, mode: Any = "symmetric", axes: Axes2 = (-2, -1)) -> Any:
    """Inverse of :func:`wavedec2`; None stands for zeros.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> coeffs = prc.wavelet.wavedec2(np.ones((32, 32)), "haar", level=2)
    >>> prc.wavelet.waverec2(coeffs, "haar").shape
    (32, 32)
    """
    if not isinstance(coeffs, (list, tuple)) or not coeffs:
        raise DataError("coeffs must be a list [cAn, (cHn, cVn, cDn), ..., (cH1, cV1, cD1)]")
    levels = [_details(level) for level in coeffs[1:]]
    return waverecn([coeffs[0], *levels], wavelet, mode, _two(axes))


def swt(
    data: Any,
    wavelet: Any,
    level: int | None = None,
    start_level: int = 0,
    axis: int = -1,
    trim_approx: bool = False,
    norm: bool = False,
) -> list[Any]:
    """Stationary transform along one axis: ``[(cAn, cDn), ..., (cA1, cD1)]``; see :func:`swtn`.

    ``level`` is the deepest one by default; with ``trim_approx``: ``[cAn, cDn, ..., cD1]``.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> [cD.shape for cA, cD in prc.wavelet.swt(np.ones(16), "db2", level=2)]
    [(16,), (16,)]
    """
    if level is None:
        shape = tuple(getattr(data, "shape", None) or (len(data),))
        (step,) = axis_steps(len(shape), [axis], wavelet)
        level = swt_max_level(shape[step.axis]) - start_level
    levels = swtn(data, wavelet, level, start_level, [axis], trim_approx, norm)
    if trim_approx:
        return [levels[0], *(bands["d"] for bands in levels[1:])]
    return [(bands["a"], bands["d"]) for bands in levels]


def iswt(coeffs: Any, wavelet: Any, norm: bool = False, axis: int = -1) -> Any:
    """Inverse of :func:`swt`, trimmed or not.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> x = np.random.default_rng(0).normal(size=16)
    >>> bool(np.allclose(prc.wavelet.iswt(prc.wavelet.swt(x, "db2", 2), "db2"), x))
    True
    """
    _require_levels(coeffs)
    if all(isinstance(level, (list, tuple)) and len(level) == 2 for level in coeffs):
        levels = [{"a": low, "d": high} for low, high in coeffs]
    else:
        levels = [coeffs[0], *({"d": high} for high in coeffs[1:])]
    return iswtn(levels, wavelet, [axis], norm)


def swt2(
    data: Any,
    wavelet: Any,
    level: int,
    start_level: int = 0,
    axes: Axes2 = (-2, -1),
    trim_approx: bool = False,
    norm: bool = False,
) -> list[Any]:
    """Stationary transform along two axes: ``[(cAn, (cHn, cVn, cDn)), ...]``; see :func:`swtn`.

    With ``trim_approx``: ``[cAn, (cHn, cVn, cDn), ..., (cH1, cV1, cD1)]``.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> cA, (cH, cV, cD) = prc.wavelet.swt2(np.ones((8, 8)), "haar", level=1)[0]
    >>> cD.shape
    (8, 8)
    """
    levels = swtn(data, wavelet, level, start_level, _two(axes), trim_approx, norm)
    if trim_approx:
        return [levels[0], *((b["da"], b["ad"], b["dd"]) for b in levels[1:])]
    return [_nested(bands) for bands in levels]


def iswt2(coeffs: Any, wavelet: Any, norm: bool = False, axes: Axes2 = (-2, -1)) -> Any:
    """Inverse of :func:`swt2`, trimmed or not.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> x = np.random.default_rng(0).normal(size=(8, 16))
    >>> bool(np.allclose(prc.wavelet.iswt2(prc.wavelet.swt2(x, "db2", 2), "db2"), x))
    True
    """
    _require_levels(coeffs)
    if isinstance(coeffs[0], (list, tuple)):
        levels = [_named(level) for level in coeffs]
    else:
        levels = [coeffs[0], *(_details(level) for level in coeffs[1:])]
    return iswtn(levels, wavelet, _two(axes), norm)


def _two(axes: Axes2) -> tuple[int, ...]:
    if len(tuple(axes)) != 2:
        raise DataError(f"axes is {tuple(axes)}; expected two axes")
    return tuple(axes)


def _nested(bands: dict[str, Any]) -> tuple[Any, tuple[Any, Any, Any]]:
    return bands["aa"], (bands["da"], bands["ad"], bands["dd"])


def _named(level: Any) -> dict[str, Any]:
    if not isinstance(level, (list, tuple)) or len(level) != 2:
        raise DataError("coeffs must be a pair (cA, (cH, cV, cD))")
    return {"aa": level[0], **_details(level[1])}


def _details(level: Any) -> dict[str, Any]:
    """(cH, cV, cD) by dwtn's names; None for three times None."""
    if level is None:
        return {}
    if not isinstance(level, (list, tuple)) or len(level) != 3:
        raise DataError("coeffs must hold details as (cH, cV, cD)")
    return dict(zip(("da", "ad", "dd"), level, strict=True))


def _require_levels(coeffs: Any) -> None:
    if not isinstance(coeffs, (list, tuple)) or not coeffs:
        raise DataError("coeffs must be a list of levels, the coarsest first")
