"""The phase between EPI lines read forwards and backwards: from navigators, or from the image."""

from __future__ import annotations

from typing import Any

import numpy as np

from .fourier import ifft

__all__ = ["entropy_phase", "fitted_phase"]


def fitted_phase(xp: Any, product: Any, order: int | str) -> Any:
    """Phase along x of forward times conjugate backward lines, (x,) or (coil, x), float64."""
    d = product.astype(np.complex128)
    x = xp.arange(d.shape[-1], dtype=np.float64) - d.shape[-1] // 2
    slope = xp.angle(xp.sum(d[..., 1:] * d[..., :-1].conj(), axis=-1, keepdims=True))
    constant = xp.angle(xp.sum(d * xp.exp(-1j * slope * x), axis=-1, keepdims=True))
    phase = constant + slope * x
    if order == "pointwise":
        return phase + _smooth_angle(xp, d * xp.exp(-1j * phase))
    weight = xp.abs(d)
    weight = xp.where(weight > 0.01 * weight.max(axis=-1, keepdims=True), weight, 0)
    basis = xp.asarray(np.polynomial.legendre.legvander(_unit(d.shape[-1]), int(order)))
    for _ in range(3):  # residuals are small after the first; wrapped ones come right
        residual = xp.angle(d * xp.exp(-1j * phase))
        weighted = weight[..., None] * basis
        normal = xp.swapaxes(weighted, -1, -2) @ basis
        right = xp.swapaxes(weighted, -1, -2) @ residual[..., None]
        phase = phase + (basis @ xp.linalg.solve(normal, right))[..., 0]
    return phase


def _unit(n: int) -> np.ndarray:
    return (np.arange(n) - n // 2) / (n / 2)


def _smooth_angle(xp: Any, d: Any) -> Any:
    """Angle of d after a window of 3 pixels along x; 0 where there is no signal."""
    weights = (0.5, 1.0, 0.5)
    total = xp.zeros_like(d)
    for shift, weight in enumerate(weights):
        total += weight * xp.roll(d, shift - 1, axis=-1)
    size = xp.abs(total)
    return xp.where(size > 1e-3 * size.max(axis=-1, keepdims=True), xp.angle(total), 0)


def entropy_phase(xp: Any, hybrid: Any, reflected: np.ndarray, near: Any = None) -> Any:
    """The linear phase of least image entropy, shared by all frames and coils.

    With ``near`` only a small linear phase beside that one is looked for.
    """
    lines = hybrid.reshape(-1, *hybrid.shape[-2:])
    back = xp.asarray(reflected)[:, None]
    forward_image = ifft(xp.where(back, 0, lines), axes=(-2,))
    backward_image = ifft(xp.where(back, lines, 0), axes=(-2,))
    power = xp.sum(xp.abs(forward_image) ** 2 + xp.abs(backward_image) ** 2, axis=0)
    cross = forward_image * backward_image.conj()
    if near is not None:
        cross = cross * xp.exp(-1j * _of_lines(near, hybrid)).astype(cross.dtype)
    cross = xp.sum(cross, axis=0).astype(np.complex128)
    power, x = power.astype(np.float64), xp.asarray(np.arange(hybrid.shape[-1]) * 1.0)
    x -= hybrid.shape[-1] // 2

    def energy(constant: float, slope: float) -> Any:
        turned = cross * xp.exp(-1j * (constant + slope * x))
        return xp.maximum(power + 2 * turned.real, 0)

    def entropy(at: Any) -> float:
        squared = energy(float(at[0]), float(at[1]) / x.size)
        share = squared / xp.sum(squared)
        return float(-xp.sum(xp.sqrt(share) * xp.log(xp.maximum(share, 1e-30))))

    from scipy.optimize import minimize

    start = (0.0, 0.0) if near is not None else _best_start(xp, lines, reflected, x, entropy)
    simplex = np.array([start, (start[0] + 0.2, start[1]), (start[0], start[1] + 0.5)])
    found = minimize(
        entropy, start, method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 1e-4, "fatol": 0, "maxiter": 200},
    ).x  # fmt: skip
    constant, slope = float(found[0]), float(found[1]) / x.size
    if near is not None:
        return near + (constant + slope * x)
    rows = hybrid.shape[-2]
    middle = slice(rows // 4, rows - rows // 4)
    inside = [float(energy(constant + a, slope)[middle].sum()) for a in (0.0, np.pi)]
    constant += 0.0 if inside[0] >= inside[1] else np.pi
    constant = (constant + np.pi) % (2 * np.pi) - np.pi
    return constant + slope * x


def _of_lines(phase: Any, hybrid: Any) -> Any:
    """A phase (x,) or (coil, x) for the lines (coil * frames, y, x)."""
    if phase.ndim == 1:
        return phase
    frames = 1
    for n in hybrid.shape[1:-2]:
        frames *= n
    return phase.repeat(frames, axis=0)[:, None]


def _best_start(xp: Any, lines: Any, reflected: np.ndarray, x: Any, entropy: Any) -> Any:
    constant, slope = _first_guess(xp, lines, reflected, x)
    return min(
        (
            (constant + a, slope * x.size + b)
            for a in np.linspace(-np.pi / 2, np.pi / 2, 8, endpoint=False)
            for b in np.linspace(-4, 4, 9)
        ),
        key=entropy,
    )


def _first_guess(xp: Any, lines: Any, reflected: np.ndarray, x: Any) -> tuple[float, float]:
    """Neighbouring lines differ by the phase, forwards and backwards in turn, with either sign."""
    steps = xp.sum(lines[:, 1:] * lines[:, :-1].conj(), axis=0)
    into_back = xp.asarray(reflected[1:] & ~reflected[:-1])
    into_forward = xp.asarray(~reflected[1:] & reflected[:-1])
    up = xp.sum(steps[into_forward], axis=0).astype(np.complex128)
    down = xp.sum(steps[into_back], axis=0).astype(np.complex128)
    twice = up * down.conj()
    slope = float(xp.angle(xp.sum(twice[1:] * twice[:-1].conj())))
    constant = float(xp.angle(xp.sum(twice * xp.exp(-1j * slope * x))))
    return constant / 2, slope / 2
