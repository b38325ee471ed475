"""All families at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from .. import _checks
from ..errors import DataError
from ._many import labels_of, many_results
from ._run import all_results, settings_of
from .result import Features
from .settings import Settings

__all__ = ["extract", "extract_many"]


def extract(
    image: Any,
    mask: Any,
    *,
    label: int | Sequence[int] | str | None = None,
    settings: Settings | None = None,
    spacing: Any = None,
    intensity_mask: Any = None,
    morphological_mask: Any = None,
) -> Any:
    """Radiomic features of the voxels of a mask: every family, of every filtered image.

    Parameters
    ----------
    image : array (z, y, x) or (y, x)
        float32, float64 or integers; or an object that carries ``.data`` and ``.spacing`` (and
        ``.affine``), as :func:`pyrad_core.io.read_image` returns, a nibabel or a SimpleITK image.
    mask : array or object of the same shape
        Labels: whole numbers >= 0 of any dtype; fractional or negative values are an error.
    label : int, sequence of int or "all", optional
        Value of the region in the mask; ``settings.label`` (1) otherwise. Several labels, or all
        that occur, take one pass: see :func:`extract_many`.
    settings : Settings, optional
        IBSI definitions with a bin width of 25 by default.
    spacing : (z, y, x), optional
        Voxel size in mm, where the image carries none. Without it, features that need it are NaN
        with a reason.
    intensity_mask, morphological_mask : as mask, optional
        The mask that intensities, or shapes, are taken in, where these differ from ``mask`` (IBSI's
        two masks). Re-segmentation changes the first; distances of GLDZM are those to the border of
        the second.

    Returns
    -------
    Features, or dict of label -> Features if several labels are asked for
        Ordered mapping ``"<filter>_<family>_<feature>" -> float`` with ``.settings``,
        ``.reasons`` (why a value is NaN), ``.provenance``, ``.by_ibsi_tag()`` and ``.table()``.

    Raises
    ------
    DataError
        Empty mask, absent label (the message lists those present), NaN inside the region, more
        than 4096 grey levels, image and mask on different grids.
    ShapeError
        Mask and image of different shapes.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> image = rng.normal(100, 40, (8, 8, 8)).astype(np.float32)
    >>> mask = np.ones((8, 8, 8), np.uint8)
    >>> settings = Settings.preset("pyradiomics", binWidth=10)
    >>> features = extract(image, mask, settings=settings, spacing=(1, 1, 1))
    >>> "original_glcm_MCC" in features
    True

    References
    ----------
    Zwanenburg et al., Radiology 295 (2020) 328, doi:10.1148/radiol.2020191145.
    """
    if label is not None and not isinstance(label, (int, np.integer)):
        return _labels(image, mask, label, settings, spacing, intensity_mask, morphological_mask)
    settings, label = settings_of(settings, label)
    if intensity_mask is not None and morphological_mask is None:
        morphological_mask = mask
    return all_results(
        image,
        mask if intensity_mask is None else intensity_mask,
        settings,
        spacing,
        label,
        settings.families,
        morphological_mask,
    )


def _labels(
    image: Any,
    mask: Any,
    label: Any,
    settings: Settings | None,
    spacing: Any,
    intensity_mask: Any,
    morphological_mask: Any,
) -> dict[int, Features]:
    if intensity_mask is not None or morphological_mask is not None:
        raise DataError(
            "several labels take one mask; call extract once per label for an intensity_mask or a "
            "morphological_mask"
        )
    chosen = settings if settings is not None else Settings()
    jobs = labels_of(mask, _wanted(label))
    results = many_results(image, jobs, chosen, spacing, chosen.families)
    return {job.label: result for job, result in zip(jobs, results, strict=True)}


def _wanted(label: Any) -> list[int] | None:
    if isinstance(label, str):
        _checks.choice("label", label, ("all",))
        return None
    if isinstance(label, float) or not isinstance(label, (Sequence, np.ndarray)):
        raise DataError(f"label is {label!r}; expected a whole number, several of them or 'all'")
    wanted = [_checks.whole("label", value, 1) for value in label]
    if not wanted or len(set(wanted)) < len(wanted):
        raise DataError(f"label is {label!r}; expected different whole numbers >= 1")
    return wanted


def extract_many(
    image: Any,
    masks: Any,
    *,
    label: int | Sequence[int] | str | None = None,
    settings: Settings | None = None,
    spacing: Any = None,
) -> Any:
    """Features of many regions of one image, in one pass.

    Filters, resampling and normalisation run once for masks that lie close to each other; a small
    region costs what its box costs; matrices of small regions are counted in one call each (one
    kernel launch on a GPU), and regions are shared out to the threads.

    Parameters
    ----------
    image : as :func:`extract`
    masks : sequence or mapping of masks
        Each as :func:`extract` takes it, on the image's grid. Masks may overlap.
    label : int, sequence of int or "all", optional
        Which labels of each mask; ``settings.label`` (1) otherwise.
    settings, spacing : as :func:`extract`

    Returns
    -------
    list of Features, or dict with the keys of the mapping
        In the order of the masks; a dict of label -> Features in place of each result if several
        labels are asked for. Values are those of :func:`extract` to the last bit, but for LoG by
        recursive filters (1e-6), which look at the whole image, and Gabor filters (1e-12), whose
        transforms are as large as what is filtered at once.

    Raises
    ------
    DataError, ShapeError
        As :func:`extract`; nothing is returned if one region cannot be computed.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> image = rng.normal(100, 40, (8, 8, 8)).astype(np.float32)
    >>> left, right = np.zeros((2, 8, 8, 8), np.uint8)
    >>> left[..., :4], right[..., 4:] = 1, 1
    >>> both = extract_many(image, {"left": left, "right": right}, spacing=1.0)
    >>> list(both)
    ['left', 'right']
    """
    keys = list(masks) if isinstance(masks, Mapping) else None
    several = list(masks.values()) if isinstance(masks, Mapping) else list(masks)
    chosen = settings if settings is not None else Settings()
    one = label is None or isinstance(label, (int, np.integer))
    wanted = [settings_of(chosen, cast("int | None", label))[1]] if one else _wanted(label)
    groups = [labels_of(mask, wanted) for mask in several]
    jobs = [job for group in groups for job in group]
    found = iter(many_results(image, jobs, chosen, spacing, chosen.families) if jobs else [])
    results: list[Any] = []
    for group in groups:
        values = {job.label: next(found) for job in group}
        results.append(next(iter(values.values())) if one else values)
    return results if keys is None else dict(zip(keys, results, strict=True))
