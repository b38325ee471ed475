"""One verb of the program over a table of cases, on the processors of one machine or of many."""

from .outcome import Outcome
from .run import run

__all__ = ["Outcome", "run"]
