"""Mixture of two denoised images by wavelet bands."""

from __future__ import annotations

from typing import Any

from .._checks import positive, same_shape
from .._kernels.select import Edge, edge_of
from ..errors import DataError, ShapeError
from ..wavelet import Wavelet, dwtn, idwtn
from ._common import result_like

__all__ = ["mix_subbands"]


def mix_subbands(
    image: Any, fine: Any, coarse: Any, *, sigma: float, wavelet: str = "db2", out: Any = None
) -> Any:
    """Details from one denoised image where there are any, smoothness from another elsewhere.

    Small patches keep details, large ones smooth flat areas better. In every detail band of a
    one-level wavelet transform a coefficient becomes ``a w_coarse + (1 - a) w_fine`` with
    ``a = clip(2 - 2 |w_coarse| / T, 0, 1)``: the coarse image's below T/2, the fine one's above T.
    ``T = sigma^2 / s`` is the threshold of BayesShrink, s the signal's standard deviation in that
    band of the noisy image. The approximation band is the mean of both.

    Parameters
    ----------
    image : array, (y, x), (z, y, x) or (volume, z, y, x)
        The noisy image, float32 or float64; integers are converted to float32.
    fine, coarse : arrays of the image's shape
        Denoised with little smoothing (such as ``nlm(..., patch=3)``) and with more (``patch=5``).
    sigma : float > 0
        Standard deviation of the noise.
    wavelet : str
        An orthogonal wavelet.
    out : array, optional
        Where to put the result: shape of the image, dtype of the result, C order.

    Returns
    -------
    array
        Same shape and, but for integers, same dtype as the image.

    Raises
    ------
    DataError
        NaN or Inf, sigma <= 0, or an unknown wavelet.
    ShapeError
        Images of different shapes, or an axis of one voxel only.

    References
    ----------
    Coupe et al., Med. Image Anal. 16 (2012) 1158, doi:10.1016/j.media.2012.04.002.
    Chang, Yu, Vetterli, IEEE Trans. Image Process. 9 (2000) 1532, doi:10.1109/83.862633.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> disc = (np.hypot(*np.ogrid[-1:1:64j, -1:1:64j]) < 0.7).astype(np.float32)
    >>> noisy = disc + np.random.default_rng(0).normal(0, 0.1, disc.shape).astype(np.float32)
    >>> fine, coarse = (prc.denoise.nlm(noisy, sigma=0.1, patch=p) for p in (3, 7))
    >>> mixed = prc.denoise.mix_subbands(noisy, fine, coarse, sigma=0.1)
    >>> bool(abs(mixed - disc).mean() < abs(noisy - disc).mean() / 3)
    True
    """
    edge = edge_of(image=image, fine=fine, coarse=coarse)
    x = edge.real("image", ndim=(2, 3, 4))
    fine, coarse = (edge.real(name, dtype=x.dtype) for name in ("fine", "coarse"))
    for name, other in (("fine", fine), ("coarse", coarse)):
        same_shape(name, other.shape, "image", x.shape)
    spatial = x.shape[-3:] if x.ndim == 4 else x.shape
    axes = tuple(a - len(spatial) for a, n in enumerate(spatial) if n > 1)
    if not axes:
        raise ShapeError(f"image has shape {x.shape}; expected more than one voxel along an axis")
    sigma = positive("sigma", sigma)
    if not Wavelet(wavelet).orthogonal:
        raise DataError(f"wavelet is {wavelet!r}; expected an orthogonal one, such as 'db2'")
    result = result_like(edge, x, out)
    shape = (-1, *spatial)
    parts = (a.reshape(shape) for a in (x, fine, coarse, result))
    for noisy, small, large, target in zip(*parts, strict=True):
        mixed = _mix(edge, noisy, small, large, sigma, wavelet, axes)
        target[...] = mixed[tuple(slice(n) for n in spatial)]
    return edge.answer(result) if out is None else out


def _mix(
    edge: Edge, noisy: Any, fine: Any, coarse: Any, sigma: float, wavelet: str, axes: Any
) -> Any:
    xp = edge.xp
    bands, small, large = (dwtn(a, wavelet, axes=axes) for a in (noisy, fine, coarse))
    for name, band in bands.items():
        if "d" not in name:
            large[name] = (large[name] + small[name]) / 2
            continue
        signal = float((band.astype(xp.float64) ** 2).mean()) - sigma * sigma
        if signal <= 0:
            continue  # nothing but noise: the coarse image's
        threshold = sigma * sigma / signal**0.5
        share = xp.clip(2 - xp.abs(large[name]) * (2 / threshold), 0, 1)
        large[name] = share * large[name] + (1 - share) * small[name]
    return idwtn(large, wavelet, axes=axes)
