"""
A cohort with a damaged file
============================

One verb over a table of cases: what can be computed is, and what cannot has a row with its reason.
Needs Dask (``pip install 'pyrad_core[cohort]'``).
"""

import csv
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter

import pyrad_core as prc

# %%
# Twelve lesions whose grain gets coarser, as files in a folder. One of them is cut off.

rng = np.random.default_rng(11)
folder = Path(tempfile.mkdtemp())
z, y, x = np.indices((24, 24, 24)) - 11.5
mask = (z**2 + y**2 + x**2 < 10**2).astype(np.uint8)
prc.io.write_image(folder / "mask.nii.gz", mask)
widths = np.linspace(0.4, 2.0, 12)
for number, width in enumerate(widths):
    grain = gaussian_filter(rng.normal(size=mask.shape), width)
    image = mask * (100 + 20 * grain / grain.std()) + rng.normal(0, 3, mask.shape)
    prc.io.write_image(folder / f"p{number}.nii.gz", image.astype(np.float32))
damaged = folder / "p7.nii.gz"
damaged.write_bytes(damaged.read_bytes()[:20_000])

with open(folder / "cases.csv", "w", newline="") as table:
    writer = csv.writer(table)
    writer.writerow(["id", "image", "mask"])
    writer.writerows([f"p{i}", f"p{i}.nii.gz", "mask.nii.gz"] for i in range(12))

# %%
# The run. The same call again would compute the damaged case alone, once its file is mended.

settings = prc.features.Settings(discretisation=("fbn", 16), families=("first_order", "glcm"))
outcome = prc.cohort.run(folder / "cases.csv", settings=settings, out=folder / "study", workers=1)
print(outcome.computed, "computed;", {k: v.split(": ")[-1] for k, v in outcome.failed.items()})

with open(folder / "study" / "results.csv", newline="") as table:
    rows = list(csv.DictReader(table))

# %%
# The table of results holds a row for every case, in the order of the table of cases.

figure, axes = plt.subplots(1, 4, figsize=(12, 3), layout="constrained", width_ratios=(1, 1, 1, 2))
for axis, number in zip(axes, (0, 5, 11), strict=False):
    axis.imshow(prc.io.read_image(folder / f"p{number}.nii.gz").data[12], cmap="gray")
    axis.set_title(f"p{number}")
    axis.axis("off")
for width, row in zip(widths, rows, strict=True):
    if row["status"] == "ok":
        axes[3].plot(width, float(row["original_glcm_Correlation"]), "o", color="C0")
    else:
        axes[3].axvline(width, color="C1", label=f"{row['id']}: {row['status']}")
axes[3].set(xlabel="width of the grain, voxels", ylabel="GLCM correlation")
axes[3].legend()
