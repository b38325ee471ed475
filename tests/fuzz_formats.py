"""Every format that is read: its seed, its reader, and the ways in which its files are damaged."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import fuzz_binary
import fuzz_damage
import fuzz_dicom
import fuzz_hdf5
import fuzz_seeds as seeds
from fuzz_damage import Damage, any_bytes, either

from pyrad_core import io


@dataclass(frozen=True)
class Format:
    """How a whole file is written into a folder, which file is damaged, and who reads what."""

    write: Callable[[Path], Path]
    reader: Callable[..., object]
    target: Callable[[Path], Path] = lambda path: path  # what the reader is given
    needs: tuple[str, ...] = ()
    damage: Damage = any_bytes


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


def _with_trajectory(path: Path, max_bytes: int | None = None) -> object:
    return io.read_kspace(
        path.with_name("k.cfl"), coordinates=path.with_suffix(".cfl"), max_bytes=max_bytes
    )


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
    "twix": Format(
        seeds.write_twix,
        io.read_kspace,
        needs=("twixtools",),
        damage=either(fuzz_binary.twix(seeds.TWIX_LINES)),
    ),
    "rtstruct": Format(seeds.write_structure, _mask, needs=_DICOM, damage=_dicom_damage),
    "seg": Format(
        seeds.write_segmentation, _mask, needs=(*_DICOM, "highdicom"), damage=_dicom_damage
    ),
    "dicom": Format(seeds.write_dicom, io.read_image, needs=_DICOM, damage=_dicom_damage),
    "dicom series": Format(
        seeds.write_dicom, io.read_image, lambda path: path.parent, _DICOM, _dicom_damage
    ),
    "mat 7.3": Format(seeds.write_mat_73, io.read_kspace, needs=("h5py",), damage=_hdf5),
    "htc": Format(seeds.write_htc, io.read_projections, damage=_mat),
    "twix vb": Format(seeds.write_twix_vb, io.read_kspace, needs=("twixtools",)),
    "ismrmrd spokes": Format(
        seeds.write_spokes, io.read_kspace, needs=("h5py", "ismrmrd"), damage=_hdf5
    ),
    "nii": Format(seeds.write_image(".nii"), io.read_image, damage=either(_nifti)),
    "nii 2": Format(
        seeds.write_nifti_2, io.read_image, damage=either(fuzz_damage.fields(*_NIFTI_2))
    ),
    "nii.gz": Format(
        seeds.write_image(".nii.gz"),
        io.read_image,
        damage=either(fuzz_damage.gzipped(either(_nifti))),
    ),
    "npy": Format(seeds.write_image(".npy"), io.read_image, damage=either(fuzz_damage.npy)),
    "nrrd": Format(
        seeds.write_image(".nrrd"),
        io.read_image,
        needs=_SITK,
        damage=either(fuzz_damage.tail_packed(_nrrd_text, b"\n\n", gzip.compress)),
    ),
    "nhdr": Format(seeds.write_detached, io.read_image, needs=_SITK, damage=either(_nrrd_text)),
    "mha": Format(
        seeds.write_image(".mha"),
        io.read_image,
        needs=_SITK,
        damage=either(fuzz_damage.tail_packed(_meta_text, b"LOCAL\n", zlib.compress)),
    ),
    "mat": Format(seeds.write_mat_5, io.read_kspace, damage=_mat),
    "npz": Format(seeds.write_npz, io.read_projections, damage=_npz_damage),
    "npz k-space": Format(seeds.write_kspace_npz, io.read_kspace, damage=_npz_damage),
    "bart": Format(
        seeds.write_bart,
        io.read_kspace,
        lambda path: path.with_suffix(".cfl"),
        damage=either(fuzz_damage.text(*_BART)),
    ),
    "bart trajectory": Format(
        seeds.write_trajectory, _with_trajectory, damage=either(fuzz_damage.text(*_BART))
    ),
    "fastmri": Format(seeds.write_fastmri, io.read_kspace, needs=("h5py", "ismrmrd"), damage=_hdf5),
    "ismrmrd": Format(seeds.write_ismrmrd, io.read_kspace, needs=("h5py", "ismrmrd"), damage=_hdf5),
    "data exchange": Format(
        seeds.write_data_exchange, io.read_projections, needs=("h5py",), damage=_hdf5
    ),
    "nexus": Format(seeds.write_nexus, io.read_projections, needs=("h5py",), damage=_hdf5),
    "tiff": Format(
        seeds.write_tiff, io.read_projections, needs=("tifffile",), damage=either(fuzz_binary.tiff)
    ),
    "geometry": Format(
        seeds.write_geometry,
        io.read_projections,
        lambda path: path.with_suffix(".npy"),
        damage=_yaml,
    ),
    "geometry vectors": Format(
        seeds.write_vectors,
        io.read_projections,
        lambda path: path.parent / "a.npy",
        damage=either(fuzz_damage.npy),
    ),
    "dicom ct-pd": Format(
        seeds.write_ct_pd,
        io.read_projections,
        lambda path: path.parent,
        ("pydicom",),
        damage=_dicom_damage,
    ),
    "cases": Format(seeds.write_table, _cases, damage=either(fuzz_damage.text(*_CSV))),
    "cohort table": Format(seeds.write_table, _cohort, damage=either(fuzz_damage.text(*_CSV))),
    "settings": Format(seeds.write_settings, _settings_of, damage=_yaml),
    "parameter file": Format(seeds.write_parameters, _settings_of, damage=_yaml),
}
