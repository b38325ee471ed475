"""``pyrad-core features``: a table of radiomic features of one case or of many."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import click

from ..errors import DataError
from .common import PATH, Run, gpu_option, max_bytes_option, only_one_of, region_option, verb

_ENDINGS = (".csv", ".parquet", ".json")


@click.command("features")
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="IMAGE MASK | CASES [OUTPUT]")
@click.option(
    "--settings",
    metavar="YAML|PRESET",
    help="A settings or PyRadiomics parameter file, or ibsi, pyradiomics.",
)
@click.option(
    "--preset", type=click.Choice(["ibsi", "pyradiomics"]), help="Definitions to start from."
)
@click.option("--label", type=int, metavar="N", help="Value of the region in the mask.")
@region_option
@click.option("--all-labels", is_flag=True, help="One row for every label or region of each mask.")
@click.option("--case", metavar="ID", help="Name of the row; default the image's file name.")
@click.option(
    "--provenance",
    type=PATH,
    metavar="JSON",
    help="Also write settings, versions and hashes of each row.",
)
@gpu_option
@max_bytes_option
@verb
def command(
    run: Run,
    paths: tuple[Path, ...],
    settings: str | None,
    preset: str | None,
    label: int | None,
    region: str | None,
    all_labels: bool,
    case: str | None,
    provenance: Path | None,
    gpu: bool,
    max_bytes: int | None,
) -> int | None:
    """Radiomic features of IMAGE inside MASK, or of all CASES of a .csv table.

    IMAGE is NIfTI, NRRD, MetaImage, DICOM (a file or a folder with one series) or .npy; MASK is
    such an image of labels, or a DICOM RTSTRUCT or SEG. CASES has columns image and mask, and as
    wanted label, region and id; paths start at its folder.

    OUTPUT is .csv, .parquet or .json (with the reasons of undefined values); without it the values
    of one case go to stdout. A case that fails is a row with its reason in the column error, and
    the exit code is 3.
    """
    from ._features_table import cases_of, extract_all, write_output

    if settings is not None and preset is not None:
        raise click.UsageError("give --settings or --preset, not both")
    if all_labels and (label is not None or region is not None):
        raise click.UsageError("--all-labels goes without --label and --region")
    only_one_of(label, region)
    inputs, output, table = _arguments(paths)
    if table and case is not None:
        raise click.UsageError("--case names one case; a table has the column id")
    for target, endings in ((output, _ENDINGS), (provenance, (".json",))):
        if target is not None:
            run.claim(target, *inputs, endings=endings)
    chosen = load_settings(settings or preset)
    cases = cases_of(inputs, table, label, region, case)
    rows = extract_all(run, cases, chosen, all_labels, max_bytes, gpu=gpu, strict=not table)
    if output is None:
        run.report(rows[0].features or {})
    else:
        write_output(output, rows, many=table or all_labels)
    if provenance is not None:
        write_output(provenance, rows, many=True, with_provenance=True)
    failed = [row for row in rows if row.error]
    if output is not None:
        undefined = sum(len(row.features.reasons) for row in rows if row.features is not None)
        count = max(len(row.features or {}) for row in rows)
        result = {"output": output, "rows": len(rows), "features": count, "undefined": undefined}
        run.report({**result, "failed": len(failed)} if table else result)
    return 3 if failed else None


def _arguments(paths: tuple[Path, ...]) -> tuple[tuple[Path, ...], Path | None, bool]:
    """(inputs, output, whether the input is a table of cases)."""
    table = paths[0].suffix.lower() == ".csv"
    needed = 1 if table else 2
    if not needed <= len(paths) <= needed + 1:
        raise click.UsageError("expected IMAGE MASK [OUTPUT], or CASES.csv OUTPUT")
    output = paths[needed] if len(paths) > needed else None
    if table and output is None:
        raise click.UsageError("a table of cases needs an OUTPUT: .csv, .parquet or .json")
    return paths[:needed], output, table


def load_settings(given: str | None) -> Any:
    """Settings from a preset's name or a YAML file; None keeps the defaults."""
    from ..features import Settings

    if given is None:
        return None
    if Path(given).suffix.lower() in (".yaml", ".yml", ".json"):
        from ..io.files import existing

        path = existing(given)
        return _settings_of(path, path.read_bytes())
    if given not in ("ibsi", "pyradiomics"):
        raise DataError(f"settings is {given!r}; expected a .yaml file, ibsi or pyradiomics")
    return Settings.preset(given)


@functools.lru_cache(maxsize=4)
def _settings_of(path: Path, content: bytes) -> Any:
    """Parsed once for all the cases that a process is given; the content tells files apart."""
    from ..features import Settings

    return Settings.from_yaml(path)
