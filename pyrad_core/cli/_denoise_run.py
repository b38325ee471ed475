"""What ``pyrad-core denoise`` does between reading and writing: arguments, volumes, results."""

from __future__ import annotations

import ast
import inspect
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from .. import denoise
from .._checks import known_names, same_shape
from .._kernels.select import host_array
from ..errors import DataError
from ..io import read_image, read_mask
from ..io.containers import Image
from ._denoise_methods import METHODS, Method
from .common import Run, on_device

__all__ = ["Job"]

_OURS = ("mask", "out", "return_info")  # arguments that --option cannot give
_SHORTEST = 4  # voxels along an axis that the estimate of noise wants


@dataclass
class Job:
    """One image, one method and its arguments.

    Attributes
    ----------
    noise
        ``--sigma``: noise level for all volumes; None estimates it.
    arguments
        By name, as the function takes them; ``maps`` are those that are images.
    parts
        Number of leading axes that are gone through.
    """

    image: Image
    name: str
    noise: float | None
    arguments: dict[str, Any]
    maps: dict[str, np.ndarray]
    mask: np.ndarray | None
    parts: int
    gpu: bool = False

    @classmethod
    def read(cls, run: Run, path: Path, name: str, given: Mapping[str, Any]) -> Job:
        """Read the files and check what the command was given."""
        method, accepted, cap = METHODS[name], _accepted(name), given["max_bytes"]
        arguments = dict(method.defaults)
        arguments.update(_option(text) for text in given["options"])
        known = [argument for argument in accepted if argument not in _OURS]
        known_names(f"option of {name}", arguments, known)
        if given["weight"] is not None:
            if "weight" not in accepted:
                raise click.UsageError(f"{name} has no --weight")
            arguments["weight"] = given["weight"]
        noise = given["sigma"]
        if noise is not None and not method.from_noise:
            if "sigma" not in accepted:
                raise click.UsageError(f"{name} makes no use of --sigma")
            arguments["sigma"], noise = noise, None
        files = dict(_named_file(text) for text in given["maps"])
        known_names(f"map of {name}", files, known)
        image = read_image(path, max_bytes=cap)
        run.log(f"read {image.data.shape} of {image.data.dtype}")
        if "spacing" in accepted and image.header.get("format") != "NumPy":
            arguments.setdefault("spacing", image.spacing)
        maps = {}
        for key, at in files.items():
            maps[key] = _beside(read_image(at, max_bytes=cap), image, key)
        mask = None
        if given["mask"] is not None:
            mask = _beside(read_mask(given["mask"], image, max_bytes=cap), image, "mask") != 0
            if not mask.any():
                raise DataError(f"mask {given['mask']} is empty")
        joint = arguments.get("channel_axis") is not None  # a series that is one image of channels
        parts = 0 if joint else _leading(image.data.ndim, method, given["slices"], name)
        return cls(image, name, noise, arguments, maps, mask, parts, given["gpu"])

    @property
    def method(self) -> Method:
        return METHODS[self.name]

    def filtered(self, run: Run) -> dict[str, Any]:
        """Results by name: "image", "removed", the method's other outputs and its "info"."""
        data = self.image.data
        lead = data.shape[: self.parts]
        steps = list(np.ndindex(lead))
        results: dict[str, Any] = {"info": [], "given": []}
        run.log(f"{self.name} of {len(steps)} parts" if len(steps) > 1 else self.name)
        with run.progress(self.name, len(steps) if len(steps) > 1 else None) as advance:
            for step in _reported(run, steps, len(steps)):
                images, used, info = self._one(step)
                for key, found in images.items():
                    if key not in results:
                        results[key] = np.empty(lead + found.shape, found.dtype)
                    results[key][step] = found
                results["given"].append(used)
                results["info"].append(info)
                advance()
        for key, factor in self.method.from_noise.items() if self.noise is None else ():
            levels = [used[key] for used in results["given"] if key in used]
            if levels:
                span = f"{min(levels):.4g} to {max(levels):.4g}"
                span = f"{levels[0]:.4g}" if len(levels) == 1 else span
                run.log(f"estimated {key} {span} ({factor:g} times the noise)")
        run.log(f"{self.name} done")
        results["removed"] = data.astype(results["image"].dtype) - results["image"]
        return results

    def _one(self, step: tuple[int, ...]) -> tuple[dict[str, Any], dict[str, Any], Any]:
        """The images of one call, the arguments it got from the noise, and its info."""
        part = self.image.data[step]
        mask = None if self.mask is None else _at(self.mask, step, part)
        arguments = self._for(part.ndim)
        arguments.update(
            (key, on_device(_at(found, step, part), self.gpu)) for key, found in self.maps.items()
        )
        if mask is not None and not mask.any():
            return {"image": _floating(part)}, {}, None
        used: dict[str, Any] = {}
        if any(key not in arguments for key in self.method.from_noise):
            noise = _noise_level(part, mask) if self.noise is None else self.noise
            used = self.method.levels(noise, _voxel(arguments))
            arguments = {**used, **arguments}
        accepted = _accepted(self.name)
        if mask is not None and "mask" in accepted:
            arguments["mask"] = on_device(mask, self.gpu)
        if self.method.info:
            arguments["return_info"] = True
        found = getattr(denoise, self.name)(on_device(part, self.gpu), **arguments)
        found = found if isinstance(found, tuple) else (found,)
        names = ("image", *self.method.outputs)
        images = {key: host_array(x) for key, x in zip(names, found, strict=False)}
        if mask is not None and "mask" not in accepted:
            images["image"] = np.where(mask, images["image"], part)
        return images, used, found[-1] if self.method.info else None

    def _for(self, ndim: int) -> dict[str, Any]:
        """Arguments of one call: the spacing of its axes."""
        arguments = dict(self.arguments)
        ndim -= arguments.get("channel_axis") is not None
        spacing = arguments.get("spacing", 1.0)
        if np.ndim(spacing) and len(spacing) > ndim:
            arguments["spacing"] = tuple(spacing[-ndim:])
        for name, voxels in self.method.in_voxels.items():
            arguments.setdefault(name, voxels * _voxel(arguments))
        return arguments

    def summary(self, results: Mapping[str, Any]) -> dict[str, Any]:
        """What the command reports: levels are medians over the calls, info the largest."""
        said: dict[str, Any] = {"method": self.name}
        for key in self.method.from_noise:
            values = [used[key] for used in results["given"] if key in used]
            if values:
                said[key] = float(np.median(values))
        said.update((key, value) for key, value in self.arguments.items())
        said.update((key, f"map of {list(values.shape)}") for key, values in self.maps.items())
        done = [info for info in results["info"] if info is not None]
        for key in self.method.info if done else ():
            said[key] = max(getattr(info, key) for info in done)
        return {**said, "shape": results["image"].shape}


def _voxel(arguments: Mapping[str, Any]) -> float:
    """The smallest voxel size among the arguments of a call."""
    return float(min(np.atleast_1d(arguments.get("spacing", 1.0))))


def _accepted(name: str) -> list[str]:
    """Keyword-only arguments of a method."""
    parameters = inspect.signature(getattr(denoise, name)).parameters.values()
    return [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]


def _leading(ndim: int, method: Method, slices: bool, name: str) -> int:
    """How many leading axes of an image are gone through."""
    if slices and (2 not in method.dims or method.series):
        raise click.UsageError(f"{name} cannot filter single slices; leave out --slices")
    if slices:
        return ndim - 2
    if method.series and ndim == 4:
        return 0
    fitting = [n for n in method.dims if n <= ndim]
    if not fitting:
        wanted = " or ".join(str(n) for n in method.dims)
        raise DataError(f"{name} wants {wanted} dimensions, but the image has {ndim}")
    return ndim - max(fitting)


def _reported(run: Run, steps: list[Any], total: int) -> Iterator[Any]:
    """The steps, with a line of the log now and then."""
    last = time.perf_counter()
    for count, step in enumerate(steps):
        yield step
        if time.perf_counter() - last > 5 and count + 1 < total:
            run.log(f"{count + 1} of {total}")
            last = time.perf_counter()


def _noise_level(part: Any, mask: Any) -> float:
    """Standard deviation of the noise; per slice of thin volumes, per channel of complex ones."""
    if part.dtype.kind == "c":
        levels = [_noise_level(np.ascontiguousarray(c), mask) for c in (part.real, part.imag)]
        return float(np.sqrt(np.mean(np.square(levels))))
    if part.ndim == 4:
        return float(np.median([_noise_level(volume, mask) for volume in part]))
    thin = [axis for axis, n in enumerate(part.shape) if 1 < n < _SHORTEST]
    if not thin or part.ndim < 3:
        return float(denoise.estimate_sigma(part, mask=mask))
    levels = []
    for k in range(part.shape[thin[0]]):
        inside = None if mask is None else np.take(mask, k, thin[0])
        if inside is None or inside.any():
            levels.append(_noise_level(np.take(part, k, thin[0]), inside))
    return float(np.median(levels))


def _floating(x: Any) -> Any:
    return x if x.dtype.kind in "fc" else x.astype(np.float32)


def _at(values: Any, step: tuple[int, ...], part: Any) -> Any:
    """What belongs to one call of an array that may lack leading axes."""
    return values[step[len(step) + part.ndim - values.ndim :]]


def _beside(other: Image, image: Image, what: str) -> np.ndarray:
    """Voxels of a file that must lie on the image's grid; fewer leading axes are allowed."""
    spatial = image.data.shape[-min(image.data.ndim, 3) :]
    if other.data.shape not in (spatial, image.data.shape):
        same_shape(what, other.data.shape, "image", spatial)
    known = "NumPy" not in (other.header.get("format"), image.header.get("format"))
    size = float(np.abs(image.affine[:3, :3]).max())
    if known and not np.allclose(other.affine, image.affine, rtol=1e-3, atol=1e-3 * size):
        raise DataError(
            f"{what} lies elsewhere than the image: its affine is {other.affine.tolist()}, the "
            f"image's {image.affine.tolist()}; resample it first"
        )
    return other.data


def _named_file(text: str) -> tuple[str, Path]:
    name, found, path = text.partition("=")
    if not found or not name.isidentifier() or not path:
        raise click.BadParameter(f"{text!r}; expected NAME=FILE", param_hint="--map")
    return name, Path(path)


def _option(text: str) -> tuple[str, Any]:
    """``name=value`` with numbers as numbers."""
    name, found, value = text.partition("=")
    if not found or not name.isidentifier():
        raise click.BadParameter(f"{text!r}; expected NAME=VALUE", param_hint="--option")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value
