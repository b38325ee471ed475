"""
Denoising
=========

One noisy phantom, one noise level for all methods.
"""

import matplotlib.pyplot as plt
import numpy as np

import pyrad_core as prc

# %%
# A head of slopes and edges with a fine grating; the noise level is estimated.

shape = (192, 192)
y, x = np.indices(shape) - 95.5
truth = prc.phantom.shepp_logan(2, radius=88).raster(prc.Volume(shape)).astype(np.float32)
truth += np.where(truth > 0.1, 0.002 * x, 0).astype(np.float32)
truth[(abs(y + 50) < 14) & (abs(x) < 14) & (np.sin(x) > 0)] += 0.3
noisy = truth + np.random.default_rng(1).normal(0, 0.1, shape).astype(np.float32)
sigma = prc.denoise.estimate_sigma(noisy)

# %%
# Strengths follow from the noise level alone.

denoise = prc.denoise
images = {
    "noisy": noisy,
    "median": denoise.median(noisy, size=3),
    "bilateral": denoise.bilateral(noisy, sigma_space=2.0, sigma_range=4 * sigma),
    "diffusion": denoise.anisotropic_diffusion(noisy, kappa=2 * sigma, iterations=15),
    "wavelet": denoise.wavelet(noisy, wavelet="haar", method="sure", sigma=sigma, cycle_spins=3),
    "total variation": denoise.tv(noisy, weight=sigma),
    "TGV": denoise.tgv(noisy, weight=sigma),
    "non-local means": denoise.nlm(noisy, sigma=sigma, patch=5, search=17),
    "BM3D": denoise.bm4d(noisy, sigma=sigma),
}


def psnr(image):
    return 10 * np.log10(truth.max() ** 2 / np.mean((image - truth) ** 2))


figure, axes = plt.subplots(2, 5, figsize=(13, 5.6), layout="constrained")
shown = {"truth": truth, **images}
for axis, (name, image) in zip(axes.flat, shown.items(), strict=True):
    axis.imshow(image, cmap="gray", vmin=-0.05, vmax=0.6)
    axis.set_title(name if image is truth else f"{name}, {psnr(image):.1f} dB", fontsize=10)
    axis.axis("off")
