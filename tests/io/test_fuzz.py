"""Damaged files: whatever bytes change, a reader answers or raises a PyradError, and never gives
more than its cap. ``tests/fuzz_readers.py`` does the same for as long as one likes."""

import importlib.util
import random
import warnings

import pytest
from fuzz_damage import any_bytes
from fuzz_formats import FORMATS
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pyrad_core.errors import PyradError

CAP = 1_000_000
SLOW = {"seg": 3, "rtstruct": 5, "dicom series": 5, "dicom ct-pd": 5}  # files, else 8


def damaged_files(name, content):
    """Strategy: damaged files of a format, by its structure or at random.

    HDF5's own library makes the damaged files of its formats and may die of it, so that they are
    made by another process (``fuzz_hdf5.Pool``); here their bytes are changed.
    """
    kind = FORMATS[name]
    damage = any_bytes if "h5py" in kind.needs else kind.damage
    return st.integers(0, 2**32 - 1).map(lambda seed: damage(content, random.Random(seed)))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Format -> (file, what the reader is given, bytes), written once."""
    made = {}

    def write(name):
        if name not in made:
            path = FORMATS[name].write(tmp_path_factory.mktemp("whole"))
            made[name] = path, FORMATS[name].target(path), path.read_bytes()
        return made[name]

    return write


@pytest.mark.parametrize("name", FORMATS)
def test_damaged(whole, name):
    kind = FORMATS[name]
    missing = [n for n in kind.needs if importlib.util.find_spec(n) is None]
    if missing:
        pytest.skip(f"{missing[0]} is not installed")
    path, target, content = whole(name)
    path.write_bytes(content)
    assert kind.reader(target, max_bytes=CAP) is not None

    @settings(
        max_examples=SLOW.get(name, 8), deadline=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(damaged=damaged_files(name, content))
    def read(damaged):
        path.write_bytes(damaged)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found = kind.reader(target, max_bytes=CAP)
            except PyradError as error:
                assert str(error)
                return
        data = getattr(found, "data", None)
        assert data is None or data.nbytes <= 8 * CAP

    read()


@settings(max_examples=20, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(text=st.text(max_size=60), cut=st.integers(0, 16))
def test_bart_headers(tmp_path, text, cut):
    (tmp_path / "a.cfl").write_bytes(bytes(64 - cut))
    (tmp_path / "a.hdr").write_text("# Dimensions\n" + text, errors="replace")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            FORMATS["bart"].reader(tmp_path / "a.cfl", max_bytes=CAP)
        except PyradError as error:
            assert str(error)
