"""Iterative solvers, one set for CT and MR: ``solver(A, y, *, iterations, ...) -> Result``.

All of them take NumPy or CuPy arrays, real or complex, start from ``x0`` (never written to) or
zero, stop after ``iterations``, at ``tolerance``, or when ``callback(k, x, residual)`` returns
True. The callback sees the live iterate: copy it to keep it. Scalar products run in double
precision whatever the arrays' precision.
"""

from .admm import admm
from .cg import cg, cgls
from .fista import fista, pogm
from .lsqr import lsqr
from .mlem import mlem, osem
from .pdhg import pdhg
from .result import Result
from .sirt import os_sart, sirt

__all__ = [
    "Result",
    "admm",
    "cg",
    "cgls",
    "fista",
    "lsqr",
    "mlem",
    "os_sart",
    "osem",
    "pdhg",
    "pogm",
    "sirt",
]
