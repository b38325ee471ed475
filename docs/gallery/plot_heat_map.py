"""
Voxel-wise maps
===============

Where in a region the texture is: features of the window around each voxel.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter

import pyrad_core as prc

# %%
# A region whose left half is smooth and whose right half is grainy, with the same mean.

rng = np.random.default_rng(3)
shape = (16, 48, 48)
z, y, x = np.indices(shape) - (np.array(shape)[:, None, None, None] - 1) / 2
mask = (2.5 * z) ** 2 + y**2 + x**2 < 21**2
smooth = gaussian_filter(rng.normal(size=shape), 2)
grainy = gaussian_filter(rng.normal(size=shape), 0.6)
texture = np.where(x < 0, smooth / smooth.std(), grainy / grainy.std())
image = (100 + 20 * texture + rng.normal(0, 2, shape)).astype(np.float32)

# %%
# One call for each family; every feature of a family costs little more than one.

settings = prc.features.Settings(discretisation=("fbn", 32))
maps = {}
for family, feature in (
    ("first_order", "Variance"),
    ("glcm", "Contrast"),
    ("glrlm", "ShortRunEmphasis"),
    ("ngtdm", "Busyness"),
):
    maps |= prc.features.maps(
        image, mask, family=family, features=[feature], radius=2, settings=settings, spacing=1.0
    )

figure, axes = plt.subplots(1, 5, figsize=(12, 2.8), layout="constrained")
middle = shape[0] // 2
axes[0].imshow(image[middle], cmap="gray")
axes[0].set_title("image")
for axis, (name, values) in zip(axes[1:], maps.items(), strict=True):
    low, high = np.nanpercentile(values, (2, 98))
    axis.imshow(image[middle], cmap="gray")
    axis.imshow(values[middle], cmap="magma", vmin=low, vmax=high)
    axis.set_title(name.rpartition("_")[2])
for axis in axes:
    axis.axis("off")
