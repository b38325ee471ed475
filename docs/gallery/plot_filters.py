"""
Filters of IBSI 2
=================

What radiomic features can be taken of beside the image itself.
"""

import matplotlib.pyplot as plt
import numpy as np

import pyrad_core as prc

# %%
# A volume with an edge, a ball and a grating.

shape = (24, 96, 96)
z, y, x = np.indices(shape) - (np.array(shape)[:, None, None, None] - 1) / 2
volume = (x > 20).astype(np.float32)
volume[z**2 + (y - 20) ** 2 + (x + 20) ** 2 < 10**2] = 1
grating = (y < -5) & (x < 10)
volume[grating] = 0.5 + 0.5 * np.sin(x + y)[grating]

# %%
# Lengths are mm; boundaries and rotation pooling are options of each.

common = {"spacing": (1.0, 1.0, 1.0), "boundary": "mirror"}
responses = {
    "volume": volume,
    "mean": prc.filters.mean(volume, support=9, boundary="mirror"),
    "Laplacian of Gaussian": prc.filters.laplacian_of_gaussian(volume, sigma=3.0, **common),
    "Laws E5 L5 L5": prc.filters.laws(volume, kernels="E5L5L5", boundary="mirror"),
    "Gabor": prc.filters.gabor(volume, sigma=4.0, wavelength=6.0, angle=np.pi / 4, **common),
    "wavelet HLL": prc.filters.separable_wavelet(
        volume, wavelet="coif1", bands="HLL", boundary="mirror"
    ),
}

figure, axes = plt.subplots(2, 3, figsize=(9, 6.4), layout="constrained")
for axis, (name, response) in zip(axes.flat, responses.items(), strict=True):
    axis.imshow(np.asarray(response)[shape[0] // 2], cmap="gray")
    axis.set_title(name)
    axis.set(xticks=[], yticks=[])
