"""A small whole file of every format that is read, and ways to damage it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pyrad_core import io

IMAGE = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
KSPACE = np.arange(48, dtype=np.complex64).reshape(2, 4, 6)


@dataclass(frozen=True)
class Format:
    """How a whole file is written into a folder, which file is damaged, and who reads what."""

    write: Callable[[Path], Path]
    reader: Callable[..., object]
    target: Callable[[Path], Path] = lambda path: path  # what the reader is given
    needs: tuple[str, ...] = ()


def _image(ending: str) -> Callable[[Path], Path]:
    return lambda folder: io.write_image(folder / f"a{ending}", IMAGE, spacing=(1.0, 1.0, 1.0))


def _mat(folder: Path) -> Path:
    from scipy.io import savemat

    more = {"about": {"name": "x", "cells": [np.arange(3), "text"]}, "n": 3}
    savemat(folder / "a.mat", {"kspace": KSPACE, **more}, do_compression=False)
    return folder / "a.mat"


def _npz(folder: Path) -> Path:
    np.savez(folder / "a.npz", sinogram=np.ones((4, 6), np.float32), angles_deg=np.arange(4.0))
    return folder / "a.npz"


def _bart(folder: Path) -> Path:
    io.write_cfl(folder / "a.cfl", KSPACE)
    return folder / "a.hdr"


def _fastmri(folder: Path) -> Path:
    import h5py
    from mr_files import header

    with h5py.File(folder / "a.h5", "w") as file:
        file["kspace"] = KSPACE[None]
        file["ismrmrd_header"] = header(matrix=(6, 4, 1), fov=(6, 4, 1))
    return folder / "a.h5"


def _ismrmrd(folder: Path) -> Path:
    import ismrmrd
    from mr_files import header

    path = folder / "a.h5"
    dataset = ismrmrd.Dataset(str(path), "dataset", create_if_needed=True)
    dataset.write_xml_header(header(matrix=(6, 4, 1), fov=(6, 4, 1)))
    for line in range(4):
        acquisition = ismrmrd.Acquisition.from_array(KSPACE[:, line])
        acquisition.idx.kspace_encode_step_1 = line
        acquisition.center_sample = 3
        dataset.append_acquisition(acquisition)
    dataset.close()
    return path


def _data_exchange(folder: Path) -> Path:
    import h5py

    with h5py.File(folder / "a.h5", "w") as file:
        file["exchange/data"] = np.ones((4, 3, 6), np.uint16)
        file["exchange/data_white"] = np.full((2, 3, 6), 9, np.uint16)
        file["exchange/data_dark"] = np.zeros((2, 3, 6), np.uint16)
        file["exchange/theta"] = np.arange(4.0)
    return folder / "a.h5"


def _nexus(folder: Path) -> Path:
    import h5py

    with h5py.File(folder / "a.nxs", "w") as file:
        detector = file.create_group("entry1/tomo_entry/instrument/detector")
        detector["data"] = np.ones((6, 3, 5), np.uint16)
        detector["image_key"] = np.array([2, 1, 0, 0, 0, 0])
        file["entry1/tomo_entry/sample/rotation_angle"] = np.arange(6.0)
    return folder / "a.nxs"


def _tiff(folder: Path) -> Path:
    import tifffile

    tifffile.imwrite(folder / "a.tif", np.ones((4, 3, 6), np.uint16), photometric="minisblack")
    (folder / "a.yaml").write_text("type: parallel\nangles: [0, 45, 90, 135]\npixel: 1.0\n")
    return folder / "a.tif"


def _geometry(folder: Path) -> Path:
    np.save(folder / "a.npy", np.ones((4, 6), np.float32))
    (folder / "a.yaml").write_text("type: parallel\nangles: [0, 45, 90, 135]\npixel: 1.0\n")
    return folder / "a.yaml"


def _ct_pd(folder: Path) -> Path:
    from pyrad_core.geometry import ConeBeam
    from pyrad_core.io._ct_pd_write import write_scan

    helix = ConeBeam(np.arange(3) * 0.5, (4, 6), 1.0, 600, 1000, curved=True, pitch=5.0)
    write_scan(folder, np.ones(helix.projection_shape, np.float32), helix)
    return folder / "view_00002.dcm"


def _table(folder: Path) -> Path:
    (folder / "a.csv").write_text("id,image,mask,label\n1,a.nii,b.nii,2\n2,c.nii,d.nii,\n")
    return folder / "a.csv"


def _cases(path: Path, max_bytes: int | None = None) -> object:
    return io.read_cases(path)


FORMATS = {
    "nii": Format(_image(".nii"), io.read_image),
    "nii.gz": Format(_image(".nii.gz"), io.read_image),
    "npy": Format(_image(".npy"), io.read_image),
    "nrrd": Format(_image(".nrrd"), io.read_image, needs=("SimpleITK",)),
    "mha": Format(_image(".mha"), io.read_image, needs=("SimpleITK",)),
    "mat": Format(_mat, io.read_kspace),
    "npz": Format(_npz, io.read_projections),
    "bart": Format(_bart, io.read_kspace, lambda path: path.with_suffix(".cfl")),
    "fastmri": Format(_fastmri, io.read_kspace, needs=("h5py",)),
    "ismrmrd": Format(_ismrmrd, io.read_kspace, needs=("h5py", "ismrmrd")),
    "data exchange": Format(_data_exchange, io.read_projections, needs=("h5py",)),
    "nexus": Format(_nexus, io.read_projections, needs=("h5py",)),
    "tiff": Format(_tiff, io.read_projections, needs=("tifffile",)),
    "geometry": Format(_geometry, io.read_projections, lambda path: path.with_suffix(".npy")),
    "dicom ct-pd": Format(_ct_pd, io.read_projections, lambda path: path.parent, ("pydicom",)),
    "cases": Format(_table, _cases),
}


def mutated(content: bytes, rng: random.Random) -> bytes:
    """A few bytes changed, runs repeated, moved or cut, and numbers that headers dislike."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        place = rng.randrange(max(1, len(data)))
        kind = rng.randrange(6)
        if kind <= 1:
            data[place : place + 1] = bytes([rng.randrange(256)])
        elif kind == 2:
            number = rng.choice((0, 1, -1, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1))
            width = rng.choice((2, 4, 8))
            data[place : place + width] = (number % 2 ** (8 * width)).to_bytes(
                width, rng.choice(("little", "big"))
            )
        elif kind == 3:
            run = data[place : place + rng.choice((1, 8, 64))]
            data[place:place] = run * rng.choice((1, 2, 50))
        elif kind == 4:
            del data[place : place + rng.choice((1, 8, 64, 4096))]
        elif data:
            data[place] ^= 1 << rng.randrange(8)
    return bytes(data)
