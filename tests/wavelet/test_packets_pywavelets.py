"""Wavelet packet trees against PyWavelets', and what only a tree promises."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrad_core import DataError, ShapeError
from pyrad_core import wavelet as prw

pywt = pytest.importorskip("pywt")

DTYPES = (np.float32, np.float64, np.complex64, np.complex128)


def draw(shape, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def assert_close(got, expected):
    assert got.shape == expected.shape and got.dtype == expected.dtype
    limit = 1e-12 if np.finfo(got.dtype).eps < 1e-10 else 5e-6
    assert np.abs(got - expected).max() <= limit * max(1.0, np.abs(expected).max())


def flat(nodes):
    return [leaf for node in nodes for leaf in (flat(node) if isinstance(node, list) else [node])]


def pair(cls, x, *args, **kwargs):
    return getattr(prw, cls)(x, *args, **kwargs), getattr(pywt, cls)(x, *args, **kwargs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("cls", "shape", "extra"),
    [
        ("WaveletPacket", (61,), {}),
        ("WaveletPacket", (3, 40, 2), {"axis": 1}),
        ("WaveletPacket2D", (24, 35), {}),
        ("WaveletPacket2D", (20, 3, 17), {"axes": (0, 2)}),
        ("WaveletPacketND", (12, 16, 18), {}),
        ("WaveletPacketND", (3, 16, 12), {"axes": (2, 1)}),
    ],
)
def test_levels_and_their_orders(cls, shape, extra, dtype):
    ours, theirs = pair(cls, draw(shape, dtype), "db2", "reflect", 2, **extra)
    assert ours.maxlevel == theirs.maxlevel == 2
    for level in (0, 1, 2):
        for order in ("natural",) if cls == "WaveletPacketND" else ("natural", "freq"):
            if level == 0 and order == "freq":
                continue
            args = () if cls == "WaveletPacketND" else (order,)
            got, expected = ours.get_level(level, *args), theirs.get_level(level, *args)
            assert [n.path for n in flat(got)] == [n.path for n in flat(expected)]
            for a, b in zip(flat(got), flat(expected), strict=True):
                assert_close(a.data, b.data)


def test_three_axes_by_frequency():
    tree = prw.WaveletPacketND(draw((8, 8, 8)), "haar")
    lists = tree.get_level(2, order="freq")
    assert (len(lists), len(lists[0]), len(lists[0][0])) == (4, 4, 4)
    assert [node.path for node in lists[0][0]] == ["aaaaaa", "aaaaad", "aadaad", "aadaaa"]


@pytest.mark.parametrize("mode", prw.modes)
def test_paths_and_reconstruction_in_every_mode(mode):
    x = draw((37,))
    ours, theirs = pair("WaveletPacket", x, "sym3", mode, 3)
    for path in ("a", "d", "ad", "dda"):
        assert_close(ours[path].data, theirs[path].data)
    ours["da"].data = theirs["da"].data = theirs["da"].data * 2
    ours["ad"] = theirs["aa"].data
    theirs["ad"] = theirs["aa"].data
    del ours["aa"], theirs["aa"]
    assert_close(ours.reconstruct(update=False), theirs.reconstruct(update=False))


def test_tree_from_its_leaves():
    x = draw((24, 32))
    tree = prw.WaveletPacket2D(x, "bior2.2", "periodization", maxlevel=2)
    new = prw.WaveletPacket2D(None, "bior2.2", "periodization", maxlevel=2)
    for leaf in tree.get_leaf_nodes(decompose=True):
        new[leaf.path] = leaf.data
    assert new.is_empty and new.has_any_subnode
    assert_close(new.reconstruct(), x)
    assert_close(new.data, x)
    odd = prw.WaveletPacket(None, "db2", maxlevel=2)
    for leaf in prw.WaveletPacket(x[0, :23], "db2", maxlevel=2).get_level(2):
        odd[leaf.path] = leaf
    assert_close(odd.reconstruct()[:23], x[0, :23])


def test_nodes():
    tree = prw.WaveletPacket(draw((32,)), "haar")
    assert tree.a is None and not tree.has_any_subnode and tree.get_subnode("a", False) is None
    node = tree["a", "d"]
    assert (node.path, node.level, node.node_name) == ("ad", 2, "d")
    assert node.parent is tree.a and tree["ad"] is node and tree.a.d is node
    assert node.path_tuple == ("a", "d") and node.maxlevel == 5
    assert [n.path for n in tree.d.decompose()] == ["da", "dd"]
    seen = []
    tree.walk(lambda n: seen.append(n.path) or n.level < 2, decompose=False)
    assert seen == ["", "a", "aa", "ad", "d", "da", "dd"]
    after = []
    tree.walk_depth(lambda n: after.append(n.path), decompose=False)
    assert after == ["aa", "ad", "a", "da", "dd", "d", ""]
    del tree["ad"]
    assert [n.path for n in tree.get_level(2, decompose=False)] == ["aa", "da", "dd"]
    assert [n.path for n in tree.get_level(2, "freq", False)] == ["aa", "dd", "da"]
    assert [n.path for n in tree.get_leaf_nodes()] == ["aa", "da", "dd"]
    again = pickle.loads(pickle.dumps(tree))
    assert np.array_equal(again["da"].data, tree["da"].data)


def test_deleted_bands_are_zeros_and_made_anew_on_demand():
    x = draw((32,))
    tree = prw.WaveletPacket(x, "db2", "periodization", 1)
    low, high = tree["a"].data, tree["d"].data
    del tree["d"]
    smooth = tree.reconstruct(update=False)
    assert_close(smooth, prw.idwt(low, None, "db2", "periodization"))
    assert_close(tree["d"].data, high)
    assert_close(tree.reconstruct(), x)


def test_level_in_one_batch_equals_node_by_node():
    x = draw((40, 24), np.float32)
    batched = prw.WaveletPacket2D(x, "coif1", maxlevel=2).get_level(2)
    tree = prw.WaveletPacket2D(x, "coif1", maxlevel=2)
    for node in batched:
        assert_close(tree[node.path].data, node.data)


@settings(max_examples=15, deadline=None)
@given(
    shape=st.lists(st.integers(6, 20), min_size=1, max_size=3),
    name=st.sampled_from(("haar", "db3", "bior2.2", "coif1")),
    mode=st.sampled_from(prw.modes),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 2**16),
)
def test_perfect_reconstruction_from_any_pruned_tree(shape, name, mode, dtype, seed):
    x, rng = draw(shape, dtype, seed), np.random.default_rng(seed)
    tree = prw.WaveletPacketND(x, name, mode, maxlevel=2)
    largest = max(np.abs(node.data).max() for node in tree.get_level(2))
    for node in tree.get_level(1):
        if rng.random() < 0.5:
            for part in list(node._subnodes):
                del node[part]
    back = tree.reconstruct(update=False)
    limit = 5e-6 if np.finfo(dtype).eps > 1e-10 else 1e-11
    assert np.abs(back - x).max() <= limit * max(1.0, np.abs(x).max(), largest)


def entropy(data, total):
    share = np.abs(data[data != 0]) ** 2 / total
    return -np.sum(share * np.log(share))


def test_best_basis_is_the_cheapest_of_all_trees():
    t = np.arange(64)
    x = np.sin(1.5 * t + t**2 / 60) + 2 * (t == 20)
    reference = pywt.WaveletPacket(x, "db2", "periodization", 3)

    def cheapest(node):
        own = entropy(node.data, np.sum(x**2)), [node.path]
        if node.level == 3:
            return own
        below = [cheapest(node[part]) for part in "ad"]
        parted = sum(cost for cost, _ in below), below[0][1] + below[1][1]
        return min(own, parted, key=lambda choice: choice[0])

    cost, paths = cheapest(reference)
    tree = prw.WaveletPacket(x, "db2", "periodization", 3)
    leaves = tree.best_basis()
    assert [leaf.path for leaf in leaves] == paths and 1 < len(paths) < 8
    assert sum(entropy(leaf.data, np.sum(x**2)) for leaf in leaves) == pytest.approx(cost)
    assert_close(tree.reconstruct(), x)
    # A tone that one band of the deepest level holds, and a spike that no split makes sparser.
    spike = prw.WaveletPacket(np.eye(1, 64, 20).ravel(), "haar", "periodization", 4)
    assert [leaf.path for leaf in spike.best_basis(lambda c: np.count_nonzero(c))] == [""]
    for name in ("l1", "log_energy"):
        other = prw.WaveletPacket(x, "db2", "periodization", 3)
        other.best_basis(name, level=2)
        assert_close(other.reconstruct(), x)


def test_bad_input_70_to_75_packets():
    x = draw((16, 20))
    with pytest.raises(ShapeError, match="empty"):
        prw.WaveletPacket(np.zeros((0, 4)), "haar", axis=0, maxlevel=1)["a"]
    tree = prw.WaveletPacket2D(x, "db2")
    with pytest.raises(DataError, match="level is 3, but the tree has at most 2"):
        tree.get_level(3)
    with pytest.raises(IndexError, match="'aaa', 3 levels deep.* at most 2"):
        tree["aaa"]
    with pytest.raises(DataError, match="the deepest of its tree"):
        tree["aa"].decompose()
    with pytest.raises(DataError, match="did you mean"):
        prw.WaveletPacket2D(x, "db39")
    with pytest.raises(DataError, match=r"'x' is none of the bands \['a', 'h', 'v', 'd'\]"):
        tree["ax"]
    with pytest.raises(DataError, match="expected a string"):
        tree[3]
    with pytest.raises(ShapeError, match=r"shape"):
        tree["h"] = x[:3]
        tree.reconstruct()
    with pytest.raises(DataError, match=r"1 NaN or Inf.*\(1, 2\)"):
        bad = x.copy()
        bad[1, 2] = np.nan
        prw.WaveletPacketND(bad, "haar")
    with pytest.raises(DataError, match="1 NaN"):
        tree["h"] = np.array([[np.nan]])
    with pytest.raises(DataError, match="two axes"):
        prw.WaveletPacket2D(x, "haar", axes=(0,))
    with pytest.raises(DataError, match="needs them"):
        prw.WaveletPacketND(None, "haar")
    with pytest.raises(DataError, match="no node"):
        prw.WaveletPacket(None, "haar")["a"]
    with pytest.raises(DataError, match="no node below"):
        empty = prw.WaveletPacket(None, "haar", maxlevel=2)
        empty["aa"] = np.ones(4)
        empty["aa"].data = None
        empty.reconstruct()
    with pytest.raises(DataError, match="basis"):
        prw.WaveletPacket(None, "haar").best_basis()
    with pytest.raises(DataError, match="order is 'sequency'"):
        prw.WaveletPacket(x, "haar").get_level(1, "sequency")


def test_packets_parity(device):
    x = draw((6, 20, 12), np.float32)
    expected = prw.WaveletPacketND(x, "db2", axes=(1, 2), maxlevel=2)
    with device:
        tree = prw.WaveletPacketND(device.array(x), "db2", axes=(1, 2), maxlevel=2)
        for node in expected.get_level(2):
            assert_close(device.numpy(tree[node.path].data), node.data)
        back = device.numpy(tree.reconstruct())
    assert_close(back, x)
