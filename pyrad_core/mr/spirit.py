"""SPIRiT: coil images that agree with kernels in k-space and with the measured samples."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._checks import at_least, positive, whole
from .._kernels.select import Edge, edge_of, host_array
from .._memory import require_memory
from ..errors import DataError, PyradWarning, ShapeError
from ..operators import FromFunctions
from ..prox import WaveletL1
from ..solvers import cg
from .calibration import calibrate
from .fourier import fft, fft_of_axes
from .grappa import given_mask
from .grappa_plan import Gram, calibration_of, kernel_shape
from .nufft import NUFFT

__all__ = ["spirit"]

_POWER_STEPS = 15  # of the power iteration for the step size


def spirit(
    kspace: Any,
    calibration: Any = None,
    *,
    mask: Any = None,
    coordinates: Any = None,
    shape: Sequence[int] | None = None,
    weights: Any = None,
    kernel: int | Sequence[int] = (5, 5),
    iterations: int = 30,
    regularization: float = 0.01,
    data_weight: float | None = None,
    prior: Any = None,
    prior_weight: float = 1e-3,
    tolerance: float = 0.0,
    eps: float = 1e-3,
    callback: Any = None,
) -> Any:
    """Multi-coil k-space that is consistent with its own calibration and with the data.

    Parameters
    ----------
    kspace : complex array (coil, y, x), (coil, z, y, x), or ``(coil, *samples)`` at ``coordinates``
        Cartesian: DC at ``n // 2``, 0 where nothing was measured.
    calibration : complex array (coil, ...), optional
        Fully sampled Cartesian lines. By default the fully sampled block around the centre of
        ``kspace``; with coordinates, the centre that is estimated from the samples there.
    mask : array of one coil's shape (or broadcasting to it), optional
        Non-zero where measured; by default where any coil is not exactly 0.
    coordinates : array (..., samples, dims), optional
        Cycles per field of view; needs ``shape``.
    shape : sequence of int, optional
        Size of the Cartesian answer with coordinates.
    weights : real array of the samples' shape, optional
        Density weights with coordinates; they speed up convergence.
    kernel : int or sequence
        Size per axis, in grid cells; a shorter sequence goes on with its last size.
    iterations : int
        Of conjugate gradients (of FISTA with a prior).
    regularization : float
        Tikhonov weight of the kernel's calibration, relative as in :func:`grappa`.
    data_weight : float, optional
        Weight mu of ``||M x - y||^2`` beside ``||(G - 1) x||^2``. By default measured Cartesian
        samples are kept exactly; with coordinates or a prior the default is 1. The operator of
        samples at coordinates is scaled to a mean squared gain of 1.
    prior : "wavelet" or an object with ``prox(x, step)``, optional
        Adds ``prior_weight ||Psi x||_1`` of the coil images (L1-SPIRiT).
    prior_weight : float
        For "wavelet": relative to the largest magnitude of the zero-filled coil images.
    tolerance : float
        Stop when the residual of the normal equations falls to this, relative to its start.
    eps : float
        Accuracy of the non-Cartesian transform.
    callback : callable, optional
        ``callback(k, x, residual)`` after every iteration of conjugate gradients; True stops.

    Returns
    -------
    complex array (coil, ...)
        Cartesian k-space, DC at ``n // 2``; kspace's dtype.

    Raises
    ------
    ShapeError
        Calibration smaller than the kernel (both sizes are in the text), arrays that do not fit.
    DataError
        NaN (with count and first index), real or all-zero k-space.

    Warns
    -----
    PyradWarning
        Undersampling beyond the number of coils.

    Notes
    -----
    A kernel G predicts every sample of every coil from all neighbours of all coils, measured or
    not. In image space it is one coil x coil matrix per pixel, and the normal equations hold
    ``(G - 1)^H (G - 1)``, a Hermitian one, which is made from (2k - 1)^d lags; an iteration is one
    pass over these matrices and a pair of FFTs.

    References
    ----------
    Lustig and Pauly, Magn. Reson. Med. 64 (2010), doi:10.1002/mrm.22428; L1: Murphy et al., IEEE
    Trans. Med. Imaging 31 (2012), doi:10.1109/TMI.2012.2188039.

    Examples
    --------
    >>> image = prc.mr.combine_coils(prc.mr.ifft(prc.mr.spirit(kspace)))
    """
    edge = edge_of(
        kspace=kspace, calibration=calibration, mask=mask, coordinates=coordinates, weights=weights
    )
    y = edge.complex("kspace")
    if not bool(y.any()):
        raise DataError("kspace holds only zeros")
    settings = _Settings(
        whole("iterations", iterations, 1),
        at_least("tolerance", tolerance, 0),
        None if data_weight is None else positive("data_weight", data_weight),
        prior,
        at_least("prior_weight", prior_weight, 0),
        callback,
    )
    if coordinates is None:
        if weights is not None or shape is not None:
            raise DataError("shape and weights go with coordinates")
        return edge.answer(_cartesian(edge, y, kernel, regularization, settings))
    if mask is not None:
        raise DataError("give mask or coordinates, not both: a mask is for Cartesian k-space")
    return edge.answer(_free(edge, y, shape, kernel, regularization, eps, settings))


class _Settings:
    def __init__(
        self,
        iterations: int,
        tolerance: float,
        data_weight: float | None,
        prior: Any,
        prior_weight: float,
        callback: Any,
    ):
        self.iterations, self.tolerance, self.callback = iterations, tolerance, callback
        self.data_weight, self.prior, self.prior_weight = data_weight, prior, prior_weight
        if not (prior is None or prior == "wavelet" or hasattr(prior, "prox")):
            raise DataError(
                f"prior is {prior!r}; expected 'wavelet' or an object with prox(x, step)"
            )

    def prox(self, start: Any) -> Any:
        if self.prior != "wavelet":
            return self.prior
        weight = self.prior_weight * float(abs(start).max())
        return WaveletL1(weight, axes=tuple(range(1, start.ndim)), cycle_spin=True)


def _cartesian(
    edge: Edge, y: Any, kernel: int | Sequence[int], regularization: float, settings: _Settings
) -> Any:
    if y.ndim not in (3, 4):
        raise ShapeError(f"kspace has shape {tuple(y.shape)}; expected (coil, y, x) or with z")
    xp, shape, axes = edge.xp, tuple(y.shape[1:]), tuple(range(1, y.ndim))
    window = kernel_shape(kernel, y.ndim - 1)
    if "mask" in edge.arrays:
        sampled = given_mask(edge, shape).reshape(shape) != 0
    else:
        sampled = (y != 0).any(axis=0)
    kept = int(sampled.sum())
    if kept == 0:
        raise DataError("mask keeps no sample")
    _warn_of_rate(math.prod(shape) / kept, y.shape[0])
    centre, _ = calibration_of(edge, y, host_array(sampled), window)
    # From here on the origin is at index 0, where FFTs need no shifts.
    kept_data = xp.ascontiguousarray(xp.fft.ifftshift(xp.where(sampled, y, 0), axes=axes))
    measured = xp.fft.ifftshift(sampled).astype(y.real.dtype)
    consistency = _Consistency(edge, centre, window, regularization, shape, False, y.dtype)

    def gram(k: Any) -> Any:
        """(G - 1)^H (G - 1) of k-space."""
        image = fft_of_axes(k.copy(), axes, True, "ortho")
        return fft_of_axes(consistency.normal(image), axes, False, "ortho")

    soft = settings.data_weight is not None or settings.prior is not None
    if soft:
        mu = 1.0 if settings.data_weight is None else settings.data_weight
        weighted = (mu * measured).astype(y.real.dtype)

        def normal(image: Any) -> Any:
            k = fft_of_axes(image.copy(), axes, False, "ortho")
            k *= weighted
            k = fft_of_axes(k, axes, True, "ortho")
            k += consistency.normal(image)
            return k

        start = fft_of_axes(kept_data.copy(), axes, True, "ortho")
        image = _minimise(edge, normal, mu * start, start, settings)
        found = fft_of_axes(image, axes, False, "ortho")
    else:
        missing = 1 - measured

        def free(k: Any) -> Any:
            out = gram(k)
            out *= missing
            return out

        found = kept_data + _solve(free, -free(kept_data), settings)
    return xp.ascontiguousarray(xp.fft.fftshift(found, axes=axes))


def _free(
    edge: Edge,
    y: Any,
    shape: Sequence[int] | None,
    kernel: int | Sequence[int],
    regularization: float,
    eps: float,
    settings: _Settings,
) -> Any:
    if shape is None:
        raise DataError("shape is missing: with coordinates the size of the answer must be given")
    sizes = tuple(whole("shape", n, 1) for n in shape)
    xp, coils = edge.xp, y.shape[0]
    window = kernel_shape(kernel, len(sizes))
    nufft = NUFFT(edge["coordinates"], sizes, eps=eps)
    if y.shape[1:] != tuple(nufft.coordinates.shape[:-1]):
        raise ShapeError(
            f"kspace has shape {tuple(y.shape)}, but coordinates {tuple(nufft.coordinates.shape)}"
        )
    samples = math.prod(y.shape[1:])
    _warn_of_rate(math.prod(sizes) / samples, coils)
    if "calibration" not in edge.arrays:
        side = min(24, *sizes)
        grid = calibrate(y, edge["coordinates"], sizes, size=side)
        block = tuple(slice(n // 2 - side // 2, n // 2 - side // 2 + side) for n in sizes)
        edge.arrays["calibration"] = grid[(slice(None), *block)]
    planar = xp.empty((coils, *sizes), y.dtype)
    centre, _ = calibration_of(edge, planar, np.ones(sizes, bool), window)
    weights = xp.ones(y.shape[1:], y.real.dtype)
    if "weights" in edge.arrays:
        weights = edge.real("weights", dtype=y.real.dtype)
    mu = 1.0 if settings.data_weight is None else settings.data_weight
    scale = mu * math.prod(sizes) / float(weights.sum() or 1)
    weights = (scale * weights).astype(y.real.dtype)
    toeplitz = nufft.toeplitz(weights)
    consistency = _Consistency(edge, centre, window, regularization, sizes, True, y.dtype)

    def normal(image: Any) -> Any:
        out = toeplitz.forward(image)
        out += consistency.normal(image)
        return out

    start = nufft.adjoint(xp.ascontiguousarray(weights * y))
    image = _minimise(edge, normal, start, start / mu, settings)
    return fft(image, axes=tuple(range(1, image.ndim)))


class _Consistency:
    """``(G - 1)^H (G - 1)`` as one Hermitian coil x coil matrix per pixel."""

    def __init__(
        self,
        edge: Edge,
        data: Any,
        kernel: tuple[int, ...],
        regularization: float,
        shape: tuple[int, ...],
        centred: bool,
        dtype: Any,
    ):
        self.kernels, self.xp = edge.kernels, edge.xp
        coils = data.shape[0]
        pairs = coils * (coils + 1) // 2
        require_memory(
            f"coil x coil matrices of {coils} coils and {shape} pixels",
            2 * pairs * math.prod(shape) * np.dtype(dtype).itemsize,
            "compress the coils",
        )
        lags = _normal_lags(edge.xp, Gram(edge, data, kernel, regularization), kernel)
        matrices = lags.astype(dtype)
        for d, n in enumerate(shape):  # the lag axis in front becomes the pixel axis at the end
            pixel = np.arange(n) - (n // 2 if centred else 0)
            lag = np.arange(1 - kernel[d], kernel[d])
            waves = np.exp(-2j * np.pi * np.outer(lag, pixel) / n)
            matrices = self.xp.tensordot(matrices, self.xp.asarray(waves, dtype), axes=(1, 0))
        self.matrices = self.xp.ascontiguousarray(matrices).reshape(pairs, -1)

    def normal(self, images: Any) -> Any:
        out = self.xp.empty_like(images)
        coils = images.shape[0]
        self.kernels.coil_matrix_multiply(
            self.matrices, images.reshape(coils, -1), out.reshape(coils, -1)
        )
        return out


def _normal_lags(xp: Any, gram: Gram, kernel: tuple[int, ...]) -> Any:
    """[pair, lags...] of ``(G - 1)^H (G - 1)``.

    A target coil is predicted from all values of the window but its own: the weights are a column
    of the inverse Gram matrix over its diagonal entry, and ``1 - G`` is that column itself.
    """
    coils, window = gram.coils, gram.window
    side = window * coils
    system = gram.matrix + (gram.ridge or 1e-14 * gram.power) * xp.eye(side)
    own = np.arange(coils) + gram.centre * coils
    unit = xp.zeros((side, coils), np.complex128)
    unit[own, np.arange(coils)] = 1
    columns = xp.linalg.solve(system, unit)
    columns = columns / columns[own, np.arange(coils)]
    # (1 - G)[j] at offset d from coil i: columns[(d, i), j]; lag e = d' - d
    products = (columns.conj() @ columns.T).reshape(window, coils, window, coils)
    sizes = [2 * k - 1 for k in kernel]
    lags = xp.zeros((coils, coils, *sizes), np.complex128)
    for flat, a in enumerate(np.ndindex(*kernel)):
        at = tuple(slice(k - 1 - i, 2 * k - 1 - i) for i, k in zip(a, kernel, strict=True))
        block = products[flat].reshape(coils, *kernel, coils)
        lags[(slice(None), slice(None), *at)] += xp.moveaxis(block, -1, 1)
    return lags[np.tril_indices(coils)]


def _solve(matrix: Callable[[Any], Any], rhs: Any, settings: _Settings) -> Any:
    operator = FromFunctions(matrix, matrix, rhs.shape, rhs.shape, kind="complex")
    return cg(
        operator,
        rhs,
        iterations=settings.iterations,
        tolerance=settings.tolerance,
        hermitian=True,
        callback=settings.callback,
    ).x


def _minimise(
    edge: Edge, normal: Callable[[Any], Any], rhs: Any, start: Any, settings: _Settings
) -> Any:
    """Of ``x^H N x / 2 - Re(rhs^H x) + prior(x)``: CG without a prior, FISTA with one."""
    if settings.prior is None:
        return _solve(normal, rhs, settings)
    xp = edge.xp
    prox = settings.prox(start)
    v = start
    for _ in range(_POWER_STEPS):
        v = normal(v / xp.linalg.norm(v.reshape(-1)))
    step = 1 / (1.05 * float(xp.linalg.norm(v.reshape(-1))))
    x = momentum = start
    t = 1.0
    for _ in range(settings.iterations):
        former = x
        x = prox.prox(momentum - step * (normal(momentum) - rhs), step)
        faster = (1 + math.sqrt(1 + 4 * t * t)) / 2
        momentum = x + ((t - 1) / faster) * (x - former)
        t = faster
    return x


def _warn_of_rate(rate: float, coils: int) -> None:
    if rate > coils:
        warnings.warn(
            f"k-space is undersampled {rate:.1f} times, but there are only {coils} coils; parallel "
            "imaging alone cannot make up for that",
            PyradWarning,
            stacklevel=4,
        )
