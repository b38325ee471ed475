"""All families at once."""

from __future__ import annotations

from typing import Any

from ._run import all_results, settings_of
from .result import Features
from .settings import Settings

__all__ = ["extract"]


def extract(
    image: Any,
    mask: Any,
    *,
    label: int | None = None,
    settings: Settings | None = None,
    spacing: Any = None,
    intensity_mask: Any = None,
    morphological_mask: Any = None,
) -> Features:
    """Radiomic features of the voxels of a mask: every family, of every filtered image.

    Parameters
    ----------
    image : array (z, y, x) or (y, x)
        float32, float64 or integers; or an object that carries ``.data`` and ``.spacing`` (and
        ``.affine``), as :func:`pyrad_core.io.read_image` returns, a nibabel or a SimpleITK image.
    mask : array or object of the same shape
        Labels: whole numbers >= 0 of any dtype; fractional or negative values are an error.
    label : int, optional
        Value of the region in the mask; ``settings.label`` (1) otherwise.
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
    Features
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
