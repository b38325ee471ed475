"""Joint estimation of image and coil maps by alternating least squares (JSENSE)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._checks import at_least, whole
from ..errors import DataError
from ..operators import FromFunctions
from ..solvers import cg
from ._joint import JointModel, PolynomialBasis
from .nlinv import joint_problem, normalised

__all__ = ["jsense"]


def jsense(
    kspace: Any,
    *,
    coordinates: Any = None,
    mask: Any = None,
    weights: Any = None,
    shape: Sequence[int] | None = None,
    degree: int = 9,
    calibration: int = 24,
    iterations: int = 6,
    cg_iterations: int = 10,
    regularization: float = 1e-3,
    eps: float = 1e-3,
) -> tuple[Any, Any]:
    """Image and polynomial coil maps from undersampled k-space, in turns.

    Beginning with the sum of squares of the low-resolution coil images, every iteration fits the
    maps' polynomials to all of k-space for the image at hand, then the image for these maps
    (SENSE), both by conjugate gradients.

    Parameters
    ----------
    kspace, coordinates, mask, weights, shape, eps
        As in :func:`~pyrad_core.mr.nlinv`.
    degree : int
        Of the polynomials, per axis.
    calibration : int
        Samples of the centre of k-space, per axis, that the first image is made from.
    iterations : int
        Rounds of maps and image.
    cg_iterations : int
        At most so many steps of conjugate gradients in each half.
    regularization : float
        Weight of ``||image||^2`` against the data, in units of the mean squared map.

    Returns
    -------
    image : complex array of the image's shape
        Times the maps it gives the coil images: its scale is that of the sum of squares.
    maps : complex array (coil, *shape)
        Unit norm over the coils.

    Raises
    ------
    DataError
        NaN, real or all-zero k-space, unusable numbers.
    ShapeError
        Shapes that do not fit.

    Warns
    -----
    PyradWarning
        Cartesian k-space undersampled by more than the number of coils.

    References
    ----------
    Ying and Sheng, Magn. Reson. Med. 57 (2007), doi:10.1002/mrm.21245.

    Examples
    --------
    >>> image, maps = prc.mr.jsense(kspace)
    """
    degree, iterations = whole("degree", degree, 0), whole("iterations", iterations, 1)
    cg_iterations = whole("cg_iterations", cg_iterations, 1)
    weight = at_least("regularization", regularization, 0)
    calibration = whole("calibration", calibration, 2)
    edge, model = joint_problem(
        kspace, coordinates=coordinates, mask=mask, weights=weights, shape=shape, eps=eps
    )
    basis = PolynomialBasis(edge, model.shape, model.real, degree)
    state = _Alternation(model, basis)
    state.begin(calibration)
    for _ in range(iterations):
        state.fit_maps(cg_iterations)
        state.fit_image(cg_iterations, weight)
    return normalised(edge, model, 1.0)


class _Alternation:
    def __init__(self, model: JointModel, basis: PolynomialBasis):
        self.model, self.basis = model, basis
        self.box = basis.shape(model.lanes)
        size = len(model.data) * math.prod(self.box)
        self.coefficients = model.xp.zeros(size, model.grid.complex)

    def begin(self, calibration: int) -> None:
        """The image: sum of squares of the back-projected data, low-passed by a Hann window."""
        model, xp = self.model, self.model.xp
        ones = xp.ones_like(model.zeros)
        power = xp.zeros(model.grid.size, model.real)
        for back, maps in zip(model.data, model.maps, strict=True):
            maps[...] = 1
            images = model.new_maps()
            model.kernels.bilinear_crop(
                back, ones, maps, model.factors, xp.empty_like(model.zeros), images
            )
            power += (xp.abs(_low_pass(model, images, calibration)) ** 2).sum(axis=-1)
        if not float(power.sum()) > 0:
            raise DataError("kspace holds only zeros near its centre")
        model.image = xp.sqrt(power).astype(model.grid.complex)

    def fit_maps(self, iterations: int) -> None:
        model, shape = self.model, self.coefficients.shape

        def normal(a: Any) -> Any:
            d_maps = [model.new_maps() for _ in model.data]
            for block, d in zip(a.reshape(-1, *self.box), d_maps, strict=True):
                self.basis.expand(block, d)
            model.normal(model.zeros, d_maps)
            return self._reduced(d_maps)

        right = self._reduced(model.adjoint(residual=False)[1])
        operator = FromFunctions(normal, normal, shape, shape, kind="complex")
        power = float((model.xp.abs(model.image) ** 2).mean())
        found = cg(
            operator,
            right,
            iterations=iterations,
            x0=self.coefficients,
            regularization=float(np.finfo(model.real).eps) * power,  # few samples leave maps open
            hermitian=True,
        )
        self.coefficients = found.x
        for block, maps in zip(found.x.reshape(-1, *self.box), model.maps, strict=True):
            self.basis.expand(block, maps)

    def fit_image(self, iterations: int, weight: float) -> None:
        model, shape = self.model, self.model.image.shape

        def normal(x: Any) -> Any:
            return model.normal(x, [model.xp.zeros_like(maps) for maps in model.maps])

        power = sum(float((model.xp.abs(maps) ** 2).mean()) for maps in model.maps) * model.lanes
        right = model.adjoint(residual=False)[0]
        operator = FromFunctions(normal, normal, shape, shape, kind="complex")
        model.image = cg(
            operator,
            right,
            iterations=iterations,
            x0=model.image,
            regularization=weight * power,
            hermitian=True,
        ).x

    def _reduced(self, maps: list[Any]) -> Any:
        out = self.model.xp.empty_like(self.coefficients)
        for part, block in zip(maps, out.reshape(-1, *self.box), strict=True):
            self.basis.reduce(part, block)
        return out


def _low_pass(model: JointModel, images: Any, width: int) -> Any:
    """Coil images (z, y, x, lanes) with a Hann window of `width` samples in k-space."""
    xp, axes = model.xp, tuple(i for i in range(3) if images.shape[i] > 1)
    kspace = xp.fft.fftn(images, axes=axes)
    for axis in axes:
        k = xp.fft.fftfreq(images.shape[axis]) * images.shape[axis]
        window = xp.where(xp.abs(k) < width / 2, xp.cos(math.pi * k / width) ** 2, 0)
        kspace = kspace * window.reshape([-1 if i == axis else 1 for i in range(4)])
    return xp.fft.ifftn(kspace, axes=axes)
