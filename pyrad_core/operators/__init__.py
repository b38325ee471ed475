"""Linear operators: the matched forward/adjoint pairs that solvers, CT and MR share."""

from .base import LinearOperator, as_operator
from .basic import Diagonal, FiniteDifference, FromFunctions, Identity, Stack

__all__ = [
    "Diagonal",
    "FiniteDifference",
    "FromFunctions",
    "Identity",
    "LinearOperator",
    "Stack",
    "as_operator",
]
