"""Rows of ``pyrad-core features``: reading cases, extracting, writing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .._version import __version__
from ..errors import DataError, PyradError
from .common import Run, on_device, plain

__all__ = ["Row", "cases_of", "extract_all", "write_output"]


@dataclass
class Row:
    """One region of one case: its features, or why it has none."""

    case: str
    image: str
    mask: str
    label: int | None = None
    region: str | None = None
    features: Any = None
    error: str = ""


def cases_of(
    inputs: tuple[Path, ...], table: bool, label: int | None, region: str | None, name: str | None
) -> list[Any]:
    """The cases asked for; --label and --region serve those that choose nothing themselves."""
    from ..io import Case, read_cases

    if not table:
        image, mask = inputs
        return [Case(image, mask, label=label, region=region, id=name or image.name)]
    return [
        case
        if case.label is not None or case.region is not None
        else replace(case, label=label, region=region)
        for case in read_cases(inputs[0])
    ]


def extract_all(
    run: Run,
    cases: list[Any],
    settings: Any,
    every: bool,
    max_bytes: int | None,
    *,
    gpu: bool,
    strict: bool,
) -> list[Row]:
    """All rows, in order. ``strict``: a failure ends the run instead of becoming a row."""
    rows: list[Row] = []
    with run.progress("features", len(cases)) as step:
        for case in cases:
            one = Row(str(case.id), str(case.image), str(case.mask), case.label, case.region)
            try:
                for row in _regions(one, case, settings, every, max_bytes, gpu):
                    rows.append(row)
                    run.log(f"{row.case}{_which(row)}: {len(row.features)} features")
                    undefined = len(row.features.reasons)
                    if undefined:
                        run.log(f"{undefined} of them undefined (NaN); the JSON output says why")
            except (PyradError, OSError, MemoryError) as error:
                if strict:
                    raise
                one.error = " ".join(f"{error}".split()) or type(error).__name__
                rows.append(one)
                run.log(f"{one.case}: failed: {one.error}")
            step()
    return rows


def _which(row: Row) -> str:
    if row.region is not None:
        return f" {row.region}"
    return "" if row.label is None else f" label {row.label}"


def _regions(
    one: Row, case: Any, settings: Any, every: bool, max_bytes: int | None, gpu: bool
) -> Iterator[Row]:
    """A row for the case, or one for each of its labels."""
    from ..features import extract
    from ..features._origin import origin

    if not every:
        image, mask, label = case.load(max_bytes)
        found = extract(*_placed(image, mask, gpu), label=label, settings=settings)
        found.provenance |= origin(image, mask)
        yield replace(one, features=found)
        return
    for label, name, image, mask in _all_labels(case, max_bytes):
        used = label if name is None else 1
        found = extract(*_placed(image, mask, gpu), label=used, settings=settings)
        found.provenance |= origin(image, mask)
        yield replace(one, label=label, region=name, features=found)


def _placed(image: Any, mask: Any, gpu: bool) -> Iterator[Any]:
    """The pair where features are to be computed."""
    return (replace(held, data=on_device(held.data, gpu)) for held in (image, mask))


def _all_labels(case: Any, max_bytes: int | None) -> Iterator[tuple[int, str | None, Any, Any]]:
    """(number, name, image, mask): regions of a DICOM mask one by one, as they may overlap."""
    from ..io import mask_names, read_image, read_mask

    image = read_image(case.image, max_bytes=max_bytes)
    names = mask_names(case.mask)
    for number, name in names.items():
        yield number, name, image, read_mask(case.mask, image, region=number, max_bytes=max_bytes)
    if names:
        return
    mask = read_mask(case.mask, image, max_bytes=max_bytes)
    labels = [v for v in np.unique(mask.data).tolist() if v]
    if not labels:
        raise DataError("mask is empty: all its voxels are 0")
    wrong = [v for v in labels if not (v > 0 and v == int(v))]
    if wrong:
        raise DataError(f"mask holds values that are no labels (whole numbers >= 0): {wrong[:5]}")
    for label in labels:
        yield int(label), None, image, mask


def write_output(
    output: Path, rows: list[Row], *, many: bool, with_provenance: bool = False
) -> None:
    """CSV and Parquet: a line per row; JSON: values, reasons and settings."""
    from ..io import write_table
    from ..io.files import atomic_write

    if output.suffix.lower() != ".json":
        write_table(output, [_line(row, many) for row in rows])
        return
    content = [_record(row, with_provenance) for row in rows]
    whole: Any = {"rows": content, "pyrad_core": __version__} if many else content[0]
    with atomic_write(output) as stream:
        stream.write(json.dumps(whole, default=plain, indent=1, allow_nan=False).encode())


def _line(row: Row, many: bool) -> dict[str, Any]:
    line: dict[str, Any] = {"case": row.case}
    if many:
        line |= {"label": row.label, "region": row.region, "error": row.error}
    return {**line, **(row.features or {})}


def _record(row: Row, with_provenance: bool) -> dict[str, Any]:
    record: dict[str, Any] = {"case": row.case, "image": row.image, "mask": row.mask}
    record |= {"label": row.label, "region": row.region, "error": row.error or None}
    if row.features is None:
        return record
    if with_provenance:
        record["settings"] = row.features.settings.to_dict()
        return {**record, "provenance": dict(row.features.provenance)}
    record["features"] = {k: None if v != v else v for k, v in row.features.items()}
    record["undefined"] = dict(row.features.reasons)
    record["settings"] = row.features.settings.to_dict()
    record["provenance"] = dict(row.features.provenance)
    return record
