"""The verbs a cohort can run: which columns they read, and how options become a command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from .. import _checks
from ..cli import program
from ..errors import DataError
from ..io.cases import COLUMNS

__all__ = ["VERBS", "Verb", "normal_name"]

# Options that belong to the whole run or to its layout, never to a case.
_OWN = (
    *("force", "quiet", "debug", "as_json", "threads", "case", "provenance", "preview"),
    *("sigma_output", "removed_output"),
)
_OWN_OF_FEATURES = (*_OWN, "settings", "preset", "all_labels")


@dataclass(frozen=True)
class Verb:
    """One verb: its words, the columns with its inputs, and what it leaves.

    ``leaves`` is "values" (a row of numbers), "image" (a file) or "folder".
    ``paths`` are options whose values are files, which count as inputs of the case.
    """

    words: tuple[str, ...]
    inputs: Mapping[str, tuple[str, ...]]
    leaves: str
    paths: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return " ".join(self.words)

    @property
    def takes_settings(self) -> bool:
        """Whether ``settings`` are those of features, or the options of the verb."""
        return "mask" in self.inputs

    @property
    def command(self) -> click.Command:
        found: click.Command = program
        for word in self.words:
            assert isinstance(found, click.Group)
            context = click.Context(found)
            found = found.get_command(context, word)  # type: ignore[assignment]
        return found

    def options(self) -> dict[str, click.Option]:
        """Name -> option, of those that a case may have."""
        own = _OWN_OF_FEATURES if self.takes_settings else _OWN
        return {
            str(p.name): p
            for p in self.command.params
            if isinstance(p, click.Option) and p.name not in own
        }

    def arguments(self, given: Mapping[str, Any]) -> list[str]:
        """Options as words of a command line; unknown names and wrong values are errors."""
        known = self.options()
        spelled = {normal_name(name): value for name, value in given.items()}
        by_flag = {normal_name(flag): name for name, p in known.items() for flag in p.opts}
        _checks.known_names(f"option of {self.name}", spelled, {**by_flag, **known})
        words: list[str] = []
        for name, value in spelled.items():
            words += _words(known[by_flag.get(name, name)], value)
        self._check(words)
        return words

    def _check(self, words: list[str]) -> None:
        places = ["input"] * len(self.inputs) + ([] if self.leaves == "values" else ["output"])
        try:
            self.command.make_context(self.name, [*words, *places])
        except click.ClickException as error:
            raise DataError(f"{self.name}: {error.format_message()}") from None


def normal_name(name: str) -> str:
    """An option's name as Python spells it: ``--max-bytes`` is max_bytes."""
    return name.strip().lower().lstrip("-").replace("-", "_")


def _words(option: click.Option, value: Any) -> list[str]:
    """One option as the command line has it; a mapping repeats it as NAME=VALUE."""
    flag = max(option.opts, key=len)
    if option.is_flag:
        if isinstance(value, str):
            value = value.strip().lower() in ("1", "true", "yes", "on")
        if value:
            return [flag]
        return [max(option.secondary_opts, key=len)] if option.secondary_opts else []
    if isinstance(value, Mapping):
        return [word for name, item in value.items() for word in (flag, f"{name}={item}")]
    values = value if option.multiple and isinstance(value, (list, tuple)) else [value]
    return [word for item in values for word in (flag, str(item))]


_IMAGE, _MASK = (*COLUMNS["image"], "input"), COLUMNS["mask"]
_RAW = ("input", "path", "file", "raw", "projections", "kspace")

VERBS = {
    verb.name: verb
    for verb in (
        Verb(("features",), {"image": _IMAGE, "mask": _MASK}, "values"),
        Verb(("maps",), {"image": _IMAGE, "mask": _MASK}, "folder"),
        Verb(("denoise",), {"image": _IMAGE}, "image", ("mask",)),
        Verb(("recon", "ct"), {"input": _RAW}, "image", ("geometry", "beam_hardening")),
        Verb(("recon", "mr"), {"input": _RAW}, "image", ("coordinates", "b0")),
    )
}
