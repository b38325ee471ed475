"""Fixtures of the denoising tests."""

from __future__ import annotations

import pytest

import pyrad_core as prc


@pytest.fixture
def thread_count():
    """Puts the number of threads back after a test that changes it."""
    before = prc.num_threads()
    yield before
    prc.set_num_threads(before)
