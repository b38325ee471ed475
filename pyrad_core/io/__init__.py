"""Files in, images and tables out: arrays with their geometry, no kernel is called here.

Readers never guess silently: a truncated, lying or hostile file raises
:class:`~pyrad_core.errors.FileFormatError` before anything large is allocated.
"""

from .bart import write_cfl
from .cases import Case, read_cases
from .containers import Image, KSpace, Projections
from .geometry_file import write_geometry
from .image import read_image, write_image
from .kspace import read_kspace
from .mask import mask_names, read_mask
from .projections import read_projections
from .table import write_table

__all__ = [
    "Case",
    "Image",
    "KSpace",
    "Projections",
    "mask_names",
    "read_cases",
    "read_image",
    "read_kspace",
    "read_mask",
    "read_projections",
    "write_cfl",
    "write_geometry",
    "write_image",
    "write_table",
]
