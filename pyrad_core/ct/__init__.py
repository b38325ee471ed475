"""Computed tomography: line integrals, reconstruction, and what comes before it."""

from .fbp import fbp
from .projector import Projector

__all__ = ["Projector", "fbp"]
