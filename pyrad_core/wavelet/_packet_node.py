"""Nodes of wavelet packet trees: each holds an array, and the bands it was split into.

R. R. Coifman and M. V. Wickerhauser, IEEE Trans. Inf. Theory 38, 1992, doi:10.1109/18.119732.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .._kernels.select import edge_of
from ..errors import DataError
from ._arguments import AxisStep, axis_steps, dwt_max_level, require_samples, take
from ._dwt import idwtn
from ._transform import dwt_forward

__all__ = ["PacketNode", "Splitting"]


class _PathError(DataError, IndexError):
    """A path that leaves the tree; an IndexError too, as it is for other containers."""


@dataclass(frozen=True)
class Splitting:
    """What all nodes of a tree have in common."""

    wavelet: Any
    mode: Any
    axes: Any  # as the user gave them
    parts: tuple[str, ...]  # names of a node's bands, all of one length
    bands: tuple[str, ...]  # their names in dwtn

    def steps(self, ndim: int) -> list[AxisStep]:
        return axis_steps(ndim, self.axes, self.wavelet, self.mode)

    def deepest(self, shape: Sequence[int]) -> int:
        return min(dwt_max_level(shape[s.axis], s.wavelet) for s in self.steps(len(shape)))

    def rows(self) -> list[str]:
        """Part that each row of dwt_forward's answer is."""
        named = dict(zip(self.bands, self.parts, strict=True))
        return [named[band] for band in sorted(self.bands)]


_NOTHING = Splitting(None, None, None, (), ())


class PacketNode:
    """A node of a wavelet packet tree.

    Attributes
    ----------
    data : array or None
        Samples of the root, coefficients below. May be replaced; what was made of it before stays.
    path : str
        Names of the bands from the root to here; ``path_tuple`` holds them one by one.
    level : int
        Length of the path in bands.
    parent : PacketNode or None
    """

    def __init__(self, parent: PacketNode | None, name: str, data: Any, splitting: Splitting):
        self.parent = parent
        self.path: str = parent.path + name if parent else ""
        self.level: int = parent.level + 1 if parent else 0
        self.data = data
        self._splitting = splitting
        self._shape = None if data is None else tuple(data.shape)  # of what it was made for
        self._subnodes: dict[str, PacketNode] = {}
        self._maxlevel: int | None = parent.maxlevel if parent else None

    def __repr__(self) -> str:
        shape = None if self.data is None else tuple(self.data.shape)
        return f"{type(self).__name__}({self.path!r}, shape={shape})"

    @property
    def wavelet(self) -> Any:
        return self._splitting.wavelet

    @property
    def mode(self) -> Any:
        return self._splitting.mode

    @property
    def axes(self) -> Any:
        return self._splitting.axes

    @property
    def path_tuple(self) -> tuple[str, ...]:
        width = len(self._splitting.parts[0])
        return tuple(self.path[i : i + width] for i in range(0, len(self.path), width))

    @property
    def node_name(self) -> str:
        return self.path_tuple[-1] if self.path else ""

    @property
    def is_empty(self) -> bool:
        """No data, as in a tree that is put together from its leaves."""
        return self.data is None

    @property
    def has_any_subnode(self) -> bool:
        return bool(self._subnodes)

    @property
    def maxlevel(self) -> int | None:
        """Deepest level of the tree; None where nothing says how long the data are."""
        if self._maxlevel is None:
            self._maxlevel = next((n for n in self._known_depths()), None)
        return self._maxlevel

    def __getattr__(self, name: str) -> PacketNode | None:
        """A band by its name: None where the node has not been split."""
        if name in vars(self).get("_splitting", _NOTHING).parts:
            return self._subnodes.get(name)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def get_subnode(self, part: str, decompose: bool = True) -> PacketNode | None:
        """The band ``part`` of this node, split first if it is not yet and ``decompose`` holds."""
        if part not in self._splitting.parts:
            raise DataError(f"part is {part!r}; expected one of {list(self._splitting.parts)}")
        if part not in self._subnodes and decompose and not self.is_empty:
            self.decompose()
        return self._subnodes.get(part)

    def __getitem__(self, path: str | tuple[str, ...]) -> PacketNode:
        """The node at ``path`` from here, split off on the way."""
        node: PacketNode | None = self
        for part in self._parts(path):
            assert node is not None
            node = node.get_subnode(part)
            if node is None:
                raise _PathError(f"the tree has no node {path!r} and no data to make it from")
        assert node is not None
        return node

    def __setitem__(self, path: str | tuple[str, ...], data: Any) -> None:
        """Data of the node at ``path``, which is created if there is none."""
        node: PacketNode = self
        for part in self._parts(path):
            if part not in node._subnodes:
                node._subnodes[part] = PacketNode(node, part, None, node._splitting)
            node = node._subnodes[part]
        given = data.data if isinstance(data, PacketNode) else data
        edge = edge_of(data=given)
        node.data = edge.answer(take(edge, "data", finite=True))
        if node._shape is None:
            node._shape = tuple(node.data.shape)

    def __delitem__(self, path: str | tuple[str, ...]) -> None:
        """Take the node at ``path`` out of the tree; a reconstruction counts it as zeros."""
        node = self[path]
        if node.parent is not None:
            del node.parent._subnodes[node.node_name]
            node.parent = None

    def decompose(self) -> tuple[PacketNode, ...]:
        """Split the data into all bands, anew if they exist; returns their nodes."""
        if self.is_empty:
            raise DataError(f"node {self.path!r} holds no data to decompose")
        if self.maxlevel is not None and self.level >= self.maxlevel:
            raise DataError(f"node {self.path!r} is on level {self.level}, the deepest of its tree")
        self._split(self.level + 1)
        return tuple(self._below(False))

    def reconstruct(self, update: bool = False) -> Any:
        """The data that the leaves below are the bands of; a node without bands gives its own.

        Parameters
        ----------
        update : bool
            Replace ``data`` of this node by it.

        Returns
        -------
        array
            Cut to the shape of the data this node was made with, where it had any. Bands that are
            not in the tree count as zeros.

        Raises
        ------
        DataError
            No node below holds data, or coefficients are NaN or Inf.
        ShapeError
            Bands of one node differ in shape.
        """
        if not self._subnodes:
            return self.data
        found = {part: node.reconstruct() for part, node in self._subnodes.items()}
        bands = {
            band: found[part]
            for part, band in zip(self._splitting.parts, self._splitting.bands, strict=True)
            if found.get(part) is not None
        }
        if not bands:
            raise DataError(f"no node below {self.path!r} holds data to reconstruct from")
        bands = _alike(bands)
        data = idwtn(bands, self.wavelet, self.mode, _axes(self.axes))
        if self._shape is not None:
            data = data[tuple(slice(n) for n in self._shape)]
        if update:
            self.data = data
        return data

    def walk(
        self,
        func: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
        decompose: bool = True,
    ) -> None:
        """Call ``func(node, *args, **kwargs)`` from here down; a false answer ends a branch."""
        if func(self, *args, **(kwargs or {})):
            for node in self._below(decompose):
                node.walk(func, args, kwargs, decompose)

    def walk_depth(
        self,
        func: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
        decompose: bool = True,
    ) -> None:
        """As :meth:`walk`, the nodes below before their parents and without a way to end it."""
        for node in self._below(decompose):
            node.walk_depth(func, args, kwargs, decompose)
        func(self, *args, **(kwargs or {}))

    def get_leaf_nodes(self, decompose: bool = False) -> list[PacketNode]:
        """The nodes without bands; with ``decompose`` all nodes of the deepest level."""
        below = self._below(decompose)
        if not below:
            return [self] if not self.is_empty or not self._subnodes else []
        return [leaf for node in below for leaf in node.get_leaf_nodes(decompose)]

    def _parts(self, path: Any) -> list[str]:
        """The steps of a path from here, checked."""
        if not isinstance(path, (str, tuple)) or not all(isinstance(p, str) for p in path):
            raise DataError(f"path is {path!r}; expected a string or a tuple of strings")
        text, width = "".join(path), len(self._splitting.parts[0])
        parts = [text[i : i + width] for i in range(0, len(text), width)]
        for part in parts:
            if part not in self._splitting.parts:
                raise DataError(
                    f"path is {path!r}: {part!r} is none of the bands {list(self._splitting.parts)}"
                )
        if self.maxlevel is not None and self.level + len(parts) > self.maxlevel:
            raise _PathError(
                f"path is {path!r}, {self.level + len(parts)} levels deep, but the tree has at "
                f"most {self.maxlevel}"
            )
        return parts

    def _below(self, decompose: bool) -> list[PacketNode]:
        if self.maxlevel is not None and self.level >= self.maxlevel:
            return []
        if decompose and not self.is_empty and len(self._subnodes) < len(self._splitting.parts):
            self._split(self.level + 1, keep=True)
        return [self._subnodes[p] for p in self._splitting.parts if p in self._subnodes]

    def _split(self, level: int, *, keep: bool = False) -> None:
        """Bands down to ``level``, all nodes of a level at once: one batch for the kernels."""
        edge = edge_of(data=self.data)
        current = take(edge, "data", finite=True)[None]
        nodes, rows = [self], self._splitting.rows()
        while nodes[0].level < level:
            steps = self._splitting.steps(current.ndim - 1)
            require_samples(current.shape[1:], steps)
            moved = [AxisStep(s.axis + 1, s.wavelet, s.mode) for s in steps]
            bands = dwt_forward(edge.kernels, edge.xp, current, moved)
            for part, row in zip(rows, bands, strict=True):
                for node, data in zip(nodes, row, strict=True):
                    if not keep or part not in node._subnodes:
                        child = PacketNode(node, part, edge.answer(data), self._splitting)
                        node._subnodes[part] = child
            nodes = [node._subnodes[part] for part in rows for node in nodes]
            current = bands.reshape(len(nodes), *bands.shape[2:])

    def _deepen(self, level: int) -> None:
        """Make the nodes down to ``level`` that are missing."""
        if self.level >= level:
            return
        if not self._subnodes and not self.is_empty:
            self._split(level)
            return
        for node in self._below(True):
            node._deepen(level)

    def _known_depths(self) -> Iterator[int]:
        """Depths of the tree as the data of this node and those below imply them."""
        if self.data is not None:
            yield self.level + self._splitting.deepest(self.data.shape)
        for node in self._subnodes.values():
            yield from node._known_depths()


def _axes(axes: Any) -> Any:
    return [axes] if isinstance(axes, int) else axes


def _alike(bands: dict[str, Any]) -> dict[str, Any]:
    """Bands without the sample that the inverse of an odd length leaves more."""
    shapes = [tuple(band.shape) for band in bands.values()]
    if len(set(shapes)) == 1 or len({len(shape) for shape in shapes}) > 1:
        return bands
    least = tuple(map(min, zip(*shapes, strict=True)))
    if any(n - low > 1 for shape in shapes for n, low in zip(shape, least, strict=True)):
        return bands
    return {name: band[tuple(slice(n) for n in least)] for name, band in bands.items()}
