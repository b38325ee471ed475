"""What is computed and how: one frozen dataclass, with presets and two file formats."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from .. import _checks
from .._yaml import load_yaml
from ..errors import DataError, FileFormatError, PyradError
from ._filter_options import check_filters
from ._pyradiomics import SECTIONS, translate

__all__ = ["AGGREGATIONS", "MAX_LEVELS", "Settings"]

AGGREGATIONS = (
    "2D_avg", "2D_slice_merged", "2.5D_direction_merged", "2.5D_merged", "3D_avg", "3D_merged",
)  # fmt: skip
_SHORT_AGGREGATIONS = {"2D": "2D_avg", "2.5D": "2.5D_merged", "3D": "3D_merged"}
INTERPOLATIONS = ("linear", "cubic", "bspline", "nearest")
WEIGHTINGS = ("no_weighting", "infinity", "euclidean", "manhattan")
MAX_LEVELS = 4096
DEFAULT_FAMILIES = (
    "shape", "local_intensity", "first_order", "intensity_histogram", "intensity_volume_histogram",
    "glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm",
)  # fmt: skip
RULES = {  # field -> (IBSI's, PyRadiomics')
    "kurtosis": ("excess", "plain"),
    "axis_lengths": ("n-1", "n"),
    "undefined": ("nan", "limit"),
    "neighbourhood": ("up_to", "listed"),
    "lone_voxels": ("left_out", "counted"),
    "empty_directions": ("averaged", "left_out"),
}
FAMILIES = (*DEFAULT_FAMILIES, "shape2d")


@dataclass(frozen=True, init=False)
class Settings:
    """Settings of a feature extraction; immutable, compared by value.

    The defaults are IBSI's definitions. A setting that does not exist, or a value out of range,
    raises :class:`~pyrad_core.errors.DataError` with the closest accepted name.

    Parameters
    ----------
    conventions : {"ibsi", "pyradiomics"}
        Which features a family lists, and the definitions where the two differ: those below whose
        default is "by the conventions". docs/features.md compares them.
    resample : tuple of float, optional
        New voxel size (z, y, x) in mm; a 0 keeps the axis. None: no resampling.
    resample_in_plane : bool
        Keep the slices, resample y and x only (2D approaches).
    grid : {"centre", "corner"}
        Align the new grid on the centre of the volume (IBSI) or on the corner of its first voxel
        (PyRadiomics).
    resample_margin : int
        Voxels around the region's box that corner-aligned resampling keeps.
    interpolation, mask_interpolation : {"linear", "cubic", "bspline", "nearest"}
        "cubic" is the cubic spline with edge voxels extended, "bspline" the same spline with zeros
        outside (PyRadiomics).
    mask_threshold : float
        Interpolated masks are inside from this partial volume on.
    round_intensities : bool, optional
        Round the resampled intensities. None: if all values of the given image are whole numbers.
    crop_margin : int, optional
        Crop the image to the region's box and so many voxels around it before filters see it
        (PyRadiomics' ``preCrop``). None: filters see the whole image. Resampling on the "corner"
        grid crops to ``resample_margin`` anyway.
    normalize, normalize_scale, remove_outliers
        (x - mean) / standard deviation of the whole image, times the scale; clipped at that many
        standard deviations before scaling.
    resegment_range : (low, high), optional
        Intensities kept in the intensity mask; None for an open end.
    resegment_sigma : float or (low, high), optional
        Keep mean - s * sd .. mean + s * sd of the region. Applied together with the range.
    resegment_relative : (low, high), optional
        Like the range, as fractions of the region's maximum.
    resegment_shape : bool
        Shape features use the re-segmented mask, too.
    discretisation : None | ("fbs", width) | ("fbn", bins)
        None: the intensities are grey levels (whole numbers from 1).
    bin_edges : {"ibsi", "pyradiomics"}
        IBSI: bins start at the re-segmentation minimum, else at the region's. PyRadiomics: at a
        multiple of the width; NumPy's histogram edges for fixed numbers of bins.
    ivh_discretisation
        As ``discretisation``, for the intensity-volume histogram.
    aggregation : str
        "2D_avg", "2D_slice_merged", "2.5D_direction_merged", "2.5D_merged", "3D_avg", "3D_merged";
        "2D", "2.5D" and "3D" stand for "2D_avg", "2.5D_merged" and "3D_merged".
    slice_axis : {0, 1, 2}
        Axis across the slices of the 2D approaches.
    distances : tuple of int
        Chebyshev distances in voxels.
    neighbourhood_norm : {"chebyshev", "manhattan", "euclidean"}
        Norm of the distance that bounds the neighbourhoods of NGTDM and NGLDM (IBSI).
    symmetric : bool
        Count pairs in both directions.
    weighting : {"no_weighting", "infinity", "euclidean", "manhattan"}, optional
        Merge the tables of all directions with weights exp(-distance^2) (mm) in that norm.
    gldm_alpha : int
        Largest level difference that counts as dependent (NGLDM).
    voxel_array_shift : float
        Added to the intensities in Energy, TotalEnergy and RootMeanSquared.
    kurtosis : {"excess", "plain"}, optional
        mu_4 / sigma^4 - 3 (IBSI), or without the 3. By the conventions if None, as the next five.
    axis_lengths : {"n-1", "n"}, optional
        What the covariance of the voxel centres is divided by: n - 1 (IBSI) or n voxels.
    undefined : {"nan", "limit"}, optional
        Kurtosis, skewness, GLCM correlation and Imc1 of constant regions: NaN with a reason (IBSI),
        or 0, 0, 1 and 0.
    neighbourhood : {"up_to", "listed"}, optional
        NGTDM and NGLDM look at all voxels up to the largest distance (IBSI), or at those at the
        listed distances.
    lone_voxels : {"left_out", "counted"}, optional
        NGTDM: voxels without neighbours in the region are left out (IBSI), or count with s = 0.
    empty_directions : {"averaged", "left_out"}, optional
        GLRLM: directions along which no two voxels follow each other count in the mean (IBSI), or
        are left out.
    masked_kernel : bool
        Feature maps: windows hold voxels of the region only.
    kernel_radius : int, optional
        Feature maps: radius when none is given in the call.
    filters : mapping
        Filter -> its options: {"original": {}, "wavelet": {"wavelet": "coif1", "level": 1}}. Also
        "log" (sigma in mm, a list), "square", "squareroot", "logarithm", "exponential", "gradient"
        (use_spacing), "lbp2d" (radius, samples, method), "lbp3d" (levels, radius, subdivision), and
        IBSI 2's filters with the options of :mod:`pyrad_core.filters`: "mean",
        "laplacian_of_gaussian", "laws", "gabor", "separable_wavelet", "nonseparable_wavelet",
        "riesz" (docs/features.md lists options and names).
        An option "settings", a mapping, changes fields of this class for that filter's features.
    families : tuple of str
        Families to compute; all but shape2d by default. Shape is computed once, not per filter.
    features : mapping, optional
        Family -> names of the features to keep; families left out keep all.
    label : int
        Value of the region in the mask.
    correct_mask : bool
        Bring a mask on another grid to the image's by its nearest voxels (both must carry an
        affine). False: another grid is an error.
    minimum_roi_dimensions, minimum_roi_size : int, optional
        Smaller regions are an error.

    Examples
    --------
    >>> Settings(discretisation=("fbn", 32), aggregation="3D_merged").discretisation
    ('fbn', 32)
    >>> Settings.preset("pyradiomics", binWidth=10).discretisation
    ('fbs', 10.0)

    References
    ----------
    Zwanenburg et al., Radiology 295 (2020) 328, doi:10.1148/radiol.2020191145.
    van Griethuysen et al., Cancer Research 77 (2017) e104, doi:10.1158/0008-5472.CAN-17-0339.
    """

    conventions: str = "ibsi"
    resample: tuple[float, float, float] | None = None
    resample_in_plane: bool = False
    grid: str = "centre"
    resample_margin: int = 5
    interpolation: str = "linear"
    mask_interpolation: str = "linear"
    mask_threshold: float = 0.5
    round_intensities: bool | None = None
    crop_margin: int | None = None
    normalize: bool = False
    normalize_scale: float = 1.0
    remove_outliers: float | None = None
    resegment_range: tuple[float | None, float | None] | None = None
    resegment_sigma: float | tuple[float | None, float | None] | None = None
    resegment_relative: tuple[float | None, float | None] | None = None
    resegment_shape: bool = False
    discretisation: tuple[str, float] | None = ("fbs", 25.0)
    bin_edges: str = "ibsi"
    ivh_discretisation: tuple[str, float] | None = None
    aggregation: str = "3D_avg"
    slice_axis: int = 0
    distances: tuple[int, ...] = (1,)
    neighbourhood_norm: str = "chebyshev"
    symmetric: bool = True
    weighting: str | None = None
    gldm_alpha: int = 0
    voxel_array_shift: float = 0.0
    kurtosis: str | None = None
    axis_lengths: str | None = None
    undefined: str | None = None
    neighbourhood: str | None = None
    lone_voxels: str | None = None
    empty_directions: str | None = None
    masked_kernel: bool = True
    kernel_radius: int | None = None
    filters: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {"original": {}})
    families: tuple[str, ...] = DEFAULT_FAMILIES
    features: Mapping[str, tuple[str, ...]] | None = None
    label: int = 1
    correct_mask: bool = False
    minimum_roi_dimensions: int = 1
    minimum_roi_size: int | None = None

    def __init__(self, **given: Any):
        _checks.known_names("setting", given, [f.name for f in fields(self)])
        defaults = {
            f.name: f.default_factory() if callable(f.default_factory) else f.default  # type: ignore[misc]
            for f in fields(self)
        }
        for name, value in {**defaults, **given}.items():
            object.__setattr__(self, name, value)
        for name, value in _checked(self).items():
            object.__setattr__(self, name, value)

    @classmethod
    def preset(cls, name: str, **given: Any) -> Settings:
        """``"ibsi"`` with fields of this class, or ``"pyradiomics"`` with PyRadiomics' names.

        The second takes PyRadiomics' settings (``binWidth``, ``resampledPixelSpacing``,
        ``force2D``, ...) as keywords, and ``imageType``, ``featureClass``, ``voxelSetting`` and
        ``setting`` as in its parameter files.
        """
        if _checks.choice("preset", name, ("ibsi", "pyradiomics")) == "ibsi":
            return cls(**given)
        return cls(**translate(given))

    @classmethod
    def from_yaml(cls, path: str | os.PathLike[str]) -> Settings:
        """Read a YAML (or JSON) file: fields of this class, or a PyRadiomics parameter file.

        A key ``preset`` chooses the preset that the other keys are given to.
        """
        content = load_yaml(path)
        if not isinstance(content, dict):
            raise FileFormatError(f"{os.fspath(path)} holds no mapping of settings")
        try:
            return cls._of(content)
        except PyradError:
            raise
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise DataError(f"{os.fspath(path)}: a setting cannot be used ({error})") from error

    @classmethod
    def _of(cls, content: dict[Any, Any]) -> Settings:
        if content and set(content) <= set(SECTIONS):
            return cls.preset("pyradiomics", **content)
        return cls.preset(content.pop("preset", "ibsi"), **content)

    def replace(self, **changes: Any) -> Settings:
        """A copy with other values in some fields."""
        _checks.known_names("setting", changes, [f.name for f in fields(self)])
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as a YAML file holds them."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    def rule(self, name: str) -> str:
        """A definition that the conventions choose unless the field of that name does."""
        ibsi, pyradiomics = RULES[name]
        return getattr(self, name) or (ibsi if self.conventions == "ibsi" else pyradiomics)

    @property
    def dimension(self) -> str:
        """ "2D", "2.5D" or "3D": what the aggregation begins with."""
        return self.aggregation.partition("_")[0]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (tuple, list)) else value


def _checked(s: Settings) -> dict[str, Any]:
    """Values in their canonical types; raises DataError naming the setting."""
    aggregation = _SHORT_AGGREGATIONS.get(s.aggregation, s.aggregation)
    for name, value, allowed in (
        ("conventions", s.conventions, ("ibsi", "pyradiomics")),
        ("grid", s.grid, ("centre", "corner")),
        ("interpolation", s.interpolation, INTERPOLATIONS),
        ("mask_interpolation", s.mask_interpolation, INTERPOLATIONS),
        ("bin_edges", s.bin_edges, ("ibsi", "pyradiomics")),
        ("neighbourhood_norm", s.neighbourhood_norm, ("chebyshev", "manhattan", "euclidean")),
        ("aggregation", aggregation, (*AGGREGATIONS, *_SHORT_AGGREGATIONS)),
    ):
        _checks.choice(name, value, allowed)
    if s.weighting is not None:
        _checks.choice("weighting", s.weighting, WEIGHTINGS)
    filters = {name: _options(options) for name, options in dict(s.filters).items()}
    check_filters(filters)
    for name, both in RULES.items():
        if getattr(s, name) is not None:
            _checks.choice(name, getattr(s, name), both)
    _checks.known_names("family", s.families, FAMILIES)
    if s.slice_axis not in (0, 1, 2):
        raise DataError(f"slice_axis is {s.slice_axis!r}; expected 0, 1 or 2")
    _checks.known_names("family", s.features or (), FAMILIES)
    distances = s.distances if isinstance(s.distances, (tuple, list)) else (s.distances,)
    optional_radius = s.kernel_radius
    return {
        "aggregation": aggregation,
        "resample": _voxel_size(s.resample),
        "resample_margin": _checks.whole("resample_margin", s.resample_margin),
        "normalize_scale": _checks.positive("normalize_scale", s.normalize_scale),
        "mask_threshold": _checks.positive("mask_threshold", s.mask_threshold),
        "resegment_range": _limits("resegment_range", s.resegment_range),
        "resegment_relative": _limits("resegment_relative", s.resegment_relative),
        "resegment_sigma": _sigma(s.resegment_sigma),
        "discretisation": _rule("discretisation", s.discretisation),
        "ivh_discretisation": _rule("ivh_discretisation", s.ivh_discretisation),
        "distances": tuple(_checks.whole("distances", d, 1) for d in distances),
        "gldm_alpha": _checks.whole("gldm_alpha", s.gldm_alpha),
        "voxel_array_shift": _checks.number("voxel_array_shift", s.voxel_array_shift),
        "kernel_radius": None
        if optional_radius is None
        else _checks.whole("kernel_radius", optional_radius, 1),
        "filters": filters,
        "crop_margin": None
        if s.crop_margin is None
        else _checks.whole("crop_margin", s.crop_margin),
        "families": tuple(s.families),
        "features": s.features and {name: tuple(kept) for name, kept in s.features.items()},
        "label": _checks.whole("label", s.label, 1),
    }


def _options(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """A filter's options, lists as tuples, its own settings checked."""
    options: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in dict(given or {}).items()
    }
    if options.get("settings"):
        own = Settings(**options["settings"])
        options["settings"] = {name: getattr(own, name) for name in options["settings"]}
    return options


def _voxel_size(value: Any) -> tuple[float, float, float] | None:
    if value is None:
        return None
    size = tuple(value) if isinstance(value, (tuple, list)) else (value,) * 3
    if len(size) != 3:
        raise DataError(f"resample is {value!r}; expected three voxel sizes (z, y, x) in mm")
    z, y, x = (_checks.at_least("resample", v, 0) for v in size)
    return z, y, x


def _limits(name: str, value: Any) -> tuple[float | None, float | None] | None:
    if value is None:
        return None
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise DataError(f"{name} is {value!r}; expected (low, high)")
    low, high = (None if v is None else float(v) for v in value)
    if low is not None and high is not None and not low <= high:
        raise DataError(f"{name} is {value!r}; its lower end is above its upper end")
    return low, high


def _sigma(value: Any) -> tuple[float | None, float | None] | None:
    if value is None or isinstance(value, (tuple, list)):
        return _limits("resegment_sigma", value)
    s = _checks.positive("resegment_sigma", value)
    return -s, s


def _rule(name: str, value: Any) -> tuple[str, float] | None:
    if value is None:
        return None
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise DataError(f"{name} is {value!r}; expected None, ('fbs', width) or ('fbn', bins)")
    kind = _checks.choice(name, value[0], ("fbs", "fbn"))
    if kind == "fbs":
        return kind, _checks.positive(f"{name}: bin width", value[1])
    bins = _checks.whole(f"{name}: number of bins", value[1], 1)
    if name == "discretisation" and bins > MAX_LEVELS:
        raise DataError(f"{name}: {bins} bins; at most {MAX_LEVELS} are possible")
    return kind, bins
