"""Tables of cases: which image and mask, and which regions of it."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError
from .containers import Image
from .files import PathLike, existing, reader, refused
from .image import read_image
from .mask import mask_names, read_mask

__all__ = ["Case", "read_cases"]

#: What columns may be called.
COLUMNS = {
    "image": ("image", "image_path"),
    "mask": ("mask", "mask_path", "segmentation"),
    "label": ("label",),
    "region": ("region", "roi"),
    "id": ("id", "case", "case_id", "patient", "patientid"),
}


@dataclass(frozen=True)
class Case:
    """Paths of an image and its mask; ``label`` or ``region`` (a name) chooses one of its regions.

    Examples
    --------
    >>> Case("t1.nii.gz", "tumour.nii.gz", label=2).label
    2
    """

    image: PathLike
    mask: PathLike
    label: int | None = None
    region: str | None = None
    id: str | None = None

    def load(self, max_bytes: int | None = None) -> tuple[Image, Image, int | None]:
        """(image, mask, label): the mask on the image's grid; of a named region, with label 1."""
        image = read_image(self.image, max_bytes=max_bytes)
        region: str | int | None = self.region
        if region is None and self.label is not None and mask_names(self.mask):
            region = self.label
        mask = read_mask(self.mask, image, region=region, max_bytes=max_bytes)
        return image, mask, 1 if region is not None else self.label


@reader
def read_cases(path: PathLike) -> list[Case]:
    """Read a CSV table of cases: columns image and mask, and as wanted label, region and id.

    Parameters
    ----------
    path
        Comma-separated with a header line; names of columns in any case. ``ImagePath``-like names
        that PyRadiomics uses (Image, Mask) are the same columns. Other columns are ignored.
        Relative paths start at the table's folder.

    Returns
    -------
    list of Case
        In the order of the table; ``id`` is the number of the row (from 1) where it is not given.

    Raises
    ------
    FileFormatError
        No table, or a column is missing.
    DataError
        A label that is no whole number, or an id that occurs twice with the same region.
    """
    found = existing(path)
    rows = read_rows(found)
    names = list(rows[0]) if rows else []
    if not rows:
        raise refused(found, "holds no cases")
    columns = {}
    for ours, accepted in COLUMNS.items():
        match = [n for n in names if n and n.strip().lower().replace(" ", "") in accepted]
        if match:
            columns[ours] = match[0]
    missing = [name for name in ("image", "mask") if name not in columns]
    if missing:
        raise refused(found, f"no column {missing[0]!r}; it has {', '.join(map(str, names))}")
    cases = [_case(found, number, row, columns) for number, row in enumerate(rows, start=1)]
    keys = Counter((case.id, case.label, case.region) for case in cases)
    for (name, *_), count in keys.items():
        if count > 1:
            raise DataError(f"{found.name}: the id {name!r} occurs {count} times")
    return cases


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV table with a header line, as they stand."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as stream:
            return list(csv.DictReader(stream))
    except (UnicodeDecodeError, csv.Error) as error:
        raise refused(path, f"is no CSV table ({error})") from None


def _case(table: Path, number: int, row: dict[str, str], columns: dict[str, str]) -> Case:
    given = {ours: (row.get(name) or "").strip() for ours, name in columns.items()}
    for name in ("image", "mask"):
        if not given[name]:
            raise DataError(f"{table.name}: row {number} has no {name}")
    label = given.get("label") or None
    if label is not None:
        try:
            number_of = int(float(label))
            if number_of != float(label):
                raise ValueError
        except (ValueError, OverflowError):
            raise DataError(f"{table.name}: row {number}: label {label!r} is no number") from None
    return Case(
        image=table.parent / given["image"],
        mask=table.parent / given["mask"],
        label=None if label is None else number_of,
        region=given.get("region") or None,
        id=given.get("id") or str(number),
    )
