"""``pyrad-core recon ct``: projections to a volume."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from .common import PATH, Run, max_bytes_option, preview_option, verb
from .names import Names

_ENDINGS = (".nii", ".nii.gz", ".nrrd", ".mha", ".npy")


@click.command("ct")
@click.argument("input", type=PATH)
@click.argument("output", type=PATH)
@click.option(
    "--method",
    type=Names("method", "pyrad_core.ct.recon", "METHODS", "ALIASES"),
    metavar="NAME",
    help="fbp, fdk or an iterative method (a wrong name lists them). Default: fbp for parallel and "
    "fan scans of half a turn or more, fdk for cones and helices, else cgls.",
)
@click.option("--filter", metavar="NAME", help="Window of fbp and fdk; default ram-lak.")
@click.option("--cutoff", type=float, metavar="PART", help="Of the window, as a part of Nyquist.")
@click.option("--iterations", type=click.IntRange(1), metavar="N", help="Of iterative methods.")
@click.option("--weight", type=float, metavar="W", help="Of the prior, for methods with one.")
@click.option("--subsets", type=click.IntRange(1), metavar="N", help="Of ordered-subset methods.")
@click.option(
    "--start",
    type=click.Choice(["zero", "fbp", "fdk"]),
    help="Image that an iterative method starts from; default zero, for pwls fbp or fdk.",
)
@click.option(
    "--mask-radius", type=float, metavar="MM", help="Voxels farther from the axis stay 0."
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="OPTION=VALUE",
    help="Any other option of the method, for example --set relaxation=0.5.",
)
@click.option(
    "--center",
    default="auto",
    show_default=True,
    metavar="auto|find|none|COLUMN",
    help="Detector column that sees the rotation axis, from 0. find searches, in half a turn of a "
    "parallel beam or a full turn of another; auto does for parallel scans without an offset.",
)
@click.option("--size", type=click.IntRange(8), metavar="N", help="Voxels per side of a slice.")
@click.option(
    "--voxel", type=float, metavar="MM", help="Voxel size; default the pixel at the axis."
)
@click.option("--slice", "thickness", type=float, metavar="MM", help="Slice distance of cones.")
@click.option("--depth", type=float, metavar="MM", help="Extent along z of cones and helices.")
@click.option("--row", metavar="N|A:B", help="Detector rows to use; default all.")
@click.option("--geometry", type=PATH, metavar="YAML", help="Scan geometry; replaces the file's.")
@click.option("--allow-external", type=PATH, metavar="DIR", help="Folder HDF5 links may reach.")
@click.option("--series", metavar="UID", help="Of a DICOM folder that holds several.")
@click.option("--floor", type=float, metavar="T", help="Raise lower transmissions to this.")
@click.option("--bad-pixels", is_flag=True, help="Find and replace bad detector pixels.")
@click.option(
    "--rings",
    type=Names("ring method", "pyrad_core.ct.rings", "METHODS"),
    metavar="NAME",
    help="Remove ring artefacts: sorting, large, unresponsive, all, wavelet_fourier, titarenko.",
)
@click.option(
    "--beam-hardening",
    metavar="C1,C2,...|YAML",
    help="Polynomial of the line integrals, or a file with energies, weights and mu.",
)
@click.option(
    "--metal",
    type=Names("metal method", "pyrad_core.ct.metal", "METHODS"),
    metavar="NAME",
    help="Reduce metal artefacts: li or nmar.",
)
@click.option(
    "--metal-threshold", type=float, metavar="MU", help="Of metal in 1/mm; default 2500 HU."
)
@click.option(
    "--denoise-projections",
    type=float,
    metavar="D",
    help="Smooth by photon statistics; D is the expected difference of neighbours, such as 0.02.",
)
@click.option(
    "--photons", type=float, metavar="N", help="Open beam counts, where the file has none."
)
@click.option("--extend", is_flag=True, help="Continue truncated projections (fbp, fdk).")
@click.option(
    "--hu",
    default="auto",
    show_default=True,
    metavar="auto|none|MU_WATER",
    help="Hounsfield units by water's attenuation in 1/mm; auto uses the file's, where it has one.",
)
@preview_option
@max_bytes_option
@verb
def command(run: Run, input: Path, output: Path, **options: Any) -> None:
    """Reconstruct the projections INPUT (a file or a folder) into the volume OUTPUT.

    Reads Data Exchange and NeXus HDF5, DICOM-CT-PD folders, TIFF stacks, .mat, .npz and .npy.
    Values are attenuation in 1/mm, or Hounsfield units (--hu).
    """
    run.report(recon_file(run, input, output, options))


def recon_file(run: Run, input: Path, output: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Read, reconstruct and write; what the command reports."""
    run.claim(output, input, endings=_ENDINGS)
    if options["preview"] is not None:
        run.claim(options["preview"], input, endings=(".png",))
    from ..errors import DataError
    from ..io import Image, read_projections, write_image

    scan = read_projections(
        input,
        geometry=options["geometry"],
        allow_external=options["allow_external"],
        max_bytes=options["max_bytes"],
        series=options["series"],
    )
    run.log(f"read {scan.header['format']}: projections {scan.data.shape}")
    if scan.geometry is None:
        raise DataError(f"{input} stores no angles; give a geometry by --geometry FILE.yaml")
    from ._ct_chain import reconstruct

    found = reconstruct(run, scan, options)
    image = Image(found.values, found.volume.spacing, found.affine)
    write_image(output, image)
    if options["preview"] is not None:
        from ..plot import preview

        patient = found.unit == "HU"
        deep = image.data.ndim == 3 and 3 * len(image.data) * image.spacing[0] > (
            image.data.shape[1] * image.spacing[1]
        )
        preview(
            image if patient else found.values,
            options["preview"],
            spacing=None if patient else found.volume.spacing,
            window=(-1000.0, 600.0) if patient else None,
            bar="HU" if patient else None,
            title=f"{input.name}: {found.method}",
            planes=None if deep and patient else False,
        )
    return {
        "output": output,
        "method": found.method,
        "shape": tuple(found.values.shape),
        "spacing": tuple(float(s) for s in found.volume.spacing),
        "unit": found.unit,
        **({} if found.center is None else {"center": found.center}),
    }
