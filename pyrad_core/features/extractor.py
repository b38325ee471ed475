"""A table of features of many cases, as a transformer of scikit-learn's kind."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from .. import _checks
from ..errors import DataError, MissingDependencyError, PyradError, PyradWarning
from ._origin import origin
from .extract import extract
from .result import Features
from .settings import Settings

__all__ = ["FeatureExtractor"]

_FAILURES = (PyradError, OSError, MemoryError)
_CONTAINERS = ("default", "pandas", "polars")


class FeatureExtractor:
    """Images and masks in, one row of radiomic features per case out.

    Follows scikit-learn's conventions (``fit``, ``transform``, ``get_feature_names_out``,
    ``get_params``, ``set_params``, ``set_output``), so that it is the first step of a ``Pipeline``
    and can be cloned; scikit-learn itself is not needed.

    Parameters
    ----------
    settings : Settings, mapping, str or path, optional
        Settings; a mapping of its fields; a preset's name ("ibsi", "pyradiomics"); or a YAML file
        of settings or PyRadiomics parameters. IBSI's definitions if None.
    label : int, optional
        Value of the region in the masks; a case's own label goes before it, ``settings.label``
        comes after it.
    on_error : {"raise", "nan"}
        What a case that cannot be used does: stop with an error that names the case, or become a
        row of NaN with its reason in ``errors_``.
    n_jobs : int, optional
        Cases at a time, each in a thread; -1: as many as there are processors. None: one case
        after the other, whose kernels use all threads.

    Attributes
    ----------
    feature_names_out_ : ndarray of str
        Columns, as :func:`~pyrad_core.features.extract` names them.
    errors_ : dict
        Number of the case in the last call -> why it has no values.
    reasons_ : list of dict
        Per case: feature -> why its value is NaN (or a limit).
    provenance_ : list of dict
        Per case: versions, grid, box and voxels of the region, SHA-256 of image and mask.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> cases = [(rng.normal(size=(8, 8, 8)), np.ones((8, 8, 8), np.uint8)) for _ in range(3)]
    >>> settings = Settings(families=("first_order",))
    >>> FeatureExtractor(settings).fit_transform(cases).shape
    (3, 18)

    References
    ----------
    Zwanenburg et al., Radiology 295 (2020) 328, doi:10.1148/radiol.2020191145.
    """

    feature_names_out_: np.ndarray
    errors_: dict[int, str]
    reasons_: list[dict[str, str]]
    provenance_: list[dict[str, Any]]

    def __init__(
        self,
        settings: Any = None,
        *,
        label: int | None = None,
        on_error: str = "raise",
        n_jobs: int | None = None,
    ):
        self.settings = settings
        self.label = label
        self.on_error = on_error
        self.n_jobs = n_jobs

    # --- parameters ------------------------------------------------------------------------------

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments of the constructor; of a :class:`Settings` also its fields if ``deep``."""
        params = {name: getattr(self, name) for name in ("settings", "label", "on_error", "n_jobs")}
        if deep and isinstance(self.settings, Settings):
            fields = self.settings.to_dict()
            params.update({f"settings__{name}": value for name, value in fields.items()})
        return params

    def set_params(self, **params: Any) -> FeatureExtractor:
        """Change arguments of the constructor, or ``settings__<field>`` for one of its fields."""
        own = ("settings", "label", "on_error", "n_jobs")
        inner = {n.removeprefix("settings__"): v for n, v in params.items() if "__" in n}
        outer = {n: v for n, v in params.items() if "__" not in n}
        _checks.known_names("parameter", outer, own)
        for name, value in outer.items():
            setattr(self, name, value)
        if inner:
            self.settings = settings_of(self.settings).replace(**inner)
        return self

    def set_output(self, *, transform: str | None = None) -> FeatureExtractor:
        """What ``transform`` returns: "default" (array), "pandas" or "polars" (data frames)."""
        if transform is not None:
            self._output = _checks.choice("transform", transform, _CONTAINERS)
        return self

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns; known after ``fit``."""
        if not hasattr(self, "feature_names_out_"):
            raise DataError("this FeatureExtractor is not fitted yet; call fit first")
        return self.feature_names_out_

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "feature_names_out_")

    def __sklearn_tags__(self) -> Any:
        utils = importlib.import_module("sklearn.utils")
        return utils.Tags(
            estimator_type=None,
            target_tags=utils.TargetTags(required=False),
            transformer_tags=utils.TransformerTags(),
            input_tags=utils.InputTags(two_d_array=False),
        )

    def __repr__(self) -> str:
        shown = ", ".join(f"{n}={v!r}" for n, v in self.get_params(deep=False).items())
        return f"FeatureExtractor({shown})"

    # --- fitting ---------------------------------------------------------------------------------

    def fit(self, X: Iterable[Any], y: Any = None) -> FeatureExtractor:
        """Learn the names of the columns from the first case that can be used.

        ``X``: a sequence of cases, each (image, mask) or (image, mask, label): arrays, images that
        carry a grid (:func:`pyrad_core.io.read_image`, nibabel, SimpleITK), or paths; or a
        :class:`pyrad_core.io.Case`. ``y`` is ignored.
        """
        self._check()
        for number, case in enumerate(_cases(X)):
            outcome = self._one(number, case)
            if isinstance(outcome, Features):
                self.feature_names_out_ = np.array(list(outcome), dtype=object)
                return self
        raise DataError("no case can be used, so the names of the features are not known")

    def fit_transform(self, X: Iterable[Any], y: Any = None, **ignored: Any) -> Any:
        """``fit(X).transform(X)``, extracting once; columns are those that any case has."""
        self._check()
        outcomes = self._all(X)
        names = dict.fromkeys(n for found in outcomes if isinstance(found, Features) for n in found)
        if not names:
            raise DataError(f"no case can be used; the first: {next(iter(self.errors_.values()))}")
        self.feature_names_out_ = np.array(list(names), dtype=object)
        return self._table(outcomes)

    def transform(self, X: Iterable[Any]) -> Any:
        """(cases, features) float64, or the data frame that ``set_output`` asked for.

        Features that a case lacks are NaN; those unknown to ``fit`` are left out with a warning.
        """
        self._check()
        self.get_feature_names_out()
        return self._table(self._all(X))

    def _check(self) -> None:
        _checks.choice("on_error", self.on_error, ("raise", "nan"))
        if self.n_jobs is not None and (isinstance(self.n_jobs, bool) or self.n_jobs == 0):
            raise DataError(f"n_jobs is {self.n_jobs}; expected None, -1 or a number >= 1")
        self._settings = settings_of(self.settings)

    def _all(self, X: Iterable[Any]) -> list[Features | str]:
        cases = _cases(X)
        jobs = self.n_jobs or 1
        jobs = min((os.cpu_count() or 1) if jobs < 0 else jobs, max(len(cases), 1))
        if jobs > 1:
            with ThreadPoolExecutor(jobs) as pool:
                outcomes = list(pool.map(self._one, range(len(cases)), cases))
        else:
            outcomes = [self._one(number, case) for number, case in enumerate(cases)]
        self.errors_ = {n: text for n, text in enumerate(outcomes) if isinstance(text, str)}
        found = [f if isinstance(f, Features) else None for f in outcomes]
        self.reasons_ = [dict(f.reasons) if f else {} for f in found]
        self.provenance_ = [dict(f.provenance) if f else {} for f in found]
        return outcomes

    def _one(self, number: int, case: Any) -> Features | str:
        """The case's features, or why it has none."""
        try:
            image, mask, label = _loaded(case)
            label = self.label if label is None else label
            result = extract(image, mask, label=label, settings=self._settings)
        except _FAILURES as error:
            name = getattr(case, "id", None) or number
            if self.on_error == "raise":
                error.add_note(f"case {name} of FeatureExtractor")
                raise
            return f"{type(error).__name__}: {' '.join(str(error).split())}"
        result.provenance |= origin(image, mask)
        return result

    def _table(self, outcomes: list[Features | str]) -> Any:
        names = self.feature_names_out_.tolist()
        found = [f if isinstance(f, Features) else {} for f in outcomes]
        known = set(names)
        unknown = [n for n in dict.fromkeys(n for f in found for n in f) if n not in known]
        if unknown:
            warnings.warn(
                f"{len(unknown)} features were not seen in fit and are left out, "
                f"the first {unknown[0]}",
                PyradWarning,
                stacklevel=3,
            )
        rows = [[dict.get(f, name, np.nan) for name in names] for f in found]
        table = np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
        return _framed(table, names, self._container())

    def _container(self) -> str:
        sklearn = sys.modules.get("sklearn")
        general = sklearn.get_config().get("transform_output", "default") if sklearn else "default"
        return getattr(self, "_output", None) or general


def settings_of(given: Any) -> Settings:
    if given is None:
        return Settings()
    if isinstance(given, Settings):
        return given
    if isinstance(given, dict):
        return Settings(**given)
    if given in ("ibsi", "pyradiomics"):
        return Settings.preset(given)
    if isinstance(given, (str, os.PathLike)):
        return Settings.from_yaml(given)
    raise DataError(
        f"settings is {type(given).__name__}; expected Settings, a mapping, a preset or a file"
    )


def _cases(X: Iterable[Any]) -> list[Any]:
    """The cases as a list; a single pair instead of a sequence of them is an error."""
    if isinstance(X, (str, bytes, os.PathLike, dict)) or not isinstance(X, Iterable):
        raise DataError(f"X is {type(X).__name__}; expected a sequence of (image, mask) pairs")
    cases = list(X)
    for number, case in enumerate(cases):
        pair = isinstance(case, Sequence) and not isinstance(case, str) and len(case) in (2, 3)
        if not pair and not hasattr(case, "load") and not _object_row(case):
            raise DataError(
                f"case {number} of X is {type(case).__name__}; expected (image, mask), "
                "(image, mask, label) or a Case"
            )
    return cases


def _object_row(case: Any) -> bool:
    """A row of an array of objects, as scikit-learn's splitters cut them."""
    return isinstance(case, np.ndarray) and case.dtype == object and case.shape in ((2,), (3,))


def _loaded(case: Any) -> tuple[Any, Any, int | None]:
    if not hasattr(case, "load"):
        image, mask, *rest = case
        label = None if not rest or rest[0] is None else int(rest[0])
        if not isinstance(image, (str, os.PathLike)) and not isinstance(mask, (str, os.PathLike)):
            return image, mask, label
        # Files stand in the layer above this one, which is asked only where paths are given.
        io: Any = importlib.import_module("pyrad_core.io")
        if isinstance(image, (str, os.PathLike)):
            image = io.read_image(image)
        if isinstance(mask, (str, os.PathLike)):
            mask = io.read_mask(mask, image)
        return image, mask, label
    image, mask, label = case.load()
    return image, mask, label


def _framed(table: np.ndarray, names: list[str], container: str) -> Any:
    if container == "default":
        return table
    try:
        library = importlib.import_module(container)
    except ImportError as error:
        raise MissingDependencyError(f"{container} is needed for this output") from error
    if container == "pandas":
        return library.DataFrame(table, columns=names)
    return library.DataFrame(table, schema=names, orient="row")
