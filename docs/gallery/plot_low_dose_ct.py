"""
Low-dose CT
===========

A fan-beam scan with few photons, by filtered backprojection and by penalised least squares.
"""

import matplotlib.pyplot as plt
import numpy as np

import pyrad_core as prc

# %%
# The scan is simulated in closed form and gets photon noise of a low dose.

angles = np.linspace(0, 2 * np.pi, 360, endpoint=False)
scan = prc.FanBeam(angles, detector=300, pixel=1.0, source_origin=400, source_detector=700)
grid = prc.Volume((160, 160), spacing=1.0)
head = prc.phantom.shepp_logan(2, radius=75)
truth = 0.1 * head.raster(grid)  # brain is water: 0.02 / mm
clean = 0.1 * head.project(scan)
noisy = prc.ct.simulate_dose(clean, photons=1e4, electronic_noise=10, seed=1)

# %%
# Penalised weighted least squares trusts each ray by its photons.

by_fbp = prc.ct.fbp(noisy, scan, grid)
by_pwls = prc.ct.recon(noisy, scan, grid, method="pwls", iterations=20)

figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
for axis, image, name in zip(axes, (truth, by_fbp, by_pwls), ("truth", "FBP", "PWLS"), strict=True):
    error = np.sqrt(np.mean((image - truth) ** 2)) / truth.max()
    axis.imshow(image, cmap="gray", vmin=0.01, vmax=0.035)
    axis.set_title(name if image is truth else f"{name}, error {100 * error:.1f} %")
    axis.axis("off")
