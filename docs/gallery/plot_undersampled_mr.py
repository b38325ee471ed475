"""
Undersampled MR
===============

Thirty-four golden-angle spokes and eight coils: gridding, SENSE, and total variation.
"""

import matplotlib.pyplot as plt
import numpy as np

import pyrad_core as prc

# %%
# Samples of a smooth-phased phantom through eight coils, with noise.

shape = (160, 160)
truth = prc.phantom.shepp_logan(2, radius=70).raster(prc.Volume(shape)).astype(np.complex64)
maps = prc.phantom.coil_maps(8, shape)
spokes = prc.mr.golden_radial(34, 320, 160)
sense = prc.mr.Sense(maps, coordinates=spokes)
noise = np.random.default_rng(0).normal(0, 0.005, (*sense.range_shape, 2))
kspace = sense.forward(truth) + noise.view(np.complex128)[..., 0].astype(np.complex64)

# %%
# Gridding leaves streaks, SENSE uses the coils, the prior uses what images look like.

weights = prc.mr.density_compensation(spokes, shape)
gridded = sense.adjoint(kspace * np.asarray(weights, np.float32))
by_sense = prc.mr.cg_sense(kspace, maps, coordinates=spokes, iterations=15)
by_tv = prc.mr.compressed_sensing(
    kspace, maps, coordinates=spokes, prior="tv", weight=2e-3, iterations=60
)

figure, axes = plt.subplots(1, 4, figsize=(11, 3.1), layout="constrained")
names = ("truth", "gridding", "CG-SENSE", "total variation")
for axis, image, name in zip(axes, (truth, gridded, by_sense, by_tv), names, strict=True):
    scale = np.vdot(image, truth) / np.vdot(image, image)
    error = np.linalg.norm(scale * image - truth) / np.linalg.norm(truth)
    axis.imshow(np.abs(scale * image), cmap="gray", vmin=0, vmax=0.45 * np.abs(truth).max())
    axis.set_title(name if image is truth else f"{name}, error {100 * error:.0f} %")
    axis.axis("off")
