"""Scan geometries and the reconstruction grid: frozen, hashable, lengths in mm, angles in radians.

World axes: x grows with the last array index, y with the last but one, z with the first; the
rotation axis is z through the origin. At angle ``t``

* the detector's column axis is ``u = (cos t, sin t, 0)``, its row axis ``v = (0, 0, 1)``;
* the central ray runs along ``d = (-sin t, cos t, 0)``;
* the source of a fan or cone stands at ``-source_origin * d`` (``+ pitch * t / (2 pi)`` in z);
* the detector's centre stands at
  ``(source_detector - source_origin) * d + offset_u * u + offset_v * v``.

Pixel ``i`` of ``n`` is centred at ``(i - (n - 1) / 2) * pixel + offset``; voxels likewise. Curved
detectors are cylinders about the source, with ``pixel`` measured along the arc.
"""

from .beam import Beam, Frames
from .cone import ConeBeam
from .fan import FanBeam
from .parallel import ParallelBeam
from .volume import Volume

__all__ = ["Beam", "ConeBeam", "FanBeam", "Frames", "ParallelBeam", "Volume"]
