"""One door to every reconstruction method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import solvers
from .._checks import choice, known_names, positive, same_shape, whole
from .._kernels.select import edge_of
from ..geometry import Beam, Volume
from ..operators import FiniteDifference
from ..prox import GroupL1, NonNegative
from .fbp import fbp
from .projector import Projector

__all__ = ["METHODS", "recon"]

_TV_WEIGHT = 1e-3  # default, as a part of the largest entry of A^T y


def recon(
    projections: Any,
    geometry: Beam,
    volume: Volume,
    *,
    method: str = "fbp",
    **options: Any,
) -> Any:
    """Reconstruct line integrals by the method of that name.

    Parameters
    ----------
    projections : array, shape ``geometry.projection_shape``
        Line integrals; float32 or float64, integers become float32.
    geometry : ParallelBeam or FanBeam
        Where the rays run.
    volume : Volume
        Grid to reconstruct on.
    method : {"fbp", "sirt", "os_sart", "cgls", "tv"}
        See the options.
    **options
        * ``"fbp"``: ``filter="ram-lak"``, as :func:`fbp`.
        * ``"sirt"``: ``iterations=100``, ``nonnegative=True``, ``relaxation=1.0``.
        * ``"os_sart"``: ``iterations=10``, ``subsets=10``, ``nonnegative=True``,
          ``relaxation=1.0``.
        * ``"cgls"``: ``iterations=20``; stopping early regularises.
        * ``"tv"``: minimises ``0.5 ||A x - y||^2 + weight * TV(x)`` with ``x >= 0`` by PDHG;
          ``iterations=200``, ``weight`` (default a thousandth of the largest entry of A^T y),
          ``nonnegative=True``.

        The iterative methods take ``x0`` and ``callback`` (see :mod:`pyrad_core.solvers`) and
        ``model`` (see :class:`Projector`). An option of None means its default.

    Returns
    -------
    array, shape ``volume.shape``
        Attenuation in 1/mm, in the precision of the projections.

    Raises
    ------
    DataError
        An unknown method or option, iterations < 1, NaN or Inf in the projections.
    ShapeError, GeometryError
        As :func:`fbp` and :class:`Projector`.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> scan = prc.ParallelBeam(np.arange(60) * np.pi / 60, 48)
    >>> disc = prc.phantom.Ellipsoids([[1.0, 12, 12, 0, 0, 0]])
    >>> image = prc.ct.recon(disc.project(scan), scan, prc.Volume((32, 32)), method="cgls")
    >>> bool(abs(image[16, 16] - 1) < 0.05)
    True
    """
    run, allowed = METHODS[choice("method", method, METHODS)]
    known_names(f"option of {method}", options, allowed)
    given = {name: value for name, value in options.items() if value is not None}
    return run(projections, geometry, volume, **given)


def _iterative(solver: Callable[..., Any], default: int, **fixed: Any) -> Callable[..., Any]:
    """A method that hands the projector to a solver of pyrad_core.solvers."""

    def run(
        projections: Any,
        geometry: Beam,
        volume: Volume,
        *,
        iterations: int = default,
        model: str = "joseph",
        **options: Any,
    ) -> Any:
        count = whole("iterations", iterations, 1)
        A, edge, lines = _problem(projections, geometry, volume, model)
        arguments = fixed | options
        if arguments.pop("nonnegative", False):
            arguments["prox"] = NonNegative()
        return edge.answer(solver(A, lines, iterations=count, **arguments).x)

    return run


def _tv(
    projections: Any,
    geometry: Beam,
    volume: Volume,
    *,
    iterations: int = 200,
    weight: float | None = None,
    nonnegative: bool = True,
    model: str = "joseph",
    **options: Any,
) -> Any:
    count = whole("iterations", iterations, 1)
    A, edge, lines = _problem(projections, geometry, volume, model)
    if weight is None:
        weight = _TV_WEIGHT * float(abs(A._adjoint(lines)).max())
    # the gradient is brought to the size of A, so that neither dual step is far too short
    size = A.norm(like=lines) / 3.0
    prior = (size * FiniteDifference(volume.shape), GroupL1(positive("weight", weight) / size))
    prox = NonNegative() if nonnegative else None
    found = solvers.pdhg(A, lines, iterations=count, prox=prox, priors=[prior], **options)
    return edge.answer(found.x)


def _problem(projections: Any, geometry: Beam, volume: Volume, model: str) -> Any:
    A = Projector(geometry, volume, model=model)  # type: ignore[arg-type]
    edge = edge_of(projections=projections)
    same_shape("projections", edge["projections"].shape, "geometry", geometry.projection_shape)
    return A, edge, edge.real("projections")


_COMMON = ("iterations", "model", "x0", "callback")
METHODS: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "fbp": (fbp, ("filter", "out")),
    "sirt": (
        _iterative(solvers.sirt, 100, nonnegative=True),
        (*_COMMON, "nonnegative", "relaxation"),
    ),
    "os_sart": (
        _iterative(solvers.os_sart, 10, nonnegative=True),
        (*_COMMON, "nonnegative", "relaxation", "subsets"),
    ),
    "cgls": (_iterative(solvers.cgls, 20), _COMMON),
    "tv": (_tv, (*_COMMON, "weight", "nonnegative", "balance")),
}
