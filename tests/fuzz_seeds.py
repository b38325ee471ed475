"""A small whole file of every format that is read."""

from __future__ import annotations

import contextlib
import io as text_io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pyrad_core import io

IMAGE = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
KSPACE = np.arange(48, dtype=np.complex64).reshape(2, 4, 6)


def write_image(ending: str) -> Callable[[Path], Path]:
    return lambda folder: io.write_image(folder / f"a{ending}", IMAGE, spacing=(1.0, 1.0, 1.0))


def write_mat_5(folder: Path) -> Path:
    from scipy.io import savemat

    more = {"about": {"name": "x", "cells": [np.arange(3), "text"]}, "n": 3}
    savemat(folder / "a.mat", {"kspace": KSPACE, **more}, do_compression=False)
    return folder / "a.mat"


def write_npz(folder: Path) -> Path:
    np.savez(folder / "a.npz", sinogram=np.ones((4, 6), np.float32), angles_deg=np.arange(4.0))
    return folder / "a.npz"


def write_bart(folder: Path) -> Path:
    io.write_cfl(folder / "a.cfl", KSPACE)
    return folder / "a.hdr"


def write_fastmri(folder: Path) -> Path:
    import h5py
    from mr_files import header

    with h5py.File(folder / "a.h5", "w") as file:
        file["kspace"] = KSPACE[None]
        file["ismrmrd_header"] = header(matrix=(6, 4, 1), fov=(6, 4, 1))
    return folder / "a.h5"


def write_ismrmrd(folder: Path) -> Path:
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


def write_data_exchange(folder: Path) -> Path:
    import h5py

    with h5py.File(folder / "a.h5", "w") as file:
        file["exchange/data"] = np.ones((4, 3, 6), np.uint16)
        file["exchange/data_white"] = np.full((2, 3, 6), 9, np.uint16)
        file["exchange/data_dark"] = np.zeros((2, 3, 6), np.uint16)
        file["exchange/theta"] = np.arange(4.0)
    return folder / "a.h5"


def write_nexus(folder: Path) -> Path:
    import h5py

    with h5py.File(folder / "a.nxs", "w") as file:
        detector = file.create_group("entry1/tomo_entry/instrument/detector")
        detector["data"] = np.ones((6, 3, 5), np.uint16)
        detector["image_key"] = np.array([2, 1, 0, 0, 0, 0])
        file["entry1/tomo_entry/sample/rotation_angle"] = np.arange(6.0)
    return folder / "a.nxs"


def write_tiff(folder: Path) -> Path:
    import tifffile

    tifffile.imwrite(folder / "a.tif", np.ones((4, 3, 6), np.uint16), photometric="minisblack")
    (folder / "a.yaml").write_text("type: parallel\nangles: [0, 45, 90, 135]\npixel: 1.0\n")
    return folder / "a.tif"


def write_geometry(folder: Path) -> Path:
    np.save(folder / "a.npy", np.ones((4, 6), np.float32))
    (folder / "a.yaml").write_text("type: parallel\nangles: [0, 45, 90, 135]\npixel: 1.0\n")
    return folder / "a.yaml"


def write_ct_pd(folder: Path) -> Path:
    from pyrad_core.geometry import ConeBeam
    from pyrad_core.io._ct_pd_write import write_scan

    helix = ConeBeam(np.arange(3) * 0.5, (4, 6), 1.0, 600, 1000, curved=True, pitch=5.0)
    write_scan(folder, np.ones(helix.projection_shape, np.float32), helix)
    return folder / "view_00002.dcm"


def write_twix(folder: Path, header_bytes: int = 1024, yaps: str = "") -> Path:
    """Four lines of a two-channel Cartesian scan of software VD."""
    import twixtools
    from twixtools import mdb

    lines = []
    for y in range(TWIX_LINES):
        line = mdb.Mdb_local(KSPACE[:, y])
        line.mdh.Counter.Lin, line.mdh.CenterLin, line.mdh.CenterCol = y, 2, 3
        line.mdh.SliceData.Quaternion[:] = (1.0, 0.0, 0.0, 0.0)
        lines.append(line)
    header = np.frombuffer(_protocol(header_bytes, yaps or YAPS), "S1")
    with contextlib.redirect_stdout(text_io.StringIO()):
        twixtools.write_twix([{"hdr_str": header, "mdb": lines}], str(folder / "a.dat"))
    return folder / "a.dat"


TWIX_LINES = 4


YAPS = """### ASCCONV BEGIN ###
sKSpace.lBaseResolution = 6
sKSpace.lPhaseEncodingLines = 4
sKSpace.ucDimension = 0x2
sKSpace.ucTrajectory = 0x1
sSliceArray.asSlice[0].dThickness = 5.0
sSliceArray.asSlice[0].dPhaseFOV = 40.0
sSliceArray.asSlice[0].dReadoutFOV = 60.0
sRXSPEC.alDwellTime[0] = 5000
sPat.lAccelFactPE = 1
### ASCCONV END ###
"""


def _protocol(size: int, yaps: str) -> bytes:
    meas = '<ParamLong."iPEFTLength"> { 4 }\n<ParamLong."alRegridMode"> { 1 2 }\n'
    parts = b""
    for name, content in (("MeasYaps", yaps), ("Meas", meas)):
        parts += name.encode() + b"\0" + struct.pack("<I", len(content)) + content.encode()
    size = max(size, len(parts) + 8)
    return (struct.pack("<II", size, 2) + parts).ljust(size, b"\0")


def write_twix_vb(folder: Path) -> Path:
    import twixtools
    from mr_files import write_vb

    path = write_twix(folder, 10240)  # shorter headers are those of newer software
    scan = twixtools.read_twix(str(path), parse_pmu=False, parse_geometry=False, verbose=False)[-1]
    write_vb(folder / "b.dat", scan)
    return folder / "b.dat"


def write_mat_73(folder: Path) -> Path:
    import h5py

    path = folder / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        data = np.zeros(KSPACE.shape, [("real", "f4"), ("imag", "f4")])
        data["real"] = 1
        file.create_dataset("kspace", data=data, chunks=(1, 4, 6), compression="gzip")
        file["n"] = np.array([[3.0]])
        file.create_group("about")["name"] = np.array([120], np.uint16)
    content = bytearray(path.read_bytes())
    content[:128] = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    path.write_bytes(content)
    return path


def write_htc(folder: Path) -> Path:
    from scipy.io import savemat

    values = {"angles": np.arange(4.0), "pixelSizePost": 0.2, "distanceSourceOrigin": 400.0,
              "distanceSourceDetector": 550.0, "projectName": "disk"}  # fmt: skip
    scan = {"sinogram": np.ones((4, 6)), "parameters": values}
    savemat(folder / "a.mat", {"CtDataLimited": scan})
    return folder / "a.mat"


def _series(folder: Path) -> list[object]:
    import dicom_files

    values = np.arange(60).reshape(3, 4, 5)
    place = folder / "ct"
    place.mkdir(exist_ok=True)
    return dicom_files.write_series(place, values)


def write_dicom(folder: Path) -> Path:
    _series(folder)
    return folder / "ct" / "002.dcm"


def write_structure(folder: Path) -> Path:
    import dicom_files

    _series(folder)
    regions = {
        "a": [(0, dicom_files.box(1, 3, 1, 2)), (1, dicom_files.box(0, 2, 0, 2))],
        "b": [(2, dicom_files.box(1, 3, 1, 2))],
    }
    return dicom_files.write_structure(folder / "rs.dcm", regions)


def write_segmentation(folder: Path) -> Path:
    import dicom_files

    slices = _series(folder)
    masks = np.zeros((3, 4, 5, 2), np.uint8)
    masks[:2, 1, 1:3, 0] = masks[1:, 2, 1:3, 1] = 1
    return dicom_files.write_segmentation(folder / "seg.dcm", slices, masks)


def write_vectors(folder: Path) -> Path:
    np.save(folder / "a.npy", np.ones((2, 4, 6), np.float32))
    poses = np.zeros((2, 4, 3))
    poses[:, 0, 1], poses[:, 1, 1], poses[:, 2, 0], poses[:, 3, 2] = -500, 300, 1, 1
    np.save(folder / "poses.npy", poses)
    (folder / "a.yaml").write_text("type: cone\nvectors: poses.npy\npixel: 1.0\n")
    return folder / "poses.npy"


def write_spokes(folder: Path) -> Path:
    from mr_files import Writer, header

    path = folder / "a.h5"
    writer = Writer(path, header(matrix=(6, 6, 1), fov=(6, 6, 1), trajectory="radial"))
    for _ in range(4):
        writer.add(KSPACE[:, 0], traj=np.full((6, 2), 0.25))
    writer.close()
    return path


def write_trajectory(folder: Path) -> Path:
    io.write_cfl(folder / "k", KSPACE, axes=("coil", "spoke", "sample"))
    io.write_cfl(folder / "traj", np.ones((4, 6, 2)), axes=("spoke", "sample", "dim"))
    return folder / "traj.hdr"


def write_kspace_npz(folder: Path) -> Path:
    coordinates = np.full((4, 6, 2), 1.5, np.float32)
    np.savez_compressed(folder / "a.npz", kspace=KSPACE, traj=coordinates)
    return folder / "a.npz"


def write_detached(folder: Path) -> Path:
    (folder / "a.raw").write_bytes(IMAGE.tobytes())
    (folder / "a.nhdr").write_text(
        "NRRD0004\ntype: short\ndimension: 3\nsizes: 5 4 3\nencoding: raw\nendian: little\n"
        "space: left-posterior-superior\nspace directions: (1,0,0) (0,1,0) (0,0,1)\n"
        "space origin: (0,0,0)\ndata file: a.raw\n"
    )
    return folder / "a.nhdr"


def write_nifti_2(folder: Path) -> Path:
    import nibabel

    nibabel.Nifti2Image(IMAGE.T, np.eye(4)).to_filename(folder / "a.nii")
    return folder / "a.nii"


def write_table(folder: Path) -> Path:
    (folder / "a.csv").write_text("id,image,mask,label\n1,a.nii,b.nii,2\n2,c.nii,d.nii,\n")
    return folder / "a.csv"


def write_settings(folder: Path) -> Path:
    (folder / "a.yaml").write_text(
        "preset: ibsi\nresample: [1.0, 1.0, 1.0]\ndiscretisation: [fbs, 25]\n"
        "filters:\n  log: {sigma: [1.0, 2.0]}\nfamilies: [glcm, first_order]\nlabel: 1\n"
    )
    return folder / "a.yaml"


def write_parameters(folder: Path) -> Path:
    (folder / "a.yaml").write_text(
        "imageType:\n  Original: {}\n  LoG: {sigma: [1.0]}\nfeatureClass:\n  glcm: [Contrast]\n"
        "setting:\n  binWidth: 25\n  resampledPixelSpacing: [1, 1, 1]\n  label: 1\n"
    )
    return folder / "a.yaml"
