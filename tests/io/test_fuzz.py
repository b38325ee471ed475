"""Damaged files: whatever bytes change, a reader answers or raises a PyradError, and never gives
more than its cap. ``tests/fuzz_readers.py`` does the same for as long as one likes."""

import importlib.util
import random
import warnings

import pytest
from fuzz_seeds import FORMATS, mutated
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyrad_core.errors import PyradError

CAP = 1_000_000
FUZZ = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


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
@FUZZ
@given(seed=st.integers(0, 2**32 - 1))
def test_damaged(whole, name, seed):
    kind = FORMATS[name]
    missing = [n for n in kind.needs if importlib.util.find_spec(n) is None]
    if missing:
        pytest.skip(f"{missing[0]} is not installed")
    path, given, content = whole(name)
    path.write_bytes(mutated(content, random.Random(seed)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = kind.reader(given, max_bytes=CAP)
        except PyradError as error:
            assert str(error)
            return
    data = getattr(found, "data", None)
    assert data is None or data.nbytes <= 4 * CAP


@FUZZ
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


def test_whole_files_are_read(whole):
    for name, kind in FORMATS.items():
        if all(importlib.util.find_spec(n) for n in kind.needs):
            path, given, content = whole(name)
            path.write_bytes(content)
            assert kind.reader(given, max_bytes=CAP) is not None, name
