"""Removal of ring artefacts: stripes along the views of a sinogram."""

from __future__ import annotations

from typing import Any

from .._checks import at_least, choice, positive, whole
from .._kernels.select import edge_of
from ..errors import DataError
from ._stripes import (
    remove_by_regularisation,
    remove_by_sorting,
    remove_by_wavelets,
    remove_large,
    remove_unresponsive,
)

__all__ = ["remove_rings"]

METHODS = ("sorting", "large", "unresponsive", "all", "wavelet_fourier", "titarenko")


def remove_rings(
    projections: Any,
    *,
    method: str = "sorting",
    size: int = 21,
    large_size: int | None = None,
    snr: float = 3.0,
    wavelet: str = "db5",
    level: int | None = None,
    sigma: float = 2.0,
    alpha: float = 0.1,
) -> Any:
    """Projections without the stripes that miscalibrated detector pixels leave.

    Parameters
    ----------
    projections : array, shape (views, columns) or (views, rows, columns)
        Line integrals; float32 or float64, integers become float32. Every row is treated alone.
    method : str
        ``"sorting"``: in each column the values are sorted along the views; a stripe shifts a whole
        sorted column, which a median across ``size`` columns takes out, while the object's
        structure, scattered over many views, is hardly touched. The values then go back to their
        views. For full and partial stripes; the default.
        ``"large"``: strong or wide stripes: columns whose sorted values stand out of the medians
        over ``large_size`` columns are levelled and mended as above; the others are not touched.
        ``"unresponsive"``: columns that follow the scan less than half or fluctuate more than
        twice as much as those around are interpolated from their neighbours, then ``"large"``.
        ``"all"``: ``"unresponsive"``, ``"large"``, ``"sorting"`` one after the other.
        ``"wavelet_fourier"``: damping of the lowest frequencies along the views in the wavelet
        bands that hold what is narrow across the columns and long along the views.
        ``"titarenko"``: the smallest stripes (weighted by ``alpha``) that leave the mean over the
        views smooth; an analytical formula, the fastest.
    size, large_size : int
        Columns in the medians, odd, wider than the widest stripe to remove and narrower than the
        object's features; ``large_size`` is 1/40 of the columns by default, and at least 21.
    snr : float
        How far a column must stand out of the scatter of all to be marked, in "large",
        "unresponsive" and "all"; less finds more. 3 is usual.
    wavelet, level, sigma :
        Of "wavelet_fourier": wavelet name; number of levels, by default the most that the data
        allow, up to 3; width of the damping in frequencies.
    alpha : float
        Of "titarenko": regularisation > 0; stripes narrower than about ``pi / sqrt(alpha)`` columns
        go.

    Returns
    -------
    array, shape and precision of ``projections``

    Raises
    ------
    DataError
        NaN or Inf; an unknown method; a size even, < 3 or wider than the detector; ``snr``,
        ``sigma`` or ``alpha`` <= 0; a level deeper than the data allow.

    References
    ----------
    N. T. Vo, R. C. Atwood, M. Drakopoulos, Optics Express 26, 28396, 2018 (algorithms 3 to 6),
    doi:10.1364/OE.26.028396.
    B. Muench, P. Trtik, F. Marone, M. Stampanoni, Optics Express 17, 8567, 2009,
    doi:10.1364/OE.17.008567.
    S. Titarenko, P. J. Withers, A. Yagola, Appl. Math. Lett. 23, 1489, 2010,
    doi:10.1016/j.aml.2010.08.022.

    Examples
    --------
    >>> import numpy as np
    >>> striped = np.zeros((40, 64))
    >>> striped[:, 30] = 1.0
    >>> float(np.abs(remove_rings(striped)).max())
    0.0
    """
    choice("method", method, METHODS)
    edge = edge_of(projections=projections)
    given = edge.real("projections", ndim=(2, 3))
    lines = given.reshape(given.shape[0], -1, given.shape[-1])
    columns = lines.shape[-1]
    if method == "wavelet_fourier":
        depth = None if level is None else whole("level", level, 1)
        mended = remove_by_wavelets(edge, lines, wavelet, depth, positive("sigma", sigma))
    elif method == "titarenko":
        mended = remove_by_regularisation(edge, lines, positive("alpha", alpha))
    else:
        wide = _window("large_size", large_size or _wide(columns), columns)
        threshold = at_least("snr", snr, 0.1)
        mended = lines
        if method in ("unresponsive", "all"):
            mended = remove_unresponsive(edge, mended, wide, threshold)
        if method != "sorting":
            mended = remove_large(edge, mended, wide, threshold)
        if method in ("sorting", "all"):
            mended = remove_by_sorting(edge, mended, _window("size", size, columns))
    return edge.answer(mended.reshape(given.shape))


def _wide(columns: int) -> int:
    return min(max(21, columns // 40 | 1), columns - 1 + columns % 2)


def _window(name: str, size: Any, columns: int) -> int:
    width = whole(name, size, 3)
    if width % 2 == 0 or width > columns:
        raise DataError(f"{name} is {size}; expected an odd number up to the {columns} columns")
    return width
