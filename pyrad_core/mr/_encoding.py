"""The measurement behind a regularised reconstruction: frames, sets of maps, weights, masks."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from .._checks import whole
from .._kernels.select import Edge, edge_of
from .._memory import require_memory
from ..errors import DataError, PyradWarning, ShapeError
from ..operators import LinearOperator
from .coils import require_coils
from .sense import Sense

__all__ = ["Encoding", "Measurement"]


class Encoding(LinearOperator):
    """Images of all frames to k-space, each frame by its own operator.

    Parameters
    ----------
    operators : list of Sense
        One per frame, with the same maps.
    """

    kind = "complex"
    fast_normal = True

    def __init__(self, operators: Sequence[Sense]):
        self.operators = operators
        frames, first = len(operators), operators[0]
        super().__init__((frames, *first.domain_shape), (frames, *first.range_shape))
        self._shared: set[Any] = set()

    def _forward(self, x: Any) -> Any:
        return self._each("_forward", x, self.range_shape)

    def _adjoint(self, y: Any) -> Any:
        return self._each("_adjoint", y, self.domain_shape)

    def _normal(self, x: Any) -> Any:
        out = self._empty(x, self.domain_shape)
        for operator, image, to in zip(self.operators, x, out, strict=True):
            operator.normal_into(image, to)
        return out

    def _each(self, name: str, frames: Any, shape: tuple[int, ...]) -> Any:
        out = self._empty(frames, shape)
        for operator, frame, to in zip(self.operators, frames, out, strict=True):
            to[...] = getattr(operator, name)(frame)
        return out

    def _empty(self, x: Any, shape: tuple[int, ...]) -> Any:
        self._share_maps(x)
        return edge_of(x=x).xp.empty(shape, x.dtype)

    def _share_maps(self, x: Any) -> None:
        """One copy of the interleaved maps and of scratch for all frames."""
        real = x.real.dtype
        if real in self._shared:
            return
        source = self.operators[0]._plan(x)[1]
        for operator in self.operators[1:]:
            plan = operator._plan(x)[1]
            if plan.grid.cells == source.grid.cells:
                plan.maps, plan._buffers = source.maps, source._buffers
                plan.grid._idle = source.grid._idle
        self._shared.add(real)


class Measurement:
    """Checked k-space with its operator: ``0.5 ||operator x - y||^2`` is the data term.

    Attributes
    ----------
    edge, operator, y
        Arrays' edge; a :class:`Sense` or an :class:`Encoding`; weighted k-space.
    dims : int
        Axes of one image; frames and sets of maps stand before them.
    dynamic, soft : bool
    """

    def __init__(
        self,
        kspace: Any,
        maps: Any,
        *,
        coordinates: Any = None,
        mask: Any = None,
        weights: Any = None,
        dims: int | None = None,
        eps: float = 1e-3,
    ):
        self.edge = edge_of(
            kspace=kspace, maps=maps, coordinates=coordinates, mask=mask, weights=weights
        )
        edge = self.edge
        y = edge.complex("kspace")
        s = edge.complex("maps", dtype=y.dtype)
        if not bool(y.any()):
            raise DataError("kspace holds only zeros")
        if coordinates is not None and mask is not None:
            raise DataError("give mask or coordinates, not both: a mask is for Cartesian k-space")
        given = {name: edge.arrays.get(name) for name in ("mask", "coordinates", "weights")}
        self.dims = _image_dims(y, s, given["coordinates"], dims)
        self.soft = s.ndim == self.dims + 2
        sets = s if self.soft else s[None]
        self.dynamic = _has_frames(y, sets, given, self.dims)
        frames = y if self.dynamic else y[None]
        _check_shapes(frames, sets, given["coordinates"] is not None)
        require_memory(
            "k-space, interleaved maps and images",
            3 * s.nbytes + 3 * y.nbytes + 8 * frames.shape[0] * s[0].nbytes // s.shape[-self.dims],
            "compress coils or reconstruct fewer frames at a time",
        )
        operators = []
        for t, frame in enumerate(frames):
            of_frame = {name: self._of_frame(array, name, t) for name, array in given.items()}
            operators.append(self._of_samples(edge, frame, s, of_frame, eps))
        self.operator: LinearOperator = Encoding(operators) if self.dynamic else operators[0]
        self.y = self._weighted(y, operators)
        self.bound = self._bound(sets, operators)

    def _of_samples(
        self, edge: Edge, frame: Any, maps: Any, given: dict[str, Any], eps: float
    ) -> Sense:
        """The operator of one frame."""
        if given["coordinates"] is None and given["mask"] is None:
            measured = edge.xp.any(frame != 0, axis=0)
            given["mask"] = None if bool(measured.all()) else measured
        with warnings.catch_warnings():  # more undersampling than coils is what a prior is for
            warnings.simplefilter("ignore", PyradWarning)
            operator = Sense(maps, dims=self.dims, eps=eps, **given)
        if tuple(frame.shape) != operator.range_shape:
            raise ShapeError(
                f"kspace has shape {tuple(frame.shape)} per frame, but maps and sampling ask for "
                f"{operator.range_shape}"
            )
        return operator

    def _of_frame(self, array: Any, name: str, frame: int) -> Any:
        """What belongs to one frame of a mask, of coordinates or of weights."""
        if array is None or not self.dynamic:
            return array
        per_frame = {
            "mask": self.dims,
            "coordinates": self._coordinate_axes,
            "weights": self._coordinate_axes - 1,
        }[name]
        return array[frame] if array.ndim > per_frame else array

    @property
    def _coordinate_axes(self) -> int:
        """Axes of one frame's coordinates: k-space's own without frames and coils, and dims."""
        return self.edge["kspace"].ndim - 2 + 1

    def _weighted(self, y: Any, operators: list[Sense]) -> Any:
        if operators[0].weights is None:
            return y
        xp = self.edge.xp
        roots = [xp.sqrt(operator.weights).astype(y.real.dtype) for operator in operators]
        return y * (xp.stack(roots)[:, None] if self.dynamic else roots[0])

    def _bound(self, sets: Any, operators: list[Sense]) -> float | None:
        """An upper bound of ||A||^2 that costs nothing, for Cartesian k-space."""
        if operators[0].coordinates is not None:
            return None
        xp = self.edge.xp
        gram = xp.einsum("mc...,nc...->mn...", sets.conj(), sets)
        largest = float(abs(gram).sum(axis=1).max())
        masks = [operator.mask for operator in operators]
        return largest * max(1.0 if m is None else float(abs(m).max()) ** 2 for m in masks)


def _image_dims(y: Any, s: Any, coordinates: Any, dims: int | None) -> int:
    """Axes of one image."""
    if coordinates is not None:
        found = int(coordinates.shape[-1]) if coordinates.ndim else 0
        if dims is not None and whole("dims", dims, 1) != found:
            raise ShapeError(f"dims is {dims}, but coordinates have {found} components")
    elif dims is not None:
        found = whole("dims", dims, 1)
    else:
        found = min(s.ndim, y.ndim) - 1  # soft maps have one axis more, frames give k-space one
    if not 1 <= found <= 3 or s.ndim - found not in (1, 2):
        raise ShapeError(
            f"maps have shape {tuple(s.shape)}, which is neither (coil, ...) nor (maps, coil, ...) "
            f"over images of {found} axes"
        )
    return found


def _has_frames(y: Any, sets: Any, given: dict[str, Any], dims: int) -> bool:
    if given["coordinates"] is None:
        return y.ndim == dims + 2
    coils = sets.shape[1]
    sampled = given["coordinates"].shape[:-1]
    static = tuple(y.shape) == (coils, *sampled)
    if static or y.ndim < 3 or y.shape[1] != coils:
        return False
    per_frame = tuple(y.shape[2:])
    if tuple(sampled) not in (per_frame, (y.shape[0], *per_frame)):
        raise ShapeError(
            f"kspace has shape {tuple(y.shape)}, but coordinates {given['coordinates'].shape} and "
            f"{coils} coils ask for {(coils, *sampled)}, or frames of it"
        )
    return True


def _check_shapes(frames: Any, sets: Any, scattered: bool) -> None:
    require_coils("kspace", frames[0], sets[0])
    if not scattered and tuple(frames.shape[2:]) != tuple(sets.shape[2:]):
        raise ShapeError(
            f"kspace has shape {tuple(frames.shape[1:])}, but maps {tuple(sets.shape[1:])}; "
            "non-Cartesian k-space needs coordinates"
        )
