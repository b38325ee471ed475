"""Wavelet packet trees of signals, images and nD arrays: every band is split again.

Names, paths, orders and values are those of PyWavelets (doi:10.21105/joss.01237). A level is made
in one call of the kernels, however many nodes it has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import _checks
from .._kernels.select import edge_of
from ..errors import DataError
from ._arguments import take
from ._dwt import Axes
from ._packet_node import PacketNode, Splitting
from ._transform import band_names

__all__ = ["WaveletPacket", "WaveletPacket2D", "WaveletPacketND"]

# Parts of an image's node by PyWavelets' letters, and what they are along (rows, columns).
_PLANAR = {"a": "aa", "h": "da", "v": "ad", "d": "dd"}


class _Root(PacketNode):
    """What the roots of all trees can do."""

    def __init__(self, data: Any, splitting: Splitting, maxlevel: int | None):
        if data is not None:
            edge = edge_of(data=data)
            x = take(edge, "data", finite=True)
            splitting.steps(x.ndim)  # axes, wavelets and modes are as they should be
            data = edge.answer(x)
        super().__init__(None, "", data, splitting)
        if maxlevel is not None:
            self._maxlevel = _checks.whole("maxlevel", maxlevel)
        elif data is not None:
            self._maxlevel = splitting.deepest(data.shape)

    def reconstruct(self, update: bool = True) -> Any:
        """The data that the leaves are the bands of; replaces ``data`` unless ``update=False``.

        See :meth:`PacketNode.reconstruct`.
        """
        return super().reconstruct(update)

    def _nodes_of(self, level: int, order: str, decompose: bool) -> list[Any]:
        _checks.choice("order", order, ("natural", "freq"))
        level = _checks.whole("level", level)
        if self.maxlevel is not None and level > self.maxlevel:
            raise DataError(f"level is {level}, but the tree has at most {self.maxlevel} levels")
        if decompose:
            self._deepen(level)
        nodes: list[PacketNode] = [self]
        for _ in range(level):
            nodes = [node for parent in nodes for node in parent._below(False)]
        return nodes if order == "natural" else self._by_frequency(nodes, level)

    def best_basis(
        self, cost: str | Callable[[Any], float] = "shannon", level: int | None = None
    ) -> list[PacketNode]:
        """Cut the tree back to the leaves whose costs add up to the least.

        Parameters
        ----------
        cost : {"shannon", "log_energy", "l1"} or callable
            Entropy ``-sum p log p`` with p the coefficients' shares of the data's energy,
            ``sum log |c|^2`` over coefficients that are not zero, ``sum |c|``, or a function of a
            node's data; costs of nodes add.
        level : int, optional
            Deepest level to look at; the tree's own by default.

        Returns
        -------
        list of nodes
            The leaves; :meth:`reconstruct` joins them.

        References
        ----------
        R. R. Coifman and M. V. Wickerhauser, IEEE Trans. Inf. Theory 38, 1992,
        doi:10.1109/18.119732.
        """
        deepest = self.maxlevel if level is None else _checks.whole("level", level)
        if self.is_empty or deepest is None:
            raise DataError("the tree holds no data to choose a basis for")
        self._nodes_of(deepest, "natural", True)
        evaluate = cost if callable(cost) else self._cost(cost)
        _cheapest(self, evaluate, deepest)
        return self.get_leaf_nodes()

    def _by_frequency(self, nodes: Sequence[PacketNode], level: int) -> list[Any]:
        letters = dict(zip(self._splitting.parts, self._splitting.bands, strict=True))
        axes = len(self._splitting.bands[0])
        found = {}
        for node in nodes:
            bands = [letters[part] for part in node.path_tuple]
            found[tuple("".join(b[i] for b in bands) for i in range(axes))] = node

        def nested(keys: tuple[str, ...]) -> Any:
            if len(keys) == axes:
                return found.get(keys)
            lists = (nested((*keys, path)) for path in _gray_code(level))
            return [entry for entry in lists if entry is not None and entry != []]

        return nested(())

    def _cost(self, name: str) -> Callable[[Any], float]:
        _checks.choice("cost", name, ("shannon", "log_energy", "l1"))
        xp = edge_of(data=self.data).xp

        def energies(data: Any) -> Any:
            size = xp.abs(take(edge_of(data=data), "data")).astype(xp.float64)
            return size[size > 0] ** 2

        total = float(energies(self.data).sum())

        def evaluate(data: Any) -> float:
            energy = energies(data)
            if name == "l1":
                return float(xp.sqrt(energy).sum())
            if name == "log_energy":
                return float(xp.log(energy).sum())
            share = energy / total if total else energy
            return -float((share * xp.log(share)).sum())

        return evaluate


def _cheapest(node: PacketNode, cost: Callable[[Any], float], deepest: int) -> float:
    """Cost of the best basis below a node, which keeps no other nodes."""
    own = cost(node.data)
    if node.level == deepest or not node.has_any_subnode:
        node._subnodes.clear()
        return own
    below = sum(_cheapest(child, cost, deepest) for child in node._subnodes.values())
    if below < own:
        return below
    node._subnodes.clear()
    return own


class _OrderedRoot(_Root):
    def get_level(self, level: int, order: str = "natural", decompose: bool = True) -> list[Any]:
        """All nodes of a level.

        Parameters
        ----------
        level : int
        order : {"natural", "freq"}
            As the tree lists them, or by frequency: a list along each transformed axis, nested.
        decompose : bool
            Make the nodes that are missing; else only those that exist are listed.

        Returns
        -------
        list of nodes, nested where ``order="freq"`` and more than one axis is transformed

        Raises
        ------
        DataError
            Unknown order, or a level deeper than the tree allows.
        """
        return self._nodes_of(level, order, decompose)


class WaveletPacket(_OrderedRoot):
    """Wavelet packets along one axis; bands are named 'a' and 'd'.

    Parameters
    ----------
    data : array or None
        Any shape, the other axes are a batch. float32, float64, complex64 and complex128 stay what
        they are; integers become float32. None makes an empty tree, to be filled with bands
        (``tree["aad"] = coefficients``) and reconstructed.
    wavelet : str, Wavelet or four filters
    mode : str
        Extension mode, see :func:`dwt`.
    maxlevel : int, optional
        Deepest level; :func:`dwt_max_level` by default.
    axis : int

    Raises
    ------
    DataError
        Unknown wavelet or mode, no such axis, NaN or Inf in ``data``.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> tree = prc.wavelet.WaveletPacket(np.arange(16.0), "haar", maxlevel=3)
    >>> [node.path for node in tree.get_level(2, "freq")]
    ['aa', 'ad', 'dd', 'da']
    >>> tree["ad"].data.round(3)
    array([-2., -2., -2., -2.])
    >>> del tree["d"]
    >>> tree.reconstruct(update=False)[:4]
    array([0.5, 0.5, 2.5, 2.5])
    """

    def __init__(
        self,
        data: Any,
        wavelet: Any,
        mode: str = "symmetric",
        maxlevel: int | None = None,
        axis: int = -1,
    ):
        parts = tuple(band_names(1))
        super().__init__(data, Splitting(wavelet, mode, axis, parts, parts), maxlevel)


class WaveletPacket2D(_OrderedRoot):
    """Wavelet packets along two axes; bands are 'a', 'h', 'v' and 'd'.

    'h' is the detail along the first of ``axes`` (horizontal edges), 'v' along the second, 'd'
    along both.

    Parameters
    ----------
    data, wavelet, mode, maxlevel
        As for :class:`WaveletPacket`; wavelet and mode also one per axis.
    axes : two ints

    Raises
    ------
    DataError
        As for :class:`WaveletPacket`, or axes that are not two.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> tree = prc.wavelet.WaveletPacket2D(np.eye(16), "db2", maxlevel=2)
    >>> len(tree.get_level(2)), len(tree.get_level(2, "freq")[0])
    (16, 4)
    """

    def __init__(
        self,
        data: Any,
        wavelet: Any,
        mode: Any = "symmetric",
        maxlevel: int | None = None,
        axes: Sequence[int] = (-2, -1),
    ):
        if len(tuple(axes)) != 2:
            raise DataError(f"axes is {tuple(axes)}; expected two axes")
        names = tuple(_PLANAR), tuple(_PLANAR.values())
        super().__init__(data, Splitting(wavelet, mode, tuple(axes), *names), maxlevel)


class WaveletPacketND(_Root):
    """Wavelet packets along any axes; bands are named as in :func:`dwtn`.

    Parameters
    ----------
    data, wavelet, mode, maxlevel
        As for :class:`WaveletPacket`; wavelet and mode also one per axis.
    axes : sequence of int, optional
        All axes by default; an empty tree (``data=None``) needs them.

    Raises
    ------
    DataError
        As for :class:`WaveletPacket`.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> tree = prc.wavelet.WaveletPacketND(np.ones((8, 8, 8), np.float32), "haar")
    >>> tree["aad", "ddd"].path_tuple, tree["aadddd"].data.shape
    (('aad', 'ddd'), (2, 2, 2))
    """

    def __init__(
        self,
        data: Any,
        wavelet: Any,
        mode: Any = "symmetric",
        maxlevel: int | None = None,
        axes: Axes = None,
    ):
        if axes is None and data is None:
            raise DataError("axes is None; a tree without data needs them")
        axes = tuple(range(edge_of(data=data)["data"].ndim)) if axes is None else axes
        axes = (axes,) if isinstance(axes, int) else tuple(axes)
        parts = tuple(band_names(len(axes)))
        super().__init__(data, Splitting(wavelet, mode, axes, parts, parts), maxlevel)

    def get_level(self, level: int, decompose: bool = True, order: str = "natural") -> list[Any]:
        """All nodes of a level; see :meth:`WaveletPacket.get_level` for the arguments."""
        return self._nodes_of(level, order, decompose)


def _gray_code(level: int) -> list[str]:
    """Paths of a level by frequency: a high pass turns the order below it around."""
    paths = [""]
    for _ in range(level):
        paths = ["a" + path for path in paths] + ["d" + path for path in reversed(paths)]
    return paths
