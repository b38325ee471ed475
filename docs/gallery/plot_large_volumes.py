"""
Volumes beyond memory
=====================

A volume is read, denoised and written slab by slab; halos make the slabs equal to the whole. Needs
Dask (``pip install 'pyrad_core[cohort]'``).
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import pyrad_core as prc

# %%
# A noisy phantom in a file that is mapped, not loaded. Its slices are 96 here; a scan of thousands
# takes the same few lines and the same memory.

rng = np.random.default_rng(5)
phantom = prc.phantom.shepp_logan(3, radius=44).raster(prc.Volume((96, 96, 96), 1.0))
path = Path(tempfile.mkdtemp()) / "scan.npy"
np.save(path, (phantom + rng.normal(0, 0.05, phantom.shape)).astype(np.float32))
scan = np.load(path, mmap_mode="r")

# %%
# Ten steps of edge-preserving diffusion look ten slices far: the slab's halo. Nothing is computed
# before a part is asked for.

settings = {"iterations": 10, "kappa": 0.1}
slabs = prc.chunked.denoise(scan, "anisotropic_diffusion", chunk=32, **settings)
clean = slabs.compute(scheduler="synchronous")
whole = prc.denoise.anisotropic_diffusion(np.asarray(scan), **settings)
alone = np.concatenate(
    [prc.denoise.anisotropic_diffusion(scan[i : i + 32], **settings) for i in range(0, 96, 32)]
)
print("bits that differ from the whole volume's:", np.count_nonzero(clean != whole))

# %%
# The same slabs without halos show seams: each one ends where its neighbour begins.

figure, axes = plt.subplots(1, 4, figsize=(12, 3.2), layout="constrained")
views = {
    "scan, three slabs": (np.asarray(scan), None),
    "denoised by slabs": (clean, None),
    "off the whole, no halos": (np.abs(alone - whole), 0.03),
    "off the whole, halos": (np.abs(clean - whole), 0.03),
}
for axis, (title, (volume, most)) in zip(axes, views.items(), strict=True):
    low, high, colours = (0, most, "magma") if most else (0, 0.6, "gray")
    axis.imshow(volume[:, 48], cmap=colours, vmin=low, vmax=high, origin="lower")
    axis.set_title(title)
    axis.axis("off")
for edge in (31.5, 63.5):
    axes[0].axhline(edge, color="C1", linewidth=1)
