"""One door to every reconstruction method."""

from __future__ import annotations

from typing import Any

from .._checks import choice, known_names
from ..geometry import Beam, Volume
from ._methods import ALIASES, METHODS, Scan, finish

__all__ = ["METHODS", "recon"]


def recon(
    projections: Any,
    geometry: Beam,
    volume: Volume,
    *,
    method: str = "fbp",
    return_info: bool = False,
    **options: Any,
) -> Any:
    """Reconstruct line integrals by the method of that name.

    Parameters
    ----------
    projections : array, shape ``geometry.projection_shape``
        Line integrals; float32 or float64, integers become float32.
    geometry : ParallelBeam, FanBeam or ConeBeam
        Where the rays run.
    volume : Volume
        Grid to reconstruct on.
    method : str
        One of the names under Notes.
    return_info : bool
        Also return a :class:`solvers.Result`: ``iterations``, ``residuals`` (one per iteration)
        and ``stop_reason`` ("iterations", "tolerance", "discrepancy", "callback", "diverged" or,
        without iterations, "direct").
    **options
        Of the method, see Notes. An option of None means its default. The iterative methods
        share these:

        iterations : int
            At most this many, >= 1. Methods with subsets pass through all views in each.
        model : {"joseph", ...}
            Of the :class:`Projector`, whose pair is exactly matched.
        mask : array of bool, shape ``volume.shape``
            Support: voxels outside stay 0 and are not updated.
        weights : array, shape of the projections
            Statistical weight of every ray, >= 0, such as its inverse variance (for counts N:
            N^2 / (N + electronic variance)); default 1.
        x0 : array, shape ``volume.shape``
            Start instead of zero (of one, for mlem and osem).
        nonnegative : bool
            Keep the image >= 0; by default so where the method can.
        maximum : float
            Upper bound of the image, such as the attenuation of the only material there is
            (row action and TV methods).
        callback : callable
            ``callback(k, x, residual)`` after iteration k; True stops. x is the live iterate.
        tolerance : float
            Stop when the residual falls to this (what it is says the method's solver).
        noise_level : float
            Stop by the discrepancy principle, when ``||y - A x||`` has fallen to that of noise
            with this standard deviation per ray (with inverse variances as weights: 1). For
            asd_pocs it is the bound on the residual. Not for methods that minimise a penalised
            objective to its end.
        out : array
            Where to put the result: shape of the volume, dtype of the result.

    Returns
    -------
    array, shape ``volume.shape``, or (array, Result)
        Attenuation in 1/mm, in the precision of the projections.

    Raises
    ------
    DataError
        An unknown method or option, iterations < 1, NaN or Inf, negative weights, an empty mask.
    ShapeError
        Projections that do not match the geometry; mask, x0, weights or out of another shape.
    GeometryError
        As :func:`fbp` and :class:`Projector`.
    DeviceMemoryError
        The method's arrays do not fit into the host's free memory; nothing has been allocated.

    Notes
    -----
    A is the projector, y the projections, W the weights, D forward differences between neighbours
    divided by their distance in units of the smallest voxel side, and ``TV(x) = sum |D x|``.

    Direct:

    * ``"fbp"``: :func:`fbp`; ``filter="ram-lak"``, ``cutoff=1.0``.
    * ``"fdk"``: :func:`fdk`, for cones; options as fbp.

    Weighted least squares, regularised by stopping early:

    * ``"sirt"``: ``x += relaxation C A^T W R (y - A x)``, R and C the inverse row and column
      sums; ``iterations=100``, ``relaxation=1.0`` (a number in (0, 2), a sequence or a function
      of k). Gilbert 1972, doi:10.1016/0022-5193(72)90180-4.
    * ``"sart"``: the same after every view; ``iterations=5``, ``relaxation=0.5``,
      ``order="bit_reversed" | "sequential" | "random"``. Andersen, Kak 1984,
      doi:10.1177/016173468400600107.
    * ``"os_sart"``: the same after every subset of the views; ``iterations=10``,
      ``subsets=10`` (number of interleaved subsets, or lists of views), ``relaxation=1.0``,
      ``order``. Wang, Jiang 2004.
    * ``"cgls"``: conjugate gradients on ``||A x - y||_W^2 + regularization ||x||^2``;
      ``iterations=20``, ``regularization=0``. No bounds. Bjorck 1996,
      doi:10.1137/1.9781611971484.
    * ``"lsqr"``: the same by bidiagonalisation. Paige, Saunders 1982, doi:10.1145/355984.355989.

    Poisson likelihood, for counts or for line integrals >= 0:

    * ``"mlem"``: ``x *= A^T W (y / (A x + background)) / A^T W 1``; ``iterations=50``,
      ``background=0``. Shepp, Vardi 1982, doi:10.1109/TMI.1982.4307558.
    * ``"osem"``: the same with ordered subsets; ``iterations=8``, ``subsets=8``, ``order``.
      Hudson, Larkin 1994, doi:10.1109/42.363108.

    With a prior:

    * ``"pwls"``: ``0.5 ||A x - y||_W^2 + weight sum psi(D x)``, psi the hyperbola
      ``delta^2 (sqrt(1 + (t / delta)^2) - 1)`` or (``potential="huber"``) Huber's function, by
      ordered subsets of separable quadratic surrogates with Nesterov's momentum;
      ``iterations=20``, ``subsets=12``, ``order``, ``weight`` (default a tenth of the data term's
      curvature), ``delta`` (1/mm; default a hundredth of the image's level), ``momentum=True``,
      ``relaxation=0`` (of the subsets' limit cycle, about 1e-3). ``subsets=1`` converges to the
      minimiser. Kim, Ramani, Fessler 2015, doi:10.1109/TMI.2014.2350962.
    * ``"fista_tv"``, ``"tv_pdhg"`` (also ``"tv"``, ``"pdhg"``), ``"tv_admm"`` (also ``"admm"``):
      ``0.5 ||A x - y||_W^2 + weight TV(x)``, one minimiser by three routes; ``weight`` (default a
      thousandth of the largest entry of A^T W y), ``isotropic=True``. FISTA (``iterations=100``;
      ``inner_tolerance=1e-4``, ``inner_iterations=50`` of the TV step): Beck, Teboulle 2009,
      doi:10.1137/080716542. PDHG (``iterations=200``; ``balance=1`` of primal and dual steps):
      Chambolle, Pock 2011, doi:10.1007/s10851-010-0251-1. ADMM (``iterations=40``; ``penalty``,
      ``inner_iterations=5``): Boyd et al. 2011, doi:10.1561/2200000016.
    * ``"asd_pocs"``: least TV among the images with ``||A x - y||_W <= noise``, by passes of
      OS-SART and steepest descent in turns; ``iterations=60``, ``subsets=10``, ``order``,
      ``noise_level``, ``smoothing`` (1/mm, of TV's gradient), ``relaxation=1.0``,
      ``relaxation_reduction=0.995``, ``descent_steps=20``, ``descent_size=5e-4``,
      ``descent_reduction=0.9``, ``largest_ratio=0.95``. Sidky, Pan 2008,
      doi:10.1088/0031-9155/53/17/021.

    Results are the same for any number of threads.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> scan = prc.ParallelBeam(np.arange(60) * np.pi / 60, 48)
    >>> disc = prc.phantom.Ellipsoids([[1.0, 12, 12, 0, 0, 0]])
    >>> image = prc.ct.recon(disc.project(scan), scan, prc.Volume((32, 32)), method="cgls")
    >>> bool(abs(image[16, 16] - 1) < 0.05)
    True
    """
    name = ALIASES.get(method, method)
    found = METHODS[choice("method", name, METHODS)]
    known_names(f"option of {method}", options, found.options)
    given = {key: value for key, value in options.items() if value is not None}
    if not found.iterative:
        result = found.run(projections, geometry, volume, **given)
        return (result.x, result) if return_info else result.x
    own = {key: given.pop(key) for key in list(given) if key in found.own_options}
    scan = Scan(projections, geometry, volume, **given)
    scan.require(name, found, own.get("subsets"))
    result = finish(scan, found.run(scan, **own), options.get("out"))
    return (result.x, result) if return_info else result.x
