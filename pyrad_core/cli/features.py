"""``pyrad-core features``: one row of radiomic features of an image and a mask."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ..errors import DataError
from .common import PATH, Run, max_bytes_option, plain, verb


@click.command("features")
@click.argument("image", type=PATH)
@click.argument("mask", type=PATH)
@click.argument("output", type=PATH, required=False)
@click.option(
    "--settings",
    metavar="YAML|PRESET",
    help="A settings or PyRadiomics parameter file, or ibsi, pyradiomics.",
)
@click.option("--label", type=int, metavar="N", help="Value of the region in the mask.")
@click.option("--case", metavar="ID", help="Name of the row; default the image's file name.")
@max_bytes_option
@verb
def command(
    run: Run,
    image: Path,
    mask: Path,
    output: Path | None,
    settings: str | None,
    label: int | None,
    case: str | None,
    max_bytes: int | None,
) -> None:
    """Radiomic features of IMAGE inside MASK, to stdout or as one row of OUTPUT.

    OUTPUT is .csv, .parquet or .json (values with reasons and the settings used).
    """
    if output is not None:
        run.claim(output, image, mask, endings=(".csv", ".parquet", ".json"))
    from ..io import read_image, write_table

    picture, region = (read_image(p, max_bytes=max_bytes) for p in (image, mask))
    run.log(f"read {picture.data.shape}, spacing {_mm(picture.spacing)}")
    from ..features import extract

    chosen = load_settings(settings)
    found = extract(picture, region, label=label, settings=chosen)
    run.log(f"{len(found)} features")
    if found.reasons:
        run.log(f"{len(found.reasons)} of them undefined (NaN); the JSON output says why")
    if output is None:
        run.report(dict(found))
        return
    row: dict[str, Any] = {"case": case or image.name, **found}
    if output.suffix.lower() == ".json":
        _write_json(output, row["case"], found)
    else:
        write_table(output, row)
    run.report({"output": output, "features": len(found), "undefined": len(found.reasons)})


def load_settings(given: str | None) -> Any:
    """Settings from a preset's name or a YAML file; None keeps the defaults."""
    from ..features import Settings

    if given is None:
        return None
    if Path(given).suffix.lower() in (".yaml", ".yml", ".json"):
        from ..io.files import existing

        return Settings.from_yaml(existing(given))
    if given not in ("ibsi", "pyradiomics"):
        raise DataError(f"settings is {given!r}; expected a .yaml file, ibsi or pyradiomics")
    return Settings.preset(given)


def _write_json(output: Path, case: str, found: Any) -> None:
    from ..io.files import atomic_write

    content = {
        "case": case,
        "features": {k: None if v != v else v for k, v in found.items()},
        "undefined": dict(found.reasons),
        "settings": found.settings.to_dict(),
    }
    with atomic_write(output) as stream:
        stream.write(json.dumps(content, default=plain, indent=1, allow_nan=False).encode())


def _mm(spacing: tuple[float, ...]) -> str:
    return " x ".join(f"{s:.4g}" for s in spacing) + " mm"
