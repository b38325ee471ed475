"""Attenuation to Hounsfield units and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._checks import at_least, number, positive
from .._kernels.select import edge_of
from ..errors import DataError

__all__ = ["from_hu", "to_hu"]


def to_hu(
    volume: Any,
    mu_water: float,
    mu_air: float = 0.0,
    *,
    clip: Sequence[float] | None = None,
) -> Any:
    """Hounsfield units ``1000 (mu - mu_water) / (mu_water - mu_air)``.

    Parameters
    ----------
    volume : array
        Attenuation in 1/mm, any shape; float32 or float64, integers become float32.
    mu_water, mu_air : float
        Attenuation of water and of air in 1/mm at the scan's effective energy, best taken from a
        scan of the scanner's water phantom; about 0.019 and 0 at 70 keV.
    clip : (float, float), optional
        Lowest and highest value; nothing is clipped by default. 12-bit CT images hold
        ``(-1024, 3071)``; metal and noise reach beyond.

    Returns
    -------
    array, shape and precision of ``volume``
        Air is -1000, water 0.

    Raises
    ------
    DataError
        NaN or Inf, ``mu_water`` not above ``mu_air``, a ``clip`` that is not (low, high).

    Examples
    --------
    >>> import numpy as np
    >>> to_hu(np.array([0.0, 0.02, 0.04]), 0.02).tolist()
    [-1000.0, 0.0, 1000.0]
    """
    edge = edge_of(volume=volume)
    mu = edge.real("volume")
    water, air = _scale(mu_water, mu_air)
    number_of = mu.dtype.type
    hu = (mu - number_of(water)) * number_of(1000 / (water - air))
    if clip is not None:
        low, high = _limits(clip)
        hu = edge.xp.clip(hu, number_of(low), number_of(high))
    return edge.answer(hu)


def from_hu(volume: Any, mu_water: float, mu_air: float = 0.0) -> Any:
    """Attenuation in 1/mm of Hounsfield units, the inverse of :func:`to_hu`.

    Parameters
    ----------
    volume : array
        Hounsfield units; float32 or float64, integers become float32. Values below air (the
        padding of reconstructed circles, often -2000) give negative attenuation; clip them before.
    mu_water, mu_air : float
        As in :func:`to_hu`.

    Returns
    -------
    array, shape of ``volume``

    Raises
    ------
    DataError
        NaN or Inf, ``mu_water`` not above ``mu_air``.

    Examples
    --------
    >>> import numpy as np
    >>> from_hu(np.array([-1000, 0, 1000]), 0.02).round(3).tolist()
    [0.0, 0.019999999552965164, 0.03999999910593033]
    """
    edge = edge_of(volume=volume)
    hu = edge.real("volume")
    water, air = _scale(mu_water, mu_air)
    number_of = hu.dtype.type
    return edge.answer(hu * number_of((water - air) / 1000) + number_of(water))


def _scale(mu_water: Any, mu_air: Any) -> tuple[float, float]:
    water, air = positive("mu_water", mu_water), at_least("mu_air", mu_air, 0)
    if water <= air:
        raise DataError(f"mu_water is {water:g}, mu_air is {air:g}; water attenuates more than air")
    return water, air


def _limits(clip: Any) -> tuple[float, float]:
    try:
        low, high = (number("clip", value) for value in clip)
    except (TypeError, ValueError):
        raise DataError(f"clip is {clip!r}; expected (low, high) in HU") from None
    if low >= high:
        raise DataError(f"clip is {clip!r}; expected low < high")
    return low, high
