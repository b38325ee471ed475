"""``pyrad-core recon mr``: k-space to an image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .common import PATH, Run, max_bytes_option, preview_option, verb

_METHODS = ("sos", "espirit", "cg-sense", "gridding")
_ENDINGS = (".nii", ".nii.gz", ".nrrd", ".mha", ".npy")


@click.command("mr")
@click.argument("input", type=PATH)
@click.argument("output", type=PATH)
@click.option(
    "--method",
    type=click.Choice(_METHODS),
    help="Default: espirit (coil maps) for full k-space, cg-sense otherwise.",
)
@click.option(
    "--iterations",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="Of cg-sense.",
)
@click.option(
    "--regularization",
    type=float,
    help="Tikhonov weight of cg-sense; default 0.01, for non-Cartesian data 0.05.",
)
@click.option(
    "--calibration",
    type=click.IntRange(8),
    default=24,
    show_default=True,
    help="Side of the centre that ESPIRiT uses.",
)
@click.option(
    "--size",
    type=click.IntRange(8),
    metavar="N",
    help="Image side of non-Cartesian data; default the file's.",
)
@click.option(
    "--coordinates",
    type=PATH,
    metavar="FILE",
    help="Trajectory (.npy or BART), where the file has none.",
)
@click.option(
    "--complex", "keep_complex", is_flag=True, help="Write the complex image, not its magnitude."
)
@preview_option
@max_bytes_option
@verb
def command(run: Run, input: Path, output: Path, **options: Any) -> None:
    """Reconstruct the k-space INPUT into the image OUTPUT."""
    run.claim(output, input, endings=_ENDINGS)
    preview = options["preview"]
    if preview is not None:
        run.claim(preview, input, endings=(".png",))
    import numpy as np

    from ..io import read_kspace, write_image

    scan = read_kspace(input, coordinates=options["coordinates"], max_bytes=options["max_bytes"])
    run.log(f"read {scan.header['format']}: {' x '.join(scan.axes)} = {scan.data.shape}")
    from ._mr_chain import reconstruct

    image, method = reconstruct(run, scan, options)
    run.log("reconstructed")
    image = image if options["keep_complex"] else np.abs(image)
    spacing = _spacing(scan, image)
    write_image(output, image, spacing=spacing)
    if preview is not None:
        from ..plot import preview as picture

        picture(image, preview, spacing=spacing, title=f"{input.name}: {method}", planes=None)
    run.report(
        {
            "output": output,
            "method": method,
            "shape": tuple(image.shape),
            "spacing": spacing,
            "coils": scan.data.shape[0],
        }
    )


def _spacing(scan: Any, image: Any) -> tuple[float, ...]:
    """mm of the written axes; slices of a 2-D scan are one slice thickness apart."""
    known = scan.spacing
    if known is None or len(known) > image.ndim:
        return (1.0,) * min(image.ndim, 3)
    missing = min(image.ndim, 3) - len(known)
    return (float(scan.header.get("slice_thickness") or 1.0),) * missing + tuple(known)
