"""An option's value that is a name out of lists kept elsewhere in the package."""

from __future__ import annotations

import importlib
from typing import Any

import click

__all__ = ["Names"]


class Names(click.ParamType):
    """One of the names in a module's lists; they are imported when a name is given."""

    name = "name"

    def __init__(self, what: str, module: str, *lists: str):
        self.what, self.module, self.lists = what, module, lists

    def convert(self, value: Any, parameter: Any, context: Any) -> str:
        module = importlib.import_module(self.module)
        names = [name for names in self.lists for name in getattr(module, names)]
        text, _, _ = str(value).partition(":")
        if text not in names:
            self.fail(f"{value!r} is no {self.what}; accepted are {', '.join(names)}")
        return str(value)
