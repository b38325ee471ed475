"""``pyrad-core denoise``: remove noise from an image."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import click

from .._checks import known_names
from .common import PATH, Run, max_bytes_option, preview_option, verb

_METHODS = ("nlm", "tv", "tgv")
_OURS = ("image", "sigma", "weight", "out", "return_info")
_ENDINGS = (".nii", ".nii.gz", ".nrrd", ".mha", ".npy")


@click.command("denoise")
@click.argument("input", type=PATH)
@click.argument("output", type=PATH)
@click.option("--method", type=click.Choice(_METHODS), default="nlm", show_default=True)
@click.option(
    "--sigma", type=float, help="Noise standard deviation; default estimated from the image."
)
@click.option(
    "--weight", type=float, help="Weight of TV and TGV; default the noise standard deviation."
)
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="Any further argument of the method, e.g. search=13.",
)
@preview_option
@max_bytes_option
@verb
def command(
    run: Run,
    input: Path,
    output: Path,
    method: str,
    sigma: float | None,
    weight: float | None,
    options: tuple[str, ...],
    preview: Path | None,
    max_bytes: int | None,
) -> None:
    """Denoise INPUT (.nii, .nii.gz, .nrrd, .mha, .npy, DICOM) into OUTPUT."""
    run.claim(output, input, endings=_ENDINGS)
    if preview is not None:
        run.claim(preview, input, endings=(".png",))
    from ..io import read_image, write_image

    image = read_image(input, max_bytes=max_bytes)
    run.log(f"read {image.data.shape} of {image.data.dtype}")
    from .. import denoise

    arguments = dict(_option(text) for text in options)
    accepted = inspect.signature(getattr(denoise, method)).parameters
    known_names(f"option of {method}", arguments, [n for n in accepted if n not in _OURS])
    given = weight if method != "nlm" and weight is not None else sigma
    if given is None:
        given = float(denoise.estimate_sigma(image.data))
        run.log(f"estimated sigma {given:.4g}")
    arguments["sigma" if method == "nlm" else "weight"] = given
    result = getattr(denoise, method)(image.data, **arguments)
    run.log(f"{method} done")
    write_image(output, result, affine=image.affine)
    if preview is not None:
        before_and_after(image, result, preview, method)
    run.report({"output": output, "method": method, **arguments, "shape": result.shape})


def _option(text: str) -> tuple[str, Any]:
    """``name=value`` with numbers as numbers."""
    import ast

    name, found, value = text.partition("=")
    if not found or not name.isidentifier():
        raise click.BadParameter(f"{text!r}; expected NAME=VALUE", param_hint="--option")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def before_and_after(image: Any, result: Any, path: Path, title: str) -> None:
    """Middle slices before and after, and what was removed."""
    from dataclasses import replace

    import numpy as np

    from .. import plot

    before = plot.middle_slice(image)
    after = plot.middle_slice(replace(image, data=np.asarray(result, dtype=np.float64)))
    low, high = (float(v) for v in np.percentile(before, (0.5, 99.5)))
    removed = before - after
    spread = 3 * float(np.std(removed)) or 1.0
    plot.panels(
        [
            plot.Panel(before, "before", window=(low, high)),
            plot.Panel(after, title, window=(low, high)),
            plot.Panel(removed, "removed", window=(-spread, spread), bar=""),
        ],
        path,
    )
