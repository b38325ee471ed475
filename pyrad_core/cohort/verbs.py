"""The verbs a cohort can run: which columns they read, and how options become a command line."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
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
    ``modules`` are what takes long to load; workers do that before the first case.
    """

    words: tuple[str, ...]
    inputs: Mapping[str, tuple[str, ...]]
    leaves: str
    paths: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()

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

    def run(self, words: Sequence[str], paths: Sequence[str]) -> None:
        """The command with these options and arguments; options are parsed once for many cases."""
        command = self.command
        given = dict(_parsed(self.name, tuple(words)))
        names = [str(p.name) for p in command.params if isinstance(p, click.Argument)]
        if len(names) == 1:
            given[names[0]] = tuple(map(Path, paths))
        else:
            given |= zip(names, map(Path, paths), strict=True)
        assert command.callback is not None
        command.callback(**given)

    def _check(self, words: list[str]) -> None:
        try:
            _parsed(self.name, tuple(words))
        except click.ClickException as error:
            raise DataError(f"{self.name}: {error.format_message()}") from None


@functools.lru_cache(maxsize=16)
def _parsed(name: str, words: tuple[str, ...]) -> dict[str, Any]:
    """Parameters of a command, from its options and stand-ins for its arguments."""
    verb = VERBS[name]
    places = ["input"] * len(verb.inputs) + ([] if verb.leaves == "values" else ["output"])
    return verb.command.make_context(name, [*words, *places]).params


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

_FEATURES = ("pyrad_core.features", "pyrad_core.filters", "nibabel", "scipy.spatial")

VERBS = {
    verb.name: verb
    for verb in (
        Verb(("features",), {"image": _IMAGE, "mask": _MASK}, "values", modules=_FEATURES),
        Verb(("maps",), {"image": _IMAGE, "mask": _MASK}, "folder", modules=_FEATURES),
        Verb(("denoise",), {"image": _IMAGE}, "image", ("mask",), ("pyrad_core.denoise",)),
        Verb(
            ("recon", "ct"), {"input": _RAW}, "image", ("geometry", "beam_hardening"),
            ("pyrad_core.ct",),
        ),
        Verb(
            ("recon", "mr"), {"input": _RAW}, "image", ("coordinates", "b0"), ("pyrad_core.mr",)
        ),
    )
}  # fmt: skip
