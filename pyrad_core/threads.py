"""Number of threads the kernels use."""

from __future__ import annotations

from ._checks import whole
from ._kernels.select import cpu_kernels

__all__ = ["num_threads", "set_num_threads"]


class _Restore:
    """Returned by set_num_threads: as a context manager it puts the former number back."""

    def __init__(self, former: int):
        self._former = former

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        cpu_kernels().set_num_threads(self._former)


def set_num_threads(n: int) -> _Restore:
    """Use n threads in every kernel from now on, or within a ``with`` block.

    The default is the number of usable processors (affinity, cgroup quota), unless
    ``PYRAD_NUM_THREADS`` or ``OMP_NUM_THREADS`` says otherwise. Not to be changed while another
    Python thread runs a kernel: kernels size their scratch memory by it when they start.
    """
    former = num_threads()
    cpu_kernels().set_num_threads(whole("n", n, 1))
    return _Restore(former)


def num_threads() -> int:
    """Threads that kernels use."""
    return int(cpu_kernels().num_threads())
