"""Conjugate gradients on the normal equations of SENSE, without allocations or host in the loop."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._checks import at_least
from .._kernels.select import edge_of, host_array
from ..errors import ShapeError
from .sense import Sense

__all__ = ["ConjugateGradients"]


class ConjugateGradients:
    """Iterations of ``(A^H A + regularization) x = A^H y``, one :meth:`step` at a time.

    Everything that a step needs is made by the constructor: a step allocates nothing, and its
    scalars (step lengths, residuals) stay on the device. So on a GPU a step can be captured into a
    CUDA graph, which :meth:`capture` does; launching it costs one call instead of some ten.

    Parameters
    ----------
    operator : Sense
    y : complex array ``(..., *operator.range_shape)``
        k-space, already times the root of the operator's weights. Slices and leading frames are
        independent systems, each with its own step lengths.
    regularization : float
        Weight of ``||x||^2``.
    x0 : complex array ``(..., *operator.domain_shape)``, optional
        Start; zero by default.

    Attributes
    ----------
    x : complex array ``(..., *operator.domain_shape)``
        The iterate, updated in place.

    Examples
    --------
    >>> iteration = prc.mr.ConjugateGradients(prc.mr.Sense(maps, coordinates=k), kspace)
    >>> captured = iteration.capture()      # on a GPU; elsewhere it does nothing
    >>> for _ in range(20):
    ...     iteration.step()
    >>> image, residuals = iteration.x, iteration.residuals()
    """

    def __init__(self, operator: Sense, y: Any, *, regularization: float = 0.0, x0: Any = None):
        self.operator = operator
        self._weight = at_least("regularization", regularization, 0)
        edge = edge_of(y=y, x0=x0, maps=operator.maps)
        kspace = edge.complex("y")
        lead = kspace.ndim - len(operator.range_shape)
        if lead < 0 or tuple(kspace.shape[lead:]) != operator.range_shape:
            raise ShapeError(f"y has shape {kspace.shape}, the operator {operator.range_shape}")
        xp, self._kernels = edge.xp, edge.kernels
        shape = (*kspace.shape[:lead], *operator.domain_shape)
        self._r = operator._adjoint(kspace)
        self._systems = math.prod(kspace.shape[:lead]) * math.prod(operator._lead)
        self._q = xp.empty_like(self._r)
        self._state = xp.zeros((self._systems, 3), np.float64)
        self._scale = self._squares(xp, self._r)
        if x0 is None:
            self.x = xp.zeros_like(self._r)
        else:
            start = edge.complex("x0", real_ok=True, dtype=kspace.dtype)
            if tuple(start.shape) != shape:
                raise ShapeError(f"x0 has shape {start.shape}, but y asks for {shape}")
            self.x = start.copy()
            operator.normal_into(self.x, self._q)
            self._r -= self._q
            self._r -= self._r.real.dtype.type(self._weight) * self.x
        self._p = self._r.copy()
        self._state[:, 0] = self._state[:, 2] = self._squares(xp, self._r)
        self._graph: Any = None

    def step(self) -> None:
        """One iteration; the host is not waited for."""
        if self._graph is not None:
            self._graph.launch()
        else:
            self._step()

    def _step(self) -> None:
        self.operator.normal_into(self._p, self._q)
        p, q, x, r = (self._flat(a) for a in (self._p, self._q, self.x, self._r))
        self._kernels.cg_curvature(p, self._weight, q, self._state)
        self._kernels.cg_step(p, q, x, r, self._state)
        self._kernels.cg_turn(r, p, self._state)

    def capture(self) -> bool:
        """Record a step as a CUDA graph, which every later :meth:`step` launches.

        Returns whether that was possible: only for CuPy arrays. A step that warms up plans and
        buffers goes before and is undone.
        """
        if isinstance(self.x, np.ndarray) or self._graph is not None:
            return self._graph is not None
        import cupy

        if not hasattr(cupy.cuda, "Stream"):
            return False
        saved = [a.copy() for a in self._all()]
        stream = cupy.cuda.Stream(non_blocking=True)
        cupy.cuda.get_current_stream().synchronize()
        with stream:
            self._step()
            stream.synchronize()
            stream.begin_capture()
            self._step()
            graph = stream.end_capture()
            for array, old in zip(self._all(), saved, strict=True):
                array[...] = old
            stream.synchronize()
        self._graph = graph
        return True

    def residuals(self) -> np.ndarray:
        """Norm of each system's residual relative to its right-hand side; waits for the device."""
        rr, scale = self._state[:, 0], self._scale
        ratio = rr / self._where_positive(scale)
        return np.sqrt(host_array(ratio))

    def solved(self) -> bool:
        """Whether every system has reached rounding, or a direction without curvature."""
        state = host_array(self._state)
        scale = host_array(self._scale)
        rounding = float(np.finfo(self.x.dtype).eps)
        return bool(((state[:, 0] <= rounding**2 * scale) | (state[:, 1] <= 0)).all())

    def _all(self) -> tuple[Any, ...]:
        return self.x, self._r, self._p, self._q, self._state

    def _flat(self, a: Any) -> Any:
        return a.reshape(self._systems, -1).view(a.real.dtype)

    def _squares(self, xp: Any, a: Any) -> Any:
        flat = self._flat(a)
        sums = [self._kernels.inner_product(row, row) for row in flat]
        return xp.asarray(np.array(sums, np.float64))

    @staticmethod
    def _where_positive(scale: Any) -> Any:
        return scale + (scale == 0)
