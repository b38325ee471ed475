"""Regularised (compressed sensing) reconstruction: sparsity, total variation, local low rank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._checks import positive
from ._encoding import Measurement
from ._priors import Layout, make_terms, take_weights
from ._regularised import ReconInfo, Regularised

__all__ = ["ReconInfo", "compressed_sensing"]


def compressed_sensing(
    kspace: Any,
    maps: Any,
    *,
    coordinates: Any = None,
    mask: Any = None,
    weights: Any = None,
    prior: str | Sequence[str] = "wavelet",
    weight: float | Sequence[float],
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
    dims: int | None = None,
    eps: float = 1e-3,
    callback: Any = None,
    return_info: bool = False,
) -> Any:
    """Minimise ``0.5 sum_c ||W^(1/2) (F s_c x - y_c)||^2 + sum_i weight_i g_i(x)``.

    Parameters
    ----------
    kspace : complex array (coil, ...) or (frames, coil, ...)
        Cartesian k-space with DC at ``n // 2``, or samples at ``coordinates``. A first axis of
        frames makes the reconstruction dynamic.
    maps : complex array (coil, ...) or (maps, coil, ...)
        Sensitivities, shared by all frames; several sets make it soft-SENSE.
    coordinates : array (..., samples, dims), optional
        Cycles per field of view, one set for all frames or (frames, ..., samples, dims).
    mask : bool or real array, optional
        Cartesian samples that were measured, for all frames or (frames, ...); by default those
        where any coil is not exactly 0.
    weights : real array, optional
        Density weights of non-Cartesian samples, shaped as ``coordinates`` without its last axis.
    prior : {"wavelet", "tv", "tgv", "temporal_tv", "llr"}, or several of them
        g_i: ``"wavelet"``, sum of the magnitudes of the detail coefficients of each image;
        ``"tv"``, isotropic total variation of each image; ``"tgv"``, its second-order
        generalisation, which leaves slopes alone (:class:`prox.TGV`, ratio 2); ``"temporal_tv"``,
        sum of magnitudes of differences between successive frames; ``"llr"``, locally low rank:
        sum of the singular values of every block's (pixels, frames) matrix.
    weight : float, or one per prior
        >= 0; see ``scale``.
    iterations : int
        At most so many.
    solver : {"fista", "pogm", "admm", "pdhg"}, optional
        Default fista for one prior with a proximal operator of its own, else pdhg, which wants
        100 to 200 iterations where sampling is regular; admm needs fewer but longer ones (several
        CG steps each). fista and pogm take one of "wavelet", "tv", "tgv", "llr".
    scale : {"relative", "absolute"}
        ``"relative"`` multiplies ``weight`` by ``max |A^H y|`` (maximum over the image), so that
        it does not depend on the units of k-space: 1e-3 to 1e-2 is usual, and for an L1 norm of
        the pixels themselves 1 would give zero. ``"absolute"`` takes it as it is.
    wavelet, level
        Orthogonal wavelet and number of levels (default 4, or what the size allows).
    block : int, or one per image axis
        Pixels of a block of "llr".
    cycle_spin : bool
        Move the grid of wavelets and of blocks by another pseudo-random offset in every
        iteration, which removes block artefacts; the same offsets in every call. The limit is
        then a small neighbourhood of the minimiser.
    penalty : float
        rho of admm relative to an upper bound of ||A||^2. The limit does not depend on it.
    x0 : complex array, optional
        Start; default zero.
    tolerance : float
        Stop when the solver's residual falls to this; 0 runs all iterations.
    dims : int, optional
        Axes of one image, where shapes leave it open: frames together with several sets of maps.
    eps : float
        Accuracy of the non-Cartesian transform.
    callback : callable, optional
        ``callback(k, x, residual)`` after every iteration; True stops.
    return_info : bool
        Also return a :class:`ReconInfo`; evaluating the objective costs about as much as the
        iteration itself.

    Returns
    -------
    complex array ([frames,] [maps,] ...) of k-space's precision, and ReconInfo if asked for.

    Raises
    ------
    ShapeError
        Coil counts or shapes differ (both are in the text); a temporal prior without frames.
    DataError
        NaN (with count and first index), real or all-zero k-space, zero weights, a negative
        ``weight``, a solver that cannot take the priors.

    References
    ----------
    Lustig, Donoho, Pauly, Magn. Reson. Med. 58 (2007), doi:10.1002/mrm.21391; Zhang, Pauly,
    Levesque, Magn. Reson. Med. 73 (2015), doi:10.1002/mrm.25161 (locally low rank).

    Examples
    --------
    >>> maps = prc.mr.espirit(kspace)
    >>> image = prc.mr.compressed_sensing(kspace, maps, weight=2e-3)
    >>> frames = prc.mr.compressed_sensing(cine, maps, prior="llr", weight=0.01, block=8)
    """
    names, numbers = take_weights(prior, weight)
    rho = positive("penalty", penalty)
    data = Measurement(
        kspace, maps, coordinates=coordinates, mask=mask, weights=weights, dims=dims, eps=eps
    )
    options = {"wavelet": wavelet, "level": level, "block": block, "cycle_spin": bool(cycle_spin)}
    layout = Layout(data.operator.domain_shape, data.dims, data.dynamic)
    task = Regularised(data.operator, data.y, data.bound)
    unit = task.unit(scale)
    result, info = task.minimise(
        make_terms(names, [n * unit for n in numbers], layout, options),
        solver=solver,
        rho=rho,
        return_info=return_info,
        iterations=iterations,
        x0=x0,
        tolerance=tolerance,
        callback=callback,
    )
    image = data.edge.answer(result)
    return (image, info) if return_info else image
