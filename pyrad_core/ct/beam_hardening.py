"""Beam hardening: line integrals of many energies to those of one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._checks import positive, whole
from .._kernels.select import Edge, edge_of
from ..errors import DataError, ShapeError
from ..geometry import Beam, Volume
from ._analytic import reconstruct
from ._bad_pixels import host
from .projector import Projector

__all__ = ["correct_beam_hardening"]

_NODES = 4096


def correct_beam_hardening(
    projections: Any,
    geometry: Beam | None = None,
    volume: Volume | None = None,
    *,
    coefficients: Any = None,
    energies: Any = None,
    weights: Any = None,
    mu: Any = None,
    reference: float | None = None,
    mu_second: Any = None,
    threshold: float | None = None,
    passes: int = 2,
) -> Any:
    """Line integrals as a scan with a single photon energy would measure them.

    A spectrum is hardened by the object: long paths attenuate less per mm than short ones, which
    shows as cupping and as dark bands between dense parts. Three corrections, told by what is
    given:

    - ``coefficients``: the polynomial ``c[0] p + c[1] p^2 + ...`` (water correction, measured on
      a phantom).
    - ``energies``, ``weights``, ``mu``: linearisation for an object of one material, from
      ``p = -log sum_e w_e exp(-mu_e l)`` for every length l.
    - these with ``mu_second``, ``threshold``, ``geometry`` and ``volume``: two materials (water
      and bone) after Joseph and Spital. A first reconstruction of the linearised projections is
      segmented, the lengths of the second material are projected, and the length of the first
      one is solved for in every ray.

    Parameters
    ----------
    projections : array, shape (views, columns) or (views, rows, columns)
        Line integrals; float32 or float64, integers become float32.
    geometry, volume : Beam, Volume
        For two materials: the scan, and the grid of the first reconstruction, which must hold
        all of the second material.
    coefficients : array_like
        Polynomial without constant term, lowest power first; the first one is mostly 1.
    energies, weights, mu : array_like, shape (energies,)
        Photon energies in keV, the share of each in the detector's signal without object (tube
        spectrum times filters times the detector's response; any scale), and the attenuation of
        the material (water) in 1/mm.
    reference : float, optional
        Energy in keV to correct to. By default the attenuation of thin layers, the mean of ``mu``
        over the spectrum, is kept, so that short paths do not change.
    mu_second : array_like, shape (energies,)
        Attenuation of the second material (bone) in 1/mm.
    threshold : float
        Attenuation in 1/mm above which a voxel of the first reconstruction holds second material;
        its share rises linearly from the first material's attenuation to the second one's.
    passes : int
        How often the second material is segmented, from the second time on in the image of the
        corrected projections.

    Returns
    -------
    array, shape and precision of ``projections``

    Raises
    ------
    DataError
        NaN or Inf; neither coefficients nor a spectrum, or both; weights below 0 or all 0;
        attenuation <= 0; a reference outside the energies; a threshold below the first material.
    ShapeError
        Tables of unequal length; projections that do not match the geometry.

    References
    ----------
    G. T. Herman, Phys. Med. Biol. 24, 81, 1979, doi:10.1088/0031-9155/24/1/008 (one material).
    P. M. Joseph, R. D. Spital, J. Comput. Assist. Tomogr. 2, 100, 1978,
    doi:10.1097/00004728-197801000-00017 (two materials).

    Examples
    --------
    >>> import numpy as np
    >>> correct_beam_hardening(np.array([[0.0, 1.0, 2.0]]), coefficients=[1.0, 0.1]).tolist()
    [[0.0, 1.1, 2.4]]
    """
    edge = edge_of(projections=projections)
    lines = edge.real("projections", ndim=(2, 3))
    table = (energies, weights, mu)
    if (coefficients is None) == all(part is None for part in table):
        raise DataError("give either coefficients or energies, weights and mu")
    if coefficients is not None:
        return edge.answer(_polynomial(edge, lines, coefficients))
    spectrum = _spectrum(energies, weights, mu, mu_second, reference)
    corrected = _linearise(edge, lines, spectrum)
    if spectrum.second is None:
        return edge.answer(corrected)
    if geometry is None or volume is None or threshold is None:
        raise DataError("mu_second is given; it needs geometry, volume and threshold")
    rows = np.ascontiguousarray([spectrum.weights, spectrum.first, spectrum.second])
    mono = spectrum.first_mono, spectrum.second_mono
    for _ in range(whole("passes", passes, 1)):
        lengths = _second_lengths(edge, corrected, geometry, volume, spectrum, threshold)
        edge.kernels.two_material_lines(
            lines.reshape(-1), lengths.reshape(-1), rows, *mono, corrected.reshape(-1)
        )
    return edge.answer(corrected)


class _Spectrum(NamedTuple):
    weights: np.ndarray
    first: np.ndarray
    second: np.ndarray | None
    first_mono: float
    second_mono: float


def _polynomial(edge: Edge, lines: Any, coefficients: Any) -> Any:
    c = _table("coefficients", coefficients)
    out = edge.xp.empty_like(lines)
    edge.kernels.apply_polynomial(
        lines.reshape(-1), edge.xp.asarray(c.astype(lines.dtype)), out.reshape(-1)
    )
    return out


def _spectrum(energies: Any, weights: Any, mu: Any, second: Any, reference: Any) -> _Spectrum:
    for name, value in (("energies", energies), ("weights", weights), ("mu", mu)):
        if value is None:
            raise DataError(f"{name} is missing; a spectrum needs energies, weights and mu")
    energy, share, first = (
        _table(name, x) for name, x in (("energies", energies), ("weights", weights), ("mu", mu))
    )
    other = None if second is None else _table("mu_second", second)
    tables = {"weights": share, "mu": first} | ({} if other is None else {"mu_second": other})
    for name, x in tables.items():
        if x.shape != energy.shape:
            raise ShapeError(f"{name} has shape {x.shape}, but energies have shape {energy.shape}")
        low = x < 0 if name == "weights" else x <= 0
        if low.any():
            at = int(np.flatnonzero(low)[0])
            raise DataError(f"{name} is {x[at]:g} at index {at}; it cannot be")
    if not share.sum() > 0:
        raise DataError("weights are all 0")
    if (np.diff(energy) <= 0).any():
        raise DataError("energies must increase")
    share = share / share.sum()

    def at_one_energy(table: np.ndarray) -> float:
        if reference is None:
            return float(share @ table)
        chosen = positive("reference", reference)
        if not energy[0] <= chosen <= energy[-1]:
            raise DataError(
                f"reference is {chosen:g} keV; the energies run from {energy[0]:g} to "
                f"{energy[-1]:g} keV"
            )
        return float(np.interp(chosen, energy, table))

    second_mono = 0.0 if other is None else at_one_energy(other)
    return _Spectrum(share, first, other, at_one_energy(first), second_mono)


def _table(name: str, value: Any) -> np.ndarray:
    try:
        table = np.ascontiguousarray(host(value), dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{name} is no array of numbers") from None
    if table.ndim != 1 or table.size == 0:
        raise ShapeError(f"{name} has shape {table.shape}; expected one dimension")
    if not np.isfinite(table).all():
        raise DataError(f"{name} holds NaN or Inf")
    return table


def _linearise(edge: Edge, lines: Any, spectrum: _Spectrum) -> Any:
    """One material: table of the monochromatic line integral over the polychromatic one."""
    top = max(1.0, float(lines.max())) if lines.size else 1.0
    step = top / (_NODES - 1)
    poly = step * np.arange(_NODES)
    length = poly / spectrum.first.min()  # too long: every path is attenuated at least so much
    for _ in range(100):
        part = spectrum.weights * np.exp(-np.outer(length, spectrum.first))
        total = part.sum(axis=1)
        change = (poly + np.log(total)) * total / (part @ spectrum.first)
        length = np.maximum(length + change, 0)
        if np.abs(change).max() * spectrum.first_mono < 1e-12 * top:
            break
    table = edge.xp.asarray((spectrum.first_mono * length).astype(lines.dtype))
    out = edge.xp.empty_like(lines)
    edge.kernels.apply_table(lines.reshape(-1), table, step, out.reshape(-1))
    return out


def _second_lengths(
    edge: Edge, lines: Any, geometry: Beam, volume: Volume, spectrum: _Spectrum, threshold: float
) -> Any:
    """Lengths (mm) of the second material in every ray."""
    limit = positive("threshold", threshold)
    low, high = spectrum.first_mono, spectrum.second_mono
    if high <= low:
        raise DataError(f"mu_second is {high:g} 1/mm at the reference, mu {low:g}; expected more")
    if limit < low:
        raise DataError(f"threshold is {limit:g} 1/mm, the first material has {low:g}")
    image = reconstruct(lines, geometry, volume)
    share = (image - image.dtype.type(low)) * image.dtype.type(1 / (high - low))
    share[image < limit] = 0
    return Projector(geometry, volume).forward(share)
