"""Pictures: previews of volumes, heat maps over images, panels side by side.

Pictures are made with Pillow; the colour maps "gray" and "heat" are built in, other names come
from matplotlib (``pyrad_core[plot]``). Every function returns the picture as a uint8 array
``(rows, columns, 3)`` and writes it when given a path.
"""

from .heat import heat_sheet
from .pictures import Panel, middle_slice, overlay, panels, preview, shown_spacing

__all__ = ["Panel", "heat_sheet", "middle_slice", "overlay", "panels", "preview", "shown_spacing"]
