"""``pyrad-core recon mr``: k-space to an image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .common import PATH, Run, max_bytes_option, preview_option, verb
from .names import Names

_ENDINGS = (".nii", ".nii.gz", ".nrrd", ".mha", ".npy")


@click.command("mr")
@click.argument("input", type=PATH)
@click.argument("output", type=PATH)
@click.option(
    "--method",
    type=Names("method", "pyrad_core.cli._mr_methods", "METHODS", "ALIASES"),
    metavar="NAME",
    help="sos, adaptive, espirit, grappa, spirit, cg-sense, compressed-sensing, gridding... (a "
    "wrong name lists them). Default: espirit for full k-space, cg-sense otherwise.",
)
@click.option("--iterations", type=click.IntRange(1), metavar="N", help="Of iterative methods.")
@click.option(
    "--regularization",
    type=float,
    metavar="W",
    help="Tikhonov weight of cg-sense; default 0.01, for non-Cartesian data 0.05.",
)
@click.option("--weight", type=float, metavar="W", help="Of the prior of compressed-sensing.")
@click.option("--prior", metavar="NAME", help="Of compressed-sensing: wavelet, tv, tgv or llr.")
@click.option(
    "--coil-maps", metavar="NAME", help="espirit (default), walsh or inati, for methods with maps."
)
@click.option(
    "--calibration",
    type=click.IntRange(4),
    default=24,
    show_default=True,
    help="Side of the sampled centre that maps and kernels are calibrated on, at most.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="OPTION=VALUE",
    help="Any other option of the method, for example --set tolerance=1e-4.",
)
@click.option("--coils", type=click.IntRange(1), metavar="N", help="Compress to N virtual coils.")
@click.option(
    "--whiten/--no-whiten",
    default=True,
    show_default=True,
    help="Whiten the coils with the file's noise scan, where it has one.",
)
@click.option("--keep-oversampling", is_flag=True, help="Keep the whole encoded field of view.")
@click.option(
    "--ghost",
    type=click.Choice(["auto", "navigator", "entropy", "both", "none"]),
    default="auto",
    show_default=True,
    help="Nyquist ghost of EPI: by navigators, by the image's entropy, or one after the other.",
)
@click.option(
    "--ghost-order",
    type=click.IntRange(1, 8),
    default=1,
    show_default=True,
    help="Of the polynomial that the navigators' phase is fitted by.",
)
@click.option("--gradient-delay", is_flag=True, help="Estimate and correct delays of spokes.")
@click.option(
    "--partial-fourier",
    type=click.Choice(["homodyne", "pocs"]),
    help="Fill what was not measured on one side of k-space.",
)
@click.option(
    "--window",
    type=Names("window", "pyrad_core.mr.window", "WINDOWS"),
    metavar="NAME[:P]",
    help="Against Gibbs ringing: hann, hamming, tukey:0.3, kaiser:4, fermi, gauss, ...",
)
@click.option(
    "--zero-fill",
    type=click.FloatRange(1),
    default=1.0,
    metavar="F",
    help="Interpolate to a grid F times as fine.",
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
    "--b0",
    type=PATH,
    metavar="FILE",
    help="Off-resonance in Hz on the grid of the reconstruction (NIfTI, .npy), for cg-sense of "
    "non-Cartesian data.",
)
@click.option(
    "--dwell",
    type=click.FloatRange(0, min_open=True),
    metavar="US",
    help="Microseconds between samples, with --b0; default the file's.",
)
@click.option(
    "--encoding",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Which encoding of an ISMRMRD file that has several, from 0.",
)
@click.option(
    "--phase-sensitive",
    is_flag=True,
    help="Of two sets (inversion recovery, reference), the first with its sign.",
)
@click.option(
    "--complex", "keep_complex", is_flag=True, help="Write the complex image, not its magnitude."
)
@preview_option
@max_bytes_option
@verb
def command(run: Run, input: Path, output: Path, **options: Any) -> None:
    """Reconstruct the k-space INPUT into the image OUTPUT.

    Reads ISMRMRD, fastMRI HDF5, BART .cfl, Siemens TWIX, .npy, .npz and .mat. Slices become z,
    contrasts, repetitions and other frames a fourth axis; the affine follows from the file.
    """
    run.claim(output, input, endings=_ENDINGS)
    preview = options["preview"]
    if preview is not None:
        run.claim(preview, input, endings=(".png",))
    from ..io import read_kspace, write_image

    scan = read_kspace(
        input,
        coordinates=options["coordinates"],
        max_bytes=options["max_bytes"],
        encoding=options["encoding"],
    )
    run.log(f"read {scan.header['format']}: {' x '.join(scan.axes)} = {scan.data.shape}")
    if options["b0"] is not None:
        from ..io import read_image

        options["field"] = read_image(options["b0"], max_bytes=options["max_bytes"])
    from ._mr_chain import reconstruct

    found = reconstruct(run, scan, options)
    run.log("reconstructed")
    write_image(output, found.values, spacing=found.spacing, affine=found.affine)
    if preview is not None:
        _picture(found, preview, f"{input.name}: {found.method}")
    run.report(
        {
            "output": output,
            "method": found.method,
            "shape": tuple(found.values.shape),
            "spacing": found.spacing,
            "coils": found.coils,
            "orientation": "file" if found.affine is not None else "unknown",
        }
    )


def _picture(found: Any, path: Path, title: str) -> None:
    """The magnitude of the first frame."""
    import numpy as np

    from ..plot import preview

    image = np.abs(found.values)
    image = image[0] if image.ndim == 4 else image
    if image.ndim == 3 and len(image) == 1:
        image = image[0]
    preview(image, path, spacing=found.spacing[-image.ndim :], title=title, planes=None)
