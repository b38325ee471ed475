"""Wavelet filter banks: the named discrete families and a user's own filters.

The numbers in ``filters.npz`` are the published coefficients as tabulated by PyWavelets (G. R. Lee
et al., JOSS 4, 2019, doi:10.21105/joss.01237; copyright (c) 2006-2012 Filip Wasilewski, (c) 2012-
The PyWavelets Developers; MIT licence), so that transforms agree with it to rounding. They come
from I. Daubechies, Ten Lectures on Wavelets, 1992, doi:10.1137/1.9781611970104 (db, sym, coif) and
A. Cohen, I. Daubechies and J.-C. Feauveau, 1992, doi:10.1002/cpa.3160450502 (bior, rbio). Stored
are the low-pass filters; the high-pass ones follow by the alternating flip.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from .. import _checks
from ..errors import DataError, ShapeError

__all__ = ["Wavelet", "families", "wavelist"]

_FAMILIES = {
    "haar": "Haar",
    "db": "Daubechies",
    "sym": "Symlets",
    "coif": "Coiflets",
    "bior": "Biorthogonal",
    "rbio": "Reverse biorthogonal",
    "dmey": "Discrete Meyer (FIR Approximation)",
}


class Wavelet:
    """A two-channel filter bank.

    Parameters
    ----------
    name : str
        One of :func:`wavelist`, or any name when ``filter_bank`` is given.
    filter_bank : sequence of four sequences of float, optional
        ``(dec_lo, dec_hi, rec_lo, rec_hi)``: decomposition and reconstruction filters, all of one
        even length. Perfect reconstruction is the caller's to ensure.

    Attributes
    ----------
    decomposition, reconstruction : ndarray
        Low-pass and high-pass filter, shape (2, length), float64, read-only.
    orthogonal, biorthogonal : bool
        As the family promises; for an own bank, as its numbers say to 1e-8.

    Raises
    ------
    DataError
        The name is unknown, or a filter holds NaN.
    ShapeError
        The four filters are not of one even length.

    Examples
    --------
    >>> import pyrad_core as prc
    >>> prc.wavelet.Wavelet("db2").dec_len
    4
    """

    def __init__(self, name: str, filter_bank: Any = None):
        self.name = name
        if filter_bank is None:
            low, self.orthogonal = _tabulated(_checks.choice("wavelet", name, _table()))
            bank = np.array([low[0], _flip(low[1], -1), low[1], _flip(low[0], 1)])
            self.biorthogonal = True
        else:
            bank = _own_bank(filter_bank)
            self.orthogonal, self.biorthogonal = _reconstructs(bank)
        bank.flags.writeable = False
        self.decomposition, self.reconstruction = bank[:2], bank[2:]

    @property
    def dec_lo(self) -> list[float]:
        return self.decomposition[0].tolist()

    @property
    def dec_hi(self) -> list[float]:
        return self.decomposition[1].tolist()

    @property
    def rec_lo(self) -> list[float]:
        return self.reconstruction[0].tolist()

    @property
    def rec_hi(self) -> list[float]:
        return self.reconstruction[1].tolist()

    @property
    def filter_bank(self) -> tuple[list[float], ...]:
        return self.dec_lo, self.dec_hi, self.rec_lo, self.rec_hi

    @property
    def dec_len(self) -> int:
        return self.decomposition.shape[1]

    @property
    def rec_len(self) -> int:
        return self.reconstruction.shape[1]

    @property
    def short_family_name(self) -> str:
        family = self.name.rstrip("0123456789.")
        return family if family in _FAMILIES else ""

    @property
    def family_name(self) -> str:
        return _FAMILIES.get(self.short_family_name, "")

    def __repr__(self) -> str:
        return f"Wavelet({self.name!r}, {self.dec_len} taps)"


def wavelist(family: str | None = None) -> list[str]:
    """Names of the wavelets, all of them or those of one family.

    Parameters
    ----------
    family : str, optional
        Short name, one of :func:`families`.

    Examples
    --------
    >>> import pyrad_core as prc
    >>> prc.wavelet.wavelist("coif")[:2]
    ['coif1', 'coif2']
    """
    if family is None:
        return [name for short in sorted(_FAMILIES) for name in wavelist(short)]
    _checks.choice("family", family, _FAMILIES)
    return [name for name in _table() if name.rstrip("0123456789.") == family]


def families(short: bool = True) -> list[str]:
    """Short or full names of the wavelet families.

    Examples
    --------
    >>> import pyrad_core as prc
    >>> prc.wavelet.families()[:2]
    ['haar', 'db']
    """
    return list(_FAMILIES) if short else list(_FAMILIES.values())


def wavelet_of(wavelet: Any) -> Wavelet:
    """A Wavelet from a name, a Wavelet, an object with a ``filter_bank`` or four filters."""
    if isinstance(wavelet, Wavelet):
        return wavelet
    if isinstance(wavelet, str):
        return _named(wavelet)
    bank = getattr(wavelet, "filter_bank", wavelet)
    return Wavelet(str(getattr(wavelet, "name", "own")), bank)


@lru_cache(maxsize=128)
def _named(name: str) -> Wavelet:
    return Wavelet(name)


@lru_cache(maxsize=1)
def _table() -> dict[str, np.ndarray]:
    """Name -> low-pass filters: one row (orthogonal: decomposition) or two (and reconstruction)."""
    with np.load(Path(__file__).with_name("filters.npz")) as stored:
        names, lengths, rows = stored["names"], stored["lengths"], stored["rows"]
        taps = stored["taps"]
    ends = np.cumsum(lengths.astype(int) * rows)
    pieces = np.split(taps, ends[:-1])
    return {
        str(name): piece.reshape(count, -1)
        for name, piece, count in zip(names, pieces, rows, strict=True)
    }


def _tabulated(name: str) -> tuple[np.ndarray, bool]:
    low = _table()[name]
    if len(low) == 2:
        return low, False
    return np.concatenate([low, low[:, ::-1]]), True


def _flip(low: np.ndarray, sign: int) -> np.ndarray:
    """High-pass partner: every other tap changes sign."""
    return low * np.where(np.arange(low.size) % 2, -sign, sign)


def _own_bank(filter_bank: Any) -> np.ndarray:
    try:
        filters = [np.asarray(f, dtype=np.float64).reshape(-1) for f in filter_bank]
    except (TypeError, ValueError):
        raise DataError(
            f"wavelet is {filter_bank!r}; expected a name, a Wavelet or four filters "
            "(dec_lo, dec_hi, rec_lo, rec_hi)"
        ) from None
    lengths = [f.size for f in filters]
    if len(filters) != 4 or len(set(lengths)) != 1 or lengths[0] < 2 or lengths[0] % 2:
        raise ShapeError(
            f"wavelet has {len(filters)} filters of lengths {lengths}; expected four of one even "
            "length (pad the shorter ones with zeros)"
        )
    bank = np.array(filters)
    if not np.isfinite(bank).all():
        raise DataError("wavelet has a filter with NaN or Inf values")
    return bank


def _reconstructs(bank: np.ndarray) -> tuple[bool, bool]:
    """(orthogonal, biorthogonal) of a bank: double-shift products are unit impulses."""
    taps = bank.shape[1]
    dec = bank[:2, ::-1]

    def products(left: np.ndarray, right: np.ndarray) -> bool:
        for shift in range(-taps + 2, taps, 2):
            moved = np.zeros_like(right)
            here, there = max(0, shift), max(0, -shift)
            count = taps - abs(shift)
            moved[:, here : here + count] = right[:, there : there + count]
            if np.abs(left @ moved.T - (shift == 0) * np.eye(2)).max() > 1e-8:
                return False
        return True

    return products(dec, dec), products(dec, bank[2:])
