"""Small products without BLAS's own threads."""

from __future__ import annotations

import contextlib
import functools
from contextlib import AbstractContextManager
from typing import Any

__all__ = ["one_blas_thread"]

_SMALL = 1 << 20  # elements of a matrix; below, waking threads costs more than they save


@functools.cache
def _controller() -> Any:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()


def one_blas_thread(elements: int) -> AbstractContextManager:
    """Where threadpoolctl is installed, BLAS runs on one thread for a matrix of few elements.

    OpenBLAS's threads spin while they wait for each other, which on a busy machine makes small
    problems slower, not faster.
    """
    controller = _controller() if elements <= _SMALL else None
    if controller is None:
        return contextlib.nullcontext()
    return controller.limit(limits=1, user_api="blas")
