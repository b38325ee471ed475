"""Iterative solvers, one set for CT and MR: ``solver(A, y, *, iterations, ...) -> Result``.

All of them take NumPy or CuPy arrays, real or complex, start from ``x0`` (never written to) or
zero, stop after ``iterations``, at ``tolerance``, or when ``callback(k, x, residual)`` returns
True. The callback sees the live iterate: copy it to keep it. Scalar products run in double
precision whatever the arrays' precision.
"""

from .admm import admm
from .asd_pocs import asd_pocs
from .cg import cg, cgls
from .fista import fista, pogm
from .lsqr import lsqr
from .mlem import mlem, osem
from .os_sqs import os_sqs
from .pdhg import pdhg
from .result import Result
from .sirt import os_sart, sart, sirt

__all__ = [
    "Result",
    "admm",
    "asd_pocs",
    "cg",
    "cgls",
    "fista",
    "lsqr",
    "mlem",
    "os_sart",
    "os_sqs",
    "osem",
    "pdhg",
    "pogm",
    "sart",
    "sirt",
]
