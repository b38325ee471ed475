"""Dynamics in a temporal subspace: T2 and T1 mapping, MR fingerprinting, cine with few modes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._checks import number, positive
from .._kernels.select import edge_of
from .._memory import require_memory
from ..errors import DataError, ShapeError
from ..solvers import cg
from ._encoding import Encoding, Measurement
from ._priors import Layout, make_terms, take_weights
from ._regularised import Regularised
from .subspace_sense import SubspaceSense

__all__ = ["subspace"]


def subspace(
    kspace: Any,
    maps: Any,
    basis: Any,
    *,
    coordinates: Any = None,
    mask: Any = None,
    weights: Any = None,
    prior: str | Sequence[str] | None = None,
    weight: float | Sequence[float] = 0.0,
    iterations: int = 50,
    solver: str | None = None,
    scale: str = "relative",
    wavelet: Any = "db2",
    level: int | None = None,
    block: int | Sequence[int] = 8,
    cycle_spin: bool = True,
    penalty: float = 0.2,
    x0: Any = None,
    tolerance: float = 0.0,
    eps: float = 1e-3,
    callback: Any = None,
    return_info: bool = False,
) -> Any:
    """Coefficient images of a dynamic scan whose time courses lie in a small subspace.

    Parameters
    ----------
    kspace : complex array (frames, coil, ...)
        Cartesian k-space with DC at ``n // 2``, or samples at ``coordinates``.
    maps : complex array (coil, ...)
        Sensitivities.
    basis : array (rank, frames)
        Time courses, for example of :func:`subspace_basis`.
    coordinates : array ([frames,] ..., samples, dims), optional
    mask : bool or real array ([frames,] ...), optional
        Samples that were measured; by default, per frame, those where any coil is not exactly 0.
    weights : real array ([frames,] ..., samples), optional
        Density weights.
    prior : optional
        None: least squares by conjugate gradients, ``weight`` being that of ``||x||^2`` (in units
        of ``sum_c |s_c|^2``). Or priors of :func:`compressed_sensing` on the coefficient images,
        "llr" across coefficients; ``weight``, ``scale`` and what follows as there.
    iterations : int
        At most so many.
    callback, return_info
        As of :func:`compressed_sensing`; ``return_info`` needs a prior.

    Returns
    -------
    complex array (rank, ...), and ReconInfo if asked for. The images of all frames are
    ``np.tensordot(basis.T, coefficients, 1)``.

    Raises
    ------
    ShapeError
        k-space without frames, a basis of another number of frames, shapes that disagree.
    DataError
        As :func:`compressed_sensing`.

    References
    ----------
    Tamir et al., Magn. Reson. Med. 77 (2017) 180, doi:10.1002/mrm.26102; Zhao et al., Magn. Reson.
    Med. 79 (2018) 933, doi:10.1002/mrm.26701.

    Examples
    --------
    >>> coefficients = prc.mr.subspace(kspace, maps, basis, mask=masks, prior="llr", weight=5e-3)
    >>> index, density = prc.mr.match_dictionary(coefficients, decays, basis)
    """
    edge = edge_of(kspace=kspace, basis=basis)
    data = Measurement(kspace, maps, coordinates=coordinates, mask=mask, weights=weights, eps=eps)
    operator = _operator(data, edge["basis"], eps)
    task = Regularised(operator, data.y, operator.bound)
    if prior is None:
        if return_info:
            raise DataError("return_info needs a prior; callback tells the residuals of CG")
        result = cg(
            operator,
            data.y,
            iterations=iterations,
            x0=x0,
            tolerance=tolerance,
            callback=callback,
            regularization=number("weight", weight),
        )
        return data.edge.answer(result.x)
    names, numbers = take_weights(prior, weight)
    unit = task.unit(scale)
    layout = Layout(operator.domain_shape, data.dims, True)
    options = {"wavelet": wavelet, "level": level, "block": block, "cycle_spin": bool(cycle_spin)}
    found, info = task.minimise(
        make_terms(names, [n * unit for n in numbers], layout, options),
        solver=solver,
        rho=positive("penalty", penalty),
        return_info=return_info,
        iterations=iterations,
        x0=x0,
        tolerance=tolerance,
        callback=callback,
    )
    image = data.edge.answer(found)
    return (image, info) if return_info else image


def _operator(data: Measurement, basis: Any, eps: float) -> SubspaceSense:
    if not data.dynamic or data.soft or not isinstance(data.operator, Encoding):
        raise ShapeError(
            f"kspace has shape {tuple(data.y.shape)} and one set of maps is expected; subspace "
            "takes kspace (frames, coil, ...) and maps (coil, ...)"
        )
    xp = data.edge.xp
    rows = data.operator.operators
    if tuple(basis.shape[1:]) != (len(rows),):
        raise ShapeError(
            f"basis has shape {tuple(basis.shape)}, but kspace has {len(rows)} frames; expected "
            "(rank, frames)"
        )
    maps = rows[0].maps
    require_memory(
        "spectra of all coefficients",
        2 * basis.shape[0] * maps.nbytes + 2 * data.y.nbytes,
        "use a smaller rank or fewer slices at a time",
    )
    given: dict[str, Any] = {}
    if rows[0].coordinates is not None:
        given["coordinates"] = xp.stack([row.coordinates for row in rows])
        if rows[0].weights is not None:
            given["weights"] = xp.stack([row.weights for row in rows])
    elif any(row.mask is not None for row in rows):
        full = xp.ones(maps.shape[1:], maps.real.dtype)
        given["masks"] = xp.stack([full if row.mask is None else row.mask for row in rows])
    return SubspaceSense(maps, basis, eps=eps, **given)
