"""What people write in NumPy, SciPy and PyWavelets for CT pre-processing.

There is no pip-installable package with these jobs, so the peers are the usual array code: as few
passes as it takes, float32 throughout, in place where that is possible.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .need import need

__all__ = [
    "numpy_dose",
    "numpy_normalize",
    "pywt_wavelet_fourier",
    "scipy_pwls",
    "scipy_sorting",
]


def numpy_normalize(counts: Any, flat: Any, dark: Any) -> Any:
    gain = flat - dark

    def run():
        lines = counts.astype(np.float32)
        lines -= dark
        lines /= gain
        np.log(lines, out=lines)
        return np.negative(lines, out=lines)

    return run


def scipy_sorting(lines: Any, size: int) -> Any:
    """Sorting-based stripe removal, views x columns of one row at a time."""
    ndimage = need("scipy.ndimage")

    def one(sinogram):
        order = np.argsort(sinogram, axis=0, kind="stable")
        ranked = np.take_along_axis(sinogram, order, axis=0)
        smooth = ndimage.median_filter(ranked, size=(1, size), mode="nearest")
        out = np.empty_like(sinogram)
        np.put_along_axis(out, order, smooth, axis=0)
        return out

    return lambda: np.stack([one(lines[:, r]) for r in range(lines.shape[1])], axis=1)


def pywt_wavelet_fourier(lines: Any, wavelet: str, level: int, sigma: float) -> Any:
    pywt, fft = need("pywt"), need("scipy.fft")

    def one(sinogram):
        bands = pywt.wavedec2(sinogram, wavelet, level=level)
        for k in range(1, len(bands)):
            horizontal, vertical, diagonal = bands[k]
            spectrum = fft.rfft(vertical, axis=0)
            order = np.arange(len(spectrum), dtype=np.float32)[:, None]
            spectrum *= 1 - np.exp(-(order**2) / (2 * sigma**2))
            bands[k] = horizontal, fft.irfft(spectrum, n=len(vertical), axis=0), diagonal
        return pywt.waverec2(bands, wavelet)[: sinogram.shape[0], : sinogram.shape[1]]

    return lambda: np.stack([one(lines[:, r]) for r in range(lines.shape[1])], axis=1)


def numpy_dose(lines: Any, photons: float, noise: float) -> Any:
    def run():
        draw = np.random.default_rng(1)
        counts = draw.poisson(photons * np.exp(-lines.astype(np.float64))).astype(np.float64)
        counts += noise * draw.standard_normal(lines.shape)
        return -np.log(np.maximum(counts, 0.5) / photons).astype(np.float32)

    return run


def scipy_pwls(lines: Any, weights: Any, strength: float, couplings: Any, tol: float) -> Any:
    """Conjugate gradients of SciPy on its sparse matrix; the matrix is made before."""
    sparse, linalg = need("scipy.sparse"), need("scipy.sparse.linalg")
    diagonal = weights.ravel().astype(np.float32)
    matrix = sparse.diags(diagonal)
    for axis, c in enumerate(couplings):
        n = lines.shape[axis]
        if n == 1:
            continue
        step = sparse.diags([-np.ones(n - 1), np.ones(n - 1)], [0, 1], (n - 1, n))
        parts = [sparse.identity(m) for m in lines.shape]
        parts[axis] = step.T @ step
        matrix = matrix + strength * c * sparse.kron(sparse.kron(parts[0], parts[1]), parts[2])
    matrix = matrix.tocsr().astype(np.float32)
    right, start = diagonal * lines.ravel(), lines.ravel()
    jacobi = sparse.diags(1 / matrix.diagonal()).tocsr()

    def run():
        rest = float(np.linalg.norm(right - matrix @ start))
        answer, _ = linalg.cg(matrix, right, x0=start, rtol=0, atol=tol * rest, M=jacobi)
        return answer.reshape(lines.shape)

    return run
