"""Collaborative filtering of alike blocks: BM3D for images, BM4D for volumes."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import choice, entries, number, same_shape
from .._kernels.select import Edge, edge_of
from .._memory import require_memory
from ..errors import DataError, ShapeError
from ._bm4d_stages import EDGE, PROFILES, Noise, run_stages
from ._common import is_map, noise_levels, nonnegative, result_like, take_mask
from .rician import stabilise_rician, unstabilise_rician

__all__ = ["bm3d", "bm4d"]

_LEAST = 1e-3  # noise levels below this part of the mean one count as none


def bm4d(
    image: Any,
    *,
    sigma: Any = None,
    psd: Any = None,
    noise: str = "gaussian",
    profile: str = "np",
    stages: str = "both",
    threshold: float | None = None,
    mask: Any = None,
    out: Any = None,
) -> Any:
    """Collaborative filtering: alike blocks are stacked and shrunk as one signal.

    Around every second or third voxel a block (8 x 8, or 4 x 4 x 4 in volumes) is compared with
    all blocks in its search window. The alike ones form a group, whose separable transform (wavelet
    or cosine within the blocks, Haar across them) holds the image in few large coefficients. The
    first stage drops coefficients below ``threshold`` times the noise; the second finds its groups
    in the first result and shrinks by the Wiener filter that this gives. Estimates of a voxel are
    averaged, weighted by the inverse of the noise that is left in their group. In two dimensions
    this is BM3D, in three BM4D, with these choices: the mean of a group is never shrunk, so that
    means survive and a constant may be added to the image; those blocks are preferred that differ
    by a little less than pure noise would make them (in the second stage: the noise that the first
    left), not those that share its noise.

    Parameters
    ----------
    image : array, (y, x), (z, y, x) or (volume, z, y, x)
        float32 or float64; integers are converted to float32. At least 8 pixels, or 4 voxels, along
        every axis; axes of length 1 do not count. Four dimensions are filtered volume by volume.
    sigma : float, one per volume, or array of the volume's shape
        Standard deviation of the noise: one number, one per volume, or a map. Where a map is 0 the
        image is left as it is.
    psd : array, shape of a volume, optional
        In place of sigma: power spectral density of stationary coloured noise, ``E |fftn(n)|^2 /
        n.size``, zero frequency first. Its mean is the variance; white noise has ``sigma**2``
        everywhere.
    noise : {"gaussian", "rician"}
        With "rician" the image holds magnitudes >= 0, sigma (not psd; maps > 0) is that of the real
        and the imaginary part, and the answer is the signal without the noise's bias: the filter
        runs between :func:`stabilise_rician` and :func:`unstabilise_rician`.
    profile : {"np", "lc"}
        Normal, or low complexity: smaller groups and windows, steps of 4 and more. On the project's
        benchmarks the latter takes a ninth (2D) to a quarter (3D) of the time and loses 0.4 to 0.8
        dB in images, 2.5 dB in a volume of 64^3.
    stages : {"both", "hard"}
        Both stages or the first alone.
    threshold : float, optional
        Of the first stage, in standard deviations of the noise. Default 2.9 in 2D, 3.0 in 3D.
    mask : array of bool, shape of a volume, optional
        Where to filter. Voxels outside are returned unchanged; they still serve as partners. Only
        blocks that reach into the mask are worked on, so that voxels at its rim, which lack the
        blocks around, differ a little from what they are without it.
    out : array, optional
        Where to put the result: shape of the image, dtype of the result, C order.

    Returns
    -------
    array
        Same shape and, but for integers, same dtype as the image. A constant image is returned as
        it is (if the noise is Gaussian). The same bits come out for any number of threads.

    Raises
    ------
    DataError
        NaN or Inf, negative sigma or psd, both or none of them, an unknown profile; Rician noise
        with negative magnitudes, with psd, or with a map that holds zeros.
    ShapeError
        An axis shorter than a block, or a mask, map or spectrum of another shape.

    References
    ----------
    Dabov, Foi, Katkovnik, Egiazarian, IEEE Trans. Image Process. 16 (2007) 2080,
    doi:10.1109/TIP.2007.901238. Maggioni, Katkovnik, Egiazarian, Foi, IEEE Trans. Image Process. 22
    (2013) 119, doi:10.1109/TIP.2012.2210725. Makinen, Azzari, Foi, IEEE Trans. Image Process. 29
    (2020) 8339, doi:10.1109/TIP.2020.3014721 (spectra). Frosio, Kautz, IEEE Trans. Image Process.
    28 (2019) 723, doi:10.1109/TIP.2018.2869685 (which blocks are alike).

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> disc = (np.hypot(*np.ogrid[-1:1:64j, -1:1:64j]) < 0.7).astype(np.float32)
    >>> noisy = disc + np.random.default_rng(0).normal(0, 0.1, disc.shape).astype(np.float32)
    >>> clean = prc.denoise.bm4d(noisy, sigma=0.1)
    >>> bool(abs(clean - disc).mean() < abs(noisy - disc).mean() / 4)
    True
    """
    choice("noise", noise, ("gaussian", "rician"))
    if noise == "rician":
        if psd is not None or sigma is None:
            raise DataError("noise='rician' needs sigma; psd describes Gaussian noise")
        options = dict(profile=profile, stages=stages, threshold=threshold)
        return _from_magnitudes(image, sigma, mask, out, options)
    edge = edge_of(image=image, mask=mask, sigma=sigma if is_map(sigma) else None, psd=psd)
    x = edge.real("image", ndim=(2, 3, 4))
    spatial = x.shape[-3:] if x.ndim == 4 else x.shape
    dims = _dims(spatial)
    choice("profile", profile, tuple(PROFILES))
    choice("stages", stages, ("both", "hard"))
    settings = PROFILES[profile][dims]
    if threshold is not None:
        settings = settings.with_threshold(nonnegative("threshold", threshold))
    noises = _noises(edge, x, spatial, sigma, psd)
    inside = take_mask(edge, spatial)
    result = result_like(edge, x, out)
    voxels = int(np.prod(spatial))
    require_memory(
        "bm4d's copies", 8 * voxels * x.dtype.itemsize, "filter parts of the image", edge
    )
    volumes, filtered = x.reshape(-1, *spatial), result.reshape(-1, *spatial)
    shape = (1,) * (3 - len(spatial)) + spatial
    if dims == 2:  # the axis of length 1 goes first
        short = shape.index(1)
        shape = (1, *(n for d, n in enumerate(shape) if d != short))
    for k, entry in enumerate(noises):
        here = entry.reshaped(shape)
        within = None if inside is None else inside.reshape(shape)
        new = run_stages(edge, volumes[k].reshape(shape), here, settings, stages, within)
        filtered[k] = new.reshape(spatial)
    return edge.answer(result) if out is None else out


def bm3d(
    image: Any,
    *,
    sigma: Any,
    profile: str = "np",
    stages: str = "both",
    threshold: float | None = None,
    out: Any = None,
) -> Any:
    """Collaborative filtering of one image, or of a stack slice by slice; see :func:`bm4d`.

    Parameters
    ----------
    image : array, (y, x) or (slice, y, x)
        float32 or float64; integers are converted to float32.
    sigma : float or one per slice
        Standard deviation of the noise.
    profile, stages, threshold, out
        As in :func:`bm4d`.

    Returns
    -------
    array
        Same shape and, but for integers, same dtype as the image.

    Raises
    ------
    DataError, ShapeError
        As :func:`bm4d`.

    References
    ----------
    Dabov, Foi, Katkovnik, Egiazarian, IEEE Trans. Image Process. 16 (2007) 2080,
    doi:10.1109/TIP.2007.901238.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> stack = np.random.default_rng(0).normal(5, 1, (2, 32, 32))
    >>> bool(prc.denoise.bm3d(stack, sigma=1.0).std() < 0.4)
    True
    """
    edge = edge_of(image=image)
    x = edge.real("image", ndim=(2, 3))
    if x.ndim == 2:
        x = x[None]
    slices = x[:, None]
    result = result_like(edge, x.reshape(edge["image"].shape), out)
    given = entries(sigma)
    per_slice = [sigma] * len(x) if given is None else given
    if len(per_slice) != len(x):
        raise ShapeError(f"sigma has {len(per_slice)} entries, but image has {len(x)} slices")
    target = result.reshape(x.shape)
    for k, level in enumerate(per_slice):
        target[k] = bm4d(
            slices[k], sigma=level, profile=profile, stages=stages, threshold=threshold
        )[0]
    return edge.answer(result) if out is None else out


def _from_magnitudes(image: Any, sigma: Any, mask: Any, out: Any, options: dict[str, Any]) -> Any:
    edge = edge_of(image=image, mask=mask, sigma=sigma if is_map(sigma) else None)
    x = edge.real("image", ndim=(2, 3, 4))
    spatial = x.shape[-3:] if x.ndim == 4 else x.shape
    _dims(spatial)
    levels = noise_levels(edge, x, spatial, sigma)
    if isinstance(levels, list):
        ones = (1,) * len(spatial)
        wide = edge.xp.asarray(levels, dtype=np.float64).reshape(-1, *ones)
    else:
        wide = levels
        if not bool((wide > 0).all()):
            raise DataError("sigma holds zeros; expected a map > 0 where noise='rician'")
    inside = take_mask(edge, spatial)
    result = result_like(edge, x, out)
    volumes = x.reshape(-1, *spatial)
    stable = stabilise_rician(volumes, sigma=wide).reshape(x.shape)
    filtered = bm4d(stable, sigma=1.0, mask=mask, **options).reshape(volumes.shape)
    signal = unstabilise_rician(filtered, sigma=wide).reshape(x.shape)
    result[...] = signal if inside is None else edge.xp.where(inside, signal, x)
    return edge.answer(result) if out is None else out


def _dims(spatial: tuple[int, ...]) -> int:
    """2 or 3: axes that count; each must hold a block."""
    counting = [n for n in spatial if n != 1]
    dims = 3 if len(counting) == 3 else 2
    if len(counting) < 2 or min(counting) < EDGE[dims]:
        raise ShapeError(
            f"a block of {' x '.join([str(EDGE[dims])] * dims)} is larger than the image of shape "
            f"{spatial}; expected at least two axes, none shorter than a block (thin volumes: "
            "bm3d, slice by slice)"
        )
    return dims


def _noises(edge: Edge, x: Any, spatial: tuple[int, ...], sigma: Any, psd: Any) -> list[Noise]:
    """The noise of every volume."""
    count = x.shape[0] if x.ndim == 4 else 1
    if (sigma is None) == (psd is None):
        raise DataError("give either sigma or psd")
    if psd is not None:
        density = edge.real("psd", dtype=np.float64)
        same_shape("psd", density.shape, "a volume of image", spatial)
        if bool((density < 0).any()):
            raise DataError(f"psd holds {int((density < 0).sum())} negative values; expected >= 0")
        return [Noise(float(edge.xp.sqrt(density.mean())), psd=density)] * count
    levels = noise_levels(edge, x, spatial, sigma)
    if isinstance(levels, list):
        return [Noise(level) for level in levels]
    noises = [_noise_of_map(edge, level) for level in levels]
    return noises if len(noises) == count else noises * count


def _noise_of_map(edge: Edge, level: Any) -> Noise:
    """Map relative to its root mean square, without levels too small to matter."""
    mean = number("sigma", float(edge.xp.sqrt((level.astype(np.float64) ** 2).mean())))
    if mean == 0:
        return Noise(0.0)
    relative = level / level.dtype.type(mean)
    return Noise(mean, relative=edge.xp.where(relative < _LEAST, 0, relative))
