"""``pyrad-core denoise``: remove noise from an image or a series of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ._denoise_methods import METHODS
from .common import PATH, Run, gpu_option, max_bytes_option, preview_option, verb

_ENDINGS = (".nii", ".nii.gz", ".nrrd", ".mha", ".npy")
_METHODS = "\n".join(f"  {name:<22}{method.says}" for name, method in METHODS.items())


@click.command(
    "denoise",
    epilog=f"\b\nMethods:\n{_METHODS}\n\nTheir further arguments (--option) are those of "
    "pyrad_core.denoise.",
)
@click.argument("input", type=PATH)
@click.argument("output", type=PATH)
@click.option(
    "--method",
    type=click.Choice(list(METHODS)),
    metavar="NAME",
    default="nlm",
    show_default=True,
    help="One of the methods below.",
)
@click.option(
    "--sigma",
    type=float,
    help="Noise standard deviation, from which the strength of most methods follows; default "
    "estimated from each volume.",
)
@click.option(
    "--weight",
    type=float,
    help="Weight of tv and tgv, in intensity times mm; default the noise standard deviation times "
    "the smallest voxel size.",
)
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="Any further argument of the method, e.g. search=13.",
)
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="NAME=FILE",
    help="An argument of the method that is an image, e.g. a noise map: sigma=noise.nii.gz.",
)
@click.option("--mask", type=PATH, help="Where to filter (not 0); the rest stays as it is.")
@click.option(
    "--slices", is_flag=True, help="Filter each slice by itself (thick or distant slices)."
)
@click.option(
    "--sigma-output", type=PATH, metavar="FILE", help="Also write the noise map of the method."
)
@click.option(
    "--removed-output", type=PATH, metavar="FILE", help="Also write what was taken off the image."
)
@gpu_option
@preview_option
@max_bytes_option
@verb
def command(run: Run, input: Path, output: Path, **given: Any) -> None:
    """Denoise INPUT (.nii, .nii.gz, .nrrd, .mha, .npy, DICOM; 2D, 3D or a 4D series) into OUTPUT.

    Series are filtered volume by volume, but by methods that make use of all volumes together.
    """
    outputs = {"image": output, "sigma": given["sigma_output"], "removed": given["removed_output"]}
    inputs = [input, *filter(None, [given["mask"]])]
    targets = [path for path in outputs.values() if path is not None]
    for path in targets:
        run.claim(path, *inputs, endings=_ENDINGS)
    if given["preview"] is not None:
        run.claim(given["preview"], *inputs, endings=(".png",))
    if len({path.absolute() for path in targets}) < len(targets):
        raise click.UsageError("two outputs have the same name")
    name = given["method"]
    if given["sigma_output"] is not None and "sigma" not in METHODS[name].outputs:
        have = ", ".join(key for key, method in METHODS.items() if "sigma" in method.outputs)
        raise click.UsageError(f"{name} makes no noise map for --sigma-output ({have or 'none'})")

    from ..io import write_image
    from ._denoise_run import Job

    job = Job.read(run, input, name, given)
    result = job.filtered(run)
    for key, path in outputs.items():
        if path is not None:
            write_image(path, result[key], affine=job.image.affine)
    if given["preview"] is not None:
        before_and_after(job.image, result["image"], given["preview"], name)
    run.report({"output": output, **job.summary(result)})


def before_and_after(image: Any, result: Any, path: Path, title: str) -> None:
    """Middle slices before and after (of the middle volume), and what was removed."""
    from dataclasses import replace

    import numpy as np

    from .. import plot

    def shown(data: Any) -> Any:
        volume = np.asarray(data[len(data) // 2] if data.ndim == 4 else data)
        volume = np.abs(volume) if volume.dtype.kind == "c" else volume.astype(np.float64)
        return plot.middle_slice(replace(image, data=volume))

    before, after = shown(image.data), shown(result)
    low, high = (float(v) for v in np.percentile(before, (0.5, 99.5)))
    removed = before - after
    spread = float(np.std(removed)) or 1.0
    steps = plot.shown_spacing(image)
    common: dict[str, Any] = {"aspect": steps[0] / steps[1]}
    plot.panels(
        [
            plot.Panel(before, "before", window=(low, high), **common),
            plot.Panel(after, title, window=(low, high), **common),
            plot.Panel(
                removed, "removed", f"standard deviation {spread:.4g}", (-3 * spread, 3 * spread),
                bar="", **common,
            ),
        ],
        path,
    )  # fmt: skip
