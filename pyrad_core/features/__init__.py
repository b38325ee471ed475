"""Radiomic features: image and mask in, named values or maps out."""

from __future__ import annotations

from . import matrices
from .extract import extract, extract_many
from .extractor import FeatureExtractor
from .first_order import first_order
from .glcm import glcm
from .gldzm import gldzm
from .glrlm import glrlm
from .glszm import glszm
from .intensity_histogram import intensity_histogram
from .intensity_volume_histogram import intensity_volume_histogram
from .local_intensity import local_intensity
from .maps import LOCAL_FEATURE, maps
from .ngldm import ngldm
from .ngtdm import ngtdm
from .result import Features
from .settings import Settings
from .shape import shape
from .shape2d import shape2d

__all__ = [
    "LOCAL_FEATURE",
    "FeatureExtractor",
    "Features",
    "Settings",
    "extract",
    "extract_many",
    "first_order",
    "glcm",
    "gldzm",
    "glrlm",
    "glszm",
    "intensity_histogram",
    "intensity_volume_histogram",
    "local_intensity",
    "maps",
    "matrices",
    "ngldm",
    "ngtdm",
    "shape",
    "shape2d",
]
