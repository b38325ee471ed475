"""``pyrad-core maps``: voxel-wise feature maps (heat maps) of an image and a mask."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from ..errors import DataError
from .common import (
    PATH,
    Run,
    gpu_option,
    max_bytes_option,
    on_device,
    only_one_of,
    preview_option,
    region_option,
    verb,
)
from .features import load_settings

_SHOWN = 7  # maps on the picture
_FAMILIES = ("first_order", "glcm", "glrlm", "glszm", "ngtdm", "ngldm")


@click.command("maps")
@click.argument("image", type=PATH)
@click.argument("mask", type=PATH)
@click.argument("outdir", type=PATH)
@click.option("--family", type=click.Choice(_FAMILIES), default="glcm", show_default=True)
@click.option("--features", metavar="NAME,...", help="Features of the family; default all.")
@click.option(
    "--radius", type=click.IntRange(1), default=1, show_default=True, help="Kernel radius, voxels."
)
@click.option("--settings", metavar="YAML|PRESET", help="A settings file, or ibsi, pyradiomics.")
@click.option(
    "--label",
    type=int,
    metavar="N",
    help="Value of the region in the mask.  [default: 1]",
)
@region_option
@gpu_option
@preview_option
@max_bytes_option
@verb
def command(
    run: Run,
    image: Path,
    mask: Path,
    outdir: Path,
    family: str,
    features: str | None,
    radius: int,
    settings: str | None,
    label: int | None,
    region: str | None,
    gpu: bool,
    preview: Path | None,
    max_bytes: int | None,
) -> None:
    """Feature maps of IMAGE inside MASK, one NIfTI file per feature in OUTDIR."""
    if outdir.exists() and not outdir.is_dir():
        raise DataError(f"{outdir} is a file; name a folder")
    only_one_of(label, region)
    if preview is not None:
        run.claim(preview, image, mask, endings=(".png",))
    from ..io import read_image, read_mask, write_image
    from ..io.files import safe_name

    names = [n.strip() for n in features.split(",") if n.strip()] if features else None
    picture = read_image(image, max_bytes=max_bytes)
    inside = read_mask(mask, picture, region=region, max_bytes=max_bytes)
    run.log(f"read {picture.data.shape}")
    from .._kernels.select import host_array
    from ..features import maps

    chosen = load_settings(settings)
    pair = (replace(held, data=on_device(held.data, gpu)) for held in (picture, inside))
    common = {"radius": radius, "settings": chosen, "label": 1 if label is None else label}
    found = maps(*pair, family=family, features=names, **common)
    found = {name: host_array(values) for name, values in found.items()}
    run.log(f"{len(found)} map{'s' * (len(found) != 1)}")
    outdir.mkdir(parents=True, exist_ok=True)
    targets = {name: run.claim(outdir / f"{safe_name(name)}.nii.gz", image, mask) for name in found}
    for name, values in found.items():
        write_image(targets[name], values, affine=picture.affine)
    if preview is not None:
        from ..plot import heat_sheet

        shown = {name.rpartition("_")[2]: values for name, values in list(found.items())[:_SHOWN]}
        title = f"{image.name}: {family}, radius {radius}"
        heat_sheet(picture, shown, preview, title=title)
        if len(found) > _SHOWN:
            run.log(f"{preview.name} shows the first {_SHOWN} of {len(found)} maps")
    run.report({name: path for name, path in targets.items()})
