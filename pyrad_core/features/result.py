"""The mapping that feature functions return."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from ._names import CLASS_NAMES, Entry

if TYPE_CHECKING:
    from .settings import Settings

__all__ = ["Features"]


class Features(dict[str, float]):
    """Ordered mapping ``"<filter>_<family>_<feature>" -> float`` with its provenance.

    A value is also found by its IBSI tag (``"cm_contrast"``), its four-letter code (``"ACUI"``) or
    its short name (``"Contrast"``) as long as only one value answers to it.

    Attributes
    ----------
    settings : Settings
        What the values were computed with.
    reasons : dict
        Name -> why the value is NaN (or the limit value of the conventions), for each that is.
    provenance : dict
        Version, voxel counts, box and grid of the region.
    """

    def __init__(self, settings: Settings):
        super().__init__()
        self.settings = settings
        self.reasons: dict[str, str] = {}
        self.provenance: dict[str, object] = {}
        self._entries: dict[str, tuple[str, str, Entry]] = {}

    def add(
        self,
        image: str,
        family: str,
        values: dict[Entry, float],
        reasons: dict[str, str] | None = None,
    ) -> None:
        """Append one family's values of one filtered image."""
        conventions = self.settings.conventions
        title = CLASS_NAMES.get(family, family) if conventions == "pyradiomics" else family
        for entry, value in values.items():
            name = f"{image}_{title}_{entry.name}"
            self[name] = float(value)
            self._entries[name] = (image, family, entry)
            if reasons and entry.name in reasons:
                self.reasons[name] = reasons[entry.name]

    def by_ibsi_tag(self, image: str = "original") -> dict[str, float]:
        """IBSI tag -> value, of the image filtered so.

        Zone and neighbourhood families take the 2D, 2.5D or 3D variant with which
        ``settings.aggregation`` begins.
        """
        return {
            entry.tag: self[name]
            for name, (source, _, entry) in self._entries.items()
            if source == image and entry.tag is not None
        }

    def table(self) -> list[dict[str, object]]:
        """One row per feature: name, value, image, family, feature, IBSI tag and code, whether IBSI
        has standardised it, reason."""
        return [
            {
                "name": name,
                "value": self[name],
                "image": image,
                "family": family,
                "feature": entry.name,
                "ibsi_tag": entry.tag or "",
                "ibsi_code": entry.code or "",
                "standardised": entry.tag is not None and entry.standardised,
                "reason": self.reasons.get(name, ""),
            }
            for name, (image, family, entry) in self._entries.items()
        ]

    def __missing__(self, key: str) -> float:
        found = [
            name
            for name, (_, _, entry) in self._entries.items()
            if key in (entry.name, entry.tag, entry.code)
        ]
        if len(found) == 1:
            return self[found[0]]
        if found:
            raise KeyError(f"{key!r} may be any of {', '.join(found)}")
        close = difflib.get_close_matches(str(key), list(self), n=1)
        raise KeyError(f"no feature {key!r}" + (f"; did you mean {close[0]!r}?" if close else ""))
