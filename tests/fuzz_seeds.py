"""A small whole file of every format that is read, and ways to damage it."""

from __future__ import annotations

import contextlib
import gzip
import io as text_io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import fuzz_binary
import fuzz_damage
import fuzz_dicom
import fuzz_hdf5
import numpy as np
from fuzz_damage import Damage, any_bytes, either

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
    damage: Damage = any_bytes


def _image(ending: str) -> Callable[[Path], Path]:
    return lambda folder: io.write_image(folder / f"a{ending}", IMAGE, spacing=(1.0, 1.0, 1.0))


def _mat_5(folder: Path) -> Path:
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


def _twix_vb(folder: Path) -> Path:
    import twixtools
    from mr_files import write_vb

    path = write_twix(folder, 10240)  # shorter headers are those of newer software
    scan = twixtools.read_twix(str(path), parse_pmu=False, parse_geometry=False, verbose=False)[-1]
    write_vb(folder / "b.dat", scan)
    return folder / "b.dat"


def _mat_73(folder: Path) -> Path:
    import h5py

    path = folder / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        data = np.zeros(KSPACE.shape, [("real", "f4"), ("imag", "f4")])
        data["real"] = 1
        file["kspace"] = data
        file["n"] = np.array([[3.0]])
        file.create_group("about")["name"] = np.array([120], np.uint16)
    content = bytearray(path.read_bytes())
    content[:128] = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    path.write_bytes(content)
    return path


def _htc(folder: Path) -> Path:
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


def _dicom(folder: Path) -> Path:
    _series(folder)
    return folder / "ct" / "002.dcm"


def _structure(folder: Path) -> Path:
    import dicom_files

    _series(folder)
    regions = {
        "a": [(0, dicom_files.box(1, 3, 1, 2)), (1, dicom_files.box(0, 2, 0, 2))],
        "b": [(2, dicom_files.box(1, 3, 1, 2))],
    }
    return dicom_files.write_structure(folder / "rs.dcm", regions)


def _segmentation(folder: Path) -> Path:
    import dicom_files

    slices = _series(folder)
    masks = np.zeros((3, 4, 5, 2), np.uint8)
    masks[:2, 1, 1:3, 0] = masks[1:, 2, 1:3, 1] = 1
    return dicom_files.write_segmentation(folder / "seg.dcm", slices, masks)


_IMAGES: dict[Path, io.Image] = {}


def _mask(path: Path, max_bytes: int | None = None) -> object:
    """The regions on the image beside the file, and on their own grid where that is possible."""
    if path.parent not in _IMAGES:
        _IMAGES[path.parent] = io.read_image(path.parent / "ct")
    image = _IMAGES[path.parent]
    names = io.mask_names(path)
    if names:
        io.read_mask(path, image, region=min(names), max_bytes=max_bytes)
    if path.name == "seg.dcm":
        io.read_mask(path, max_bytes=max_bytes)
    return io.read_mask(path, image, max_bytes=max_bytes)


def _vectors(folder: Path) -> Path:
    np.save(folder / "a.npy", np.ones((2, 4, 6), np.float32))
    poses = np.zeros((2, 4, 3))
    poses[:, 0, 1], poses[:, 1, 1], poses[:, 2, 0], poses[:, 3, 2] = -500, 300, 1, 1
    np.save(folder / "poses.npy", poses)
    (folder / "a.yaml").write_text("type: cone\nvectors: poses.npy\npixel: 1.0\n")
    return folder / "poses.npy"


def _spokes(folder: Path) -> Path:
    from mr_files import Writer, header

    path = folder / "a.h5"
    writer = Writer(path, header(matrix=(6, 6, 1), fov=(6, 6, 1), trajectory="radial"))
    for _ in range(4):
        writer.add(KSPACE[:, 0], traj=np.full((6, 2), 0.25))
    writer.close()
    return path


def _trajectory(folder: Path) -> Path:
    io.write_cfl(folder / "k", KSPACE, axes=("coil", "spoke", "sample"))
    io.write_cfl(folder / "traj", np.ones((4, 6, 2)), axes=("spoke", "sample", "dim"))
    return folder / "traj.hdr"


def _with_trajectory(path: Path, max_bytes: int | None = None) -> object:
    return io.read_kspace(
        path.with_name("k.cfl"), coordinates=path.with_suffix(".cfl"), max_bytes=max_bytes
    )


def _kspace_npz(folder: Path) -> Path:
    coordinates = np.full((4, 6, 2), 1.5, np.float32)
    np.savez_compressed(folder / "a.npz", kspace=KSPACE, traj=coordinates)
    return folder / "a.npz"


def _detached(folder: Path) -> Path:
    (folder / "a.raw").write_bytes(IMAGE.tobytes())
    (folder / "a.nhdr").write_text(
        "NRRD0004\ntype: short\ndimension: 3\nsizes: 5 4 3\nencoding: raw\nendian: little\n"
        "space: left-posterior-superior\nspace directions: (1,0,0) (0,1,0) (0,0,1)\n"
        "space origin: (0,0,0)\ndata file: a.raw\n"
    )
    return folder / "a.nhdr"


def _nifti_2(folder: Path) -> Path:
    import nibabel

    nibabel.Nifti2Image(IMAGE.T, np.eye(4)).to_filename(folder / "a.nii")
    return folder / "a.nii"


def _table(folder: Path) -> Path:
    (folder / "a.csv").write_text("id,image,mask,label\n1,a.nii,b.nii,2\n2,c.nii,d.nii,\n")
    return folder / "a.csv"


def _settings(folder: Path) -> Path:
    (folder / "a.yaml").write_text(
        "preset: ibsi\nresample: [1.0, 1.0, 1.0]\ndiscretisation: [fbs, 25]\n"
        "filters:\n  log: {sigma: [1.0, 2.0]}\nfamilies: [glcm, first_order]\nlabel: 1\n"
    )
    return folder / "a.yaml"


def _parameters(folder: Path) -> Path:
    (folder / "a.yaml").write_text(
        "imageType:\n  Original: {}\n  LoG: {sigma: [1.0]}\nfeatureClass:\n  glcm: [Contrast]\n"
        "setting:\n  binWidth: 25\n  resampledPixelSpacing: [1, 1, 1]\n  label: 1\n"
    )
    return folder / "a.yaml"


def _cases(path: Path, max_bytes: int | None = None) -> object:
    return io.read_cases(path)


def _cohort(path: Path, max_bytes: int | None = None) -> object:
    from pyrad_core.cohort.table import cases_of
    from pyrad_core.cohort.verbs import VERBS

    return cases_of(path, VERBS["features"])


def _settings_of(path: Path, max_bytes: int | None = None) -> object:
    from pyrad_core.features import Settings

    return Settings.from_yaml(path)


_YAML = (
    "? [a, b]", "&a [*a, *a]", "angles: &a [*a]", "<<: *a", "- - - 1", "!!python/object:os.x {}",
    "a: &a [1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n"
    "d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\n"
    "angles: {values: [*e,*e,*e,*e,*e,*e,*e,*e]}", "[" * 2000, "{a: " * 800, "2001-01-01", "0o17",
    "angles: {start: 0, step: nan}", "angles: {start: .inf, stop: 1}", "vectors: ../../x.npy",
    "vectors: a.npy", "flat: a.npy", "dark: /dev/zero", "detector: [6]", "pixel: [1, 2, 3]",
    "pixel: {a: 1}", "type: cone", "source_origin: 1e308", "source_detector: .nan", "pitch: []",
    "quantity: 3", "type: [cone]", "offset: 1e308", "curved: x", "resample: .nan",
    "discretisation: [fbn, 99999999999]", "distances: [1e9]", "families: 3", "features: {glcm: 3}",
)  # fmt: skip
_NRRD = (
    "sizes: 5 4 3", "sizes: 100000 100000 100000", "type: double", "dimension: 16", "kinds: vector",
    "byte skip: -1", "line skip: 2147483647", "encoding: gzip", "encoding: ascii", "endian: big",
    "data file: LIST", "data file: a%d.raw 1 100000 1", "data file: canary.bin", "a:=b", "#",
    "space directions: none (0,1,0) (0,0,1)", "spacings: nan nan nan", "block size: 4294967296",
)  # fmt: skip
_META = (
    "DimSize = 5 4 3", "DimSize = 100000 100000 100000", "NDims = 2000000000", "NDims = 9",
    "ElementNumberOfChannels = 2000000000", "ElementNumberOfChannels = 3", "HeaderSize = -1",
    "HeaderSize = 2147483647", "CompressedDataSize = 99999999999", "CompressedData = False",
    "BinaryData = False", "ElementDataFile = LIST", "ElementDataFile = canary.bin",
    "ElementType = MET_DOUBLE", "ElementType = MET_STRING", "ElementSpacing = nan nan nan",
    "TransformMatrix = 0 0 0 0 0 0 0 0 0", "dimsize = 1 1 1", "ElementByteOrderMSB = True",
)  # fmt: skip
_BART = ("# Dimensions", "# Dimensions\n4294967296 4294967296", "1 " * 40, "-1 -1", "# Creator")
_CSV = ('"', '"a', "image,mask", "a,b,c,d,e,f", "x,a,b,inf", "x,a,b,nan", "x,a,b,1e400", "," * 3000)
_NIFTI = (
    (0, "i"), *((40 + 2 * i, "h") for i in range(8)), (68, "h"), (70, "h"), (72, "h"),
    *((76 + 4 * i, "f") for i in range(8)), (108, "f"), (112, "f"), (116, "f"), (123, "b"),
    (252, "h"), (254, "h"), *((256 + 4 * i, "f") for i in range(18)),
)  # fmt: skip
_NIFTI_2 = (
    (0, "i"), (12, "h"), (14, "h"), *((16 + 8 * i, "q") for i in range(8)),
    *((104 + 8 * i, "d") for i in range(8)), (168, "q"), (176, "d"), (184, "d"), (344, "i"),
    (348, "i"), *((352 + 8 * i, "d") for i in range(18)), (500, "i"),
)  # fmt: skip
_nifti = fuzz_damage.fields(*_NIFTI)
_yaml = either(fuzz_damage.text(*_YAML))
_hdf5 = either(fuzz_hdf5.damage)
_mat = either(fuzz_binary.mat5)
_dicom_damage = either(fuzz_dicom.damage, rest=0.2)
_npz_damage = either(fuzz_damage.archive(fuzz_damage.npy))
_nrrd_text = fuzz_damage.text(*_NRRD, stop=b"\n\n")
_meta_text = fuzz_damage.text(*_META, stop=b"LOCAL\n")
_DICOM, _SITK = ("pydicom", "SimpleITK"), ("SimpleITK",)

FORMATS = {
    "twix": Format(write_twix, io.read_kspace, needs=("twixtools",),
                   damage=either(fuzz_binary.twix(TWIX_LINES))),
    "rtstruct": Format(_structure, _mask, needs=_DICOM, damage=_dicom_damage),
    "seg": Format(_segmentation, _mask, needs=(*_DICOM, "highdicom"), damage=_dicom_damage),
    "dicom": Format(_dicom, io.read_image, needs=_DICOM, damage=_dicom_damage),
    "dicom series": Format(_dicom, io.read_image, lambda path: path.parent, _DICOM, _dicom_damage),
    "mat 7.3": Format(_mat_73, io.read_kspace, needs=("h5py",), damage=_hdf5),
    "htc": Format(_htc, io.read_projections, damage=_mat),
    "twix vb": Format(_twix_vb, io.read_kspace, needs=("twixtools",)),
    "ismrmrd spokes": Format(_spokes, io.read_kspace, needs=("h5py", "ismrmrd"), damage=_hdf5),
    "nii": Format(_image(".nii"), io.read_image, damage=either(_nifti)),
    "nii 2": Format(_nifti_2, io.read_image, damage=either(fuzz_damage.fields(*_NIFTI_2))),
    "nii.gz": Format(_image(".nii.gz"), io.read_image,
                     damage=either(fuzz_damage.gzipped(either(_nifti)))),
    "npy": Format(_image(".npy"), io.read_image, damage=either(fuzz_damage.npy)),
    "nrrd": Format(_image(".nrrd"), io.read_image, needs=_SITK,
                   damage=either(fuzz_damage.tail_packed(_nrrd_text, b"\n\n", gzip.compress))),
    "nhdr": Format(_detached, io.read_image, needs=_SITK, damage=either(_nrrd_text)),
    "mha": Format(_image(".mha"), io.read_image, needs=_SITK,
                  damage=either(fuzz_damage.tail_packed(_meta_text, b"LOCAL\n", zlib.compress))),
    "mat": Format(_mat_5, io.read_kspace, damage=_mat),
    "npz": Format(_npz, io.read_projections, damage=_npz_damage),
    "npz k-space": Format(_kspace_npz, io.read_kspace, damage=_npz_damage),
    "bart": Format(_bart, io.read_kspace, lambda path: path.with_suffix(".cfl"),
                   damage=either(fuzz_damage.text(*_BART))),
    "bart trajectory": Format(_trajectory, _with_trajectory,
                              damage=either(fuzz_damage.text(*_BART))),
    "fastmri": Format(_fastmri, io.read_kspace, needs=("h5py", "ismrmrd"), damage=_hdf5),
    "ismrmrd": Format(_ismrmrd, io.read_kspace, needs=("h5py", "ismrmrd"), damage=_hdf5),
    "data exchange": Format(_data_exchange, io.read_projections, needs=("h5py",), damage=_hdf5),
    "nexus": Format(_nexus, io.read_projections, needs=("h5py",), damage=_hdf5),
    "tiff": Format(_tiff, io.read_projections, needs=("tifffile",),
                   damage=either(fuzz_binary.tiff)),
    "geometry": Format(_geometry, io.read_projections, lambda path: path.with_suffix(".npy"),
                       damage=_yaml),
    "geometry vectors": Format(_vectors, io.read_projections, lambda path: path.parent / "a.npy",
                               damage=either(fuzz_damage.npy)),
    "dicom ct-pd": Format(_ct_pd, io.read_projections, lambda path: path.parent, ("pydicom",),
                          damage=_dicom_damage),
    "cases": Format(_table, _cases, damage=either(fuzz_damage.text(*_CSV))),
    "cohort table": Format(_table, _cohort, damage=either(fuzz_damage.text(*_CSV))),
    "settings": Format(_settings, _settings_of, damage=_yaml),
    "parameter file": Format(_parameters, _settings_of, damage=_yaml),
}  # fmt: skip
