"""``pyrad-core recon ct``: projections to a volume."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ..errors import DataError
from .common import PATH, Run, max_bytes_option, preview_option, verb

_METHODS = ("fbp", "sirt", "cgls", "tv")
_ENDINGS = (".nii", ".nii.gz", ".nrrd", ".mha", ".npy")


@click.command("ct")
@click.argument("input", type=PATH)
@click.argument("output", type=PATH)
@click.option(
    "--method",
    type=click.Choice(_METHODS),
    help="Default: fbp for a parallel scan of half a turn or more, else cgls.",
)
@click.option(
    "--filter", "filter_name", default="ram-lak", show_default=True, help="Filter of fbp."
)
@click.option(
    "--iterations",
    type=click.IntRange(1),
    help="Of sirt, cgls and tv; the methods' own defaults otherwise.",
)
@click.option("--weight", type=float, default=None, help="Of tv.")
@click.option(
    "--center",
    default="auto",
    show_default=True,
    metavar="auto|none|COLUMN",
    help="Rotation axis of a parallel scan, in detector columns.",
)
@click.option(
    "--size",
    type=click.IntRange(8),
    metavar="N",
    help="Voxels per side; default the detector's columns.",
)
@click.option(
    "--voxel", type=float, metavar="MM", help="Voxel size; default the pixel at the axis."
)
@click.option("--row", metavar="N|A:B", help="Detector rows to reconstruct; default all.")
@click.option(
    "--geometry", type=PATH, metavar="YAML", help="Scan geometry, where the file has none."
)
@click.option(
    "--allow-external", type=PATH, metavar="DIR", help="Folder that HDF5 links may reach."
)
@click.option("--rings", is_flag=True, help="Remove ring artefacts before reconstruction.")
@preview_option
@max_bytes_option
@verb
def command(run: Run, input: Path, output: Path, **options: Any) -> None:
    """Reconstruct the projections INPUT into the volume OUTPUT (1/mm)."""
    run.claim(output, input, endings=_ENDINGS)
    preview = options["preview"]
    if preview is not None:
        run.claim(preview, input, endings=(".png",))
    from ..io import read_projections, write_image

    scan = read_projections(
        input,
        geometry=options["geometry"],
        allow_external=options["allow_external"],
        max_bytes=options["max_bytes"],
    )
    run.log(f"read {scan.header['format']}: projections {scan.data.shape}")
    if scan.geometry is None:
        raise DataError(f"{input} stores no angles; give a geometry by --geometry FILE.yaml")
    from .. import ct

    lines, geometry = _line_integrals(run, ct, scan, options["row"])
    geometry, center = _centered(run, ct, lines, geometry, options["center"])
    if options["rings"]:
        lines = ct.remove_rings(lines)
    volume = _grid(geometry, options["size"], options["voxel"])
    method = options["method"] or _usual_method(geometry)
    arguments: dict[str, Any] = {}
    if method == "fbp":
        arguments["filter"] = options["filter_name"]
    else:
        given = ("iterations", "weight") if method == "tv" else ("iterations",)
        arguments |= {name: options[name] for name in given if options[name] is not None}
    run.log(f"{method} onto {volume.shape}")
    with run.progress(method, arguments.get("iterations")) as step:
        if method != "fbp":
            arguments["callback"] = step
        image = ct.recon(lines, geometry, volume, method=method, **arguments)
    run.log("reconstructed")
    write_image(output, image, spacing=volume.spacing)
    if preview is not None:
        from ..plot import preview as picture

        picture(
            image, preview, spacing=volume.spacing, title=f"{input.name}: {method}", planes=False
        )
    run.report(
        {
            "output": output,
            "method": method,
            "shape": tuple(image.shape),
            "spacing": tuple(float(s) for s in volume.spacing),
            "unit": "1/mm" if scan.header["pixel_known"] else "1/pixel",
            **({} if center is None else {"center": center}),
        }
    )


def _line_integrals(run: Run, ct: Any, scan: Any, row: str | None) -> tuple[Any, Any]:
    """Chosen rows as line integrals, with the geometry of those rows."""
    import numpy as np

    rows = _rows(row, 1 if scan.data.ndim == 2 else scan.data.shape[1])
    data, flat, dark = scan.data, scan.flat, scan.dark
    geometry = scan.geometry
    if data.ndim == 3 and rows != slice(0, data.shape[1]):
        data = np.ascontiguousarray(data[:, rows])
        flat = None if flat is None else flat[:, rows]
        dark = None if dark is None else dark[:, rows]
        geometry = _of_rows(geometry, rows)
    if scan.header["quantity"] == "counts":
        if flat is None:
            raise DataError("the projections are counts, but there are no flat (open-beam) frames")
        dark = np.zeros_like(flat[:1]) if dark is None else dark
        data = ct.normalize(data, flat, dark)
        run.log("counts to line integrals")
    return np.asarray(data, np.float64 if data.dtype == np.float64 else np.float32), geometry


def _rows(text: str | None, count: int) -> slice:
    if text is None:
        return slice(0, count)
    first, colon, last = text.partition(":")
    try:
        start = int(first or 0)
        stop = (int(last) if last else count) if colon else start + 1
    except ValueError:
        raise click.BadParameter(f"{text!r}; expected N or A:B", param_hint="--row") from None
    if not 0 <= start < stop <= count:
        raise DataError(f"rows {text} lie outside the detector's {count} rows")
    return slice(start, stop)


def _of_rows(geometry: Any, rows: slice) -> Any:
    """The geometry that keeps these detector rows; they stay where they were."""
    from ..geometry import ConeBeam

    kept, whole = rows.stop - rows.start, geometry.rows
    moved = (rows.start + (kept - 1) / 2 - (whole - 1) / 2) * geometry.pixel[0]
    if isinstance(geometry, ConeBeam):
        return replace(
            geometry,
            detector=(kept, geometry.columns),
            offset=(geometry.offset[0] + moved, geometry.offset[1]),
        )
    return replace(geometry, detector=(kept, geometry.columns))


def _centered(
    run: Run, ct: Any, lines: Any, geometry: Any, center: str
) -> tuple[Any, float | None]:
    """The geometry with the rotation axis found or given, and its column."""
    from ..geometry import ParallelBeam

    parallel = isinstance(geometry, ParallelBeam)
    if center == "none" or (center == "auto" and (not parallel or any(geometry.offset))):
        return geometry, None
    if not parallel:
        raise DataError("--center is for parallel scans; fan and cone scans take offset in mm")
    if center == "auto":
        column = float(ct.find_center(lines, geometry.angles))
        run.log(f"rotation axis found at column {column:.2f}")
    else:
        try:
            column = float(center)
        except ValueError:
            raise click.BadParameter(f"{center!r}; expected auto, none or a column") from None
    shift = ((geometry.columns - 1) / 2 - column) * geometry.pixel[-1]
    offset = shift if len(geometry.detector) == 1 else (geometry.offset[0], shift)
    return replace(geometry, offset=offset), column


def _grid(geometry: Any, size: int | None, voxel: float | None) -> Any:
    """A square grid that takes the detector's columns at the rotation axis."""
    from ..geometry import ConeBeam, FanBeam, Volume

    scale = 1.0
    if isinstance(geometry, (FanBeam, ConeBeam)):
        scale = geometry.source_origin / geometry.source_detector
    step = geometry.pixel[-1] * scale if voxel is None else voxel
    side = size or geometry.columns
    if size is not None and voxel is None:  # the same field of view in fewer voxels
        step *= geometry.columns / size
    if len(geometry.detector) == 1:
        return Volume((side, side), step)
    depth = geometry.pixel[0] * scale
    return Volume((geometry.rows, side, side), (depth, step, step))


def _usual_method(geometry: Any) -> str:
    import numpy as np

    from ..geometry import ParallelBeam

    span = float(np.ptp(geometry.angles))
    return "fbp" if isinstance(geometry, ParallelBeam) and span > 0.9 * np.pi else "cgls"
