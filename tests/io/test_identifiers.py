"""Who was scanned, when and where stays in the input: no reader and no writer passes it on."""

import gzip
import json
import zlib

import fuzz_seeds
import numpy as np
import pytest
from fuzz_formats import FORMATS

from pyrad_core import io
from pyrad_core.cli import main

NAME, NUMBER, DATE = "Mustermann^Erika7", "MRN-0815-4711", "19640812"
SECRETS = [NAME, "Mustermann", NUMBER, DATE]


def assert_silent(content, where):
    """No identifier in bytes, whether they are packed or not."""
    texts = [content]
    if content[:2] == b"\x1f\x8b":
        texts.append(gzip.decompress(content))
    for at in range(len(content) - 2):
        if content[at : at + 1] == b"\x78" and content[at + 1] in (1, 94, 156, 218):
            try:
                texts.append(zlib.decompressobj().decompress(content[at:]))
            except zlib.error:
                continue
    for text in texts:
        for secret in SECRETS:
            assert secret.encode() not in text, f"{secret} in {where}"
            assert secret.encode("utf-16-le") not in text, f"{secret} in {where}"


def named_dicom(path):
    """Identifiers put into every element that takes them, and a private one."""
    pydicom = pytest.importorskip("pydicom")
    data = pydicom.dcmread(path)
    data.PatientName, data.PatientID, data.PatientBirthDate = NAME, NUMBER, DATE
    data.StudyDate = data.SeriesDate = DATE
    data.AccessionNumber, data.InstitutionName = "4711", NAME
    data.PatientComments = data.ImageComments = f"{NAME} {NUMBER}"
    data.SeriesDescription = data.StudyDescription = data.ReferringPhysicianName = NAME
    data.add_new(0x00091001, "LO", NUMBER)
    data.save_as(path)


def dicom(folder):
    pytest.importorskip("SimpleITK")
    path = FORMATS["dicom"].write(folder)
    for file in path.parent.iterdir():
        named_dicom(file)
    return path.parent, io.read_image


def nifti(folder):
    import nibabel

    image = nibabel.Nifti1Image(fuzz_seeds.IMAGE.T, np.eye(4))
    image.header["descrip"], image.header["db_name"] = f"{NAME} {NUMBER}", NUMBER
    image.header["aux_file"], image.header["intent_name"] = "Mustermann", "Mustermann"
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", NAME.encode()))
    nibabel.save(image, folder / "a.nii")
    return folder / "a.nii", io.read_image


def nrrd(folder):
    pytest.importorskip("SimpleITK")
    path = FORMATS["nhdr"].write(folder)
    path.write_text(f"{path.read_text()}content: {NAME}\nPatient:={NUMBER}\n# {DATE}\n")
    return path, io.read_image


def metaimage(folder):
    pytest.importorskip("SimpleITK")
    path = FORMATS["mha"].write(folder)
    head, _, body = path.read_bytes().partition(b"ElementDataFile")
    lines = f"Comment = {NAME}\nPatientID = {NUMBER}\n".encode()
    path.write_bytes(head + lines + b"ElementDataFile" + body)
    return path, io.read_image


def ismrmrd(folder):
    h5py = pytest.importorskip("h5py")
    pytest.importorskip("ismrmrd")
    path = FORMATS["ismrmrd"].write(folder)
    with h5py.File(path, "a") as file:
        xml = file["dataset/xml"][0].decode()
        who = (
            f"<subjectInformation><patientName>{NAME}</patientName>"
            f"<patientID>{NUMBER}</patientID></subjectInformation>"
        )
        at = xml.index("<experimentalConditions>")
        file["dataset/xml"][0] = xml[:at] + who + xml[at:]
    return path, io.read_kspace


def twix(folder):
    pytest.importorskip("twixtools")
    yaps = fuzz_seeds.YAPS.replace("sPat", f'tPatientName = "{NAME}"\ntId = "{NUMBER}"\nsPat', 1)
    path = fuzz_seeds.write_twix(folder, yaps=yaps)
    content = bytearray(path.read_bytes())
    content[8 + 24 : 8 + 24 + len(NAME)] = NAME.encode()  # the list of measurements names her, too
    path.write_bytes(content)
    return path, io.read_kspace


def ct_pd(folder):
    path = FORMATS["dicom ct-pd"].write(folder)
    for file in path.parent.glob("*.dcm"):
        named_dicom(file)
    return path.parent, io.read_projections


SOURCES = [dicom, nifti, nrrd, metaimage, ismrmrd, twix, ct_pd]


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.__name__)
def test_readers_leave_identifiers_behind(tmp_path, source):
    path, reader = source(tmp_path)
    files = [path] if path.is_file() else list(path.iterdir())
    assert any(b"Mustermann" in p.read_bytes() for p in files)
    found = reader(path)
    assert_silent(repr(found).encode(), "what was read")
    assert_silent(repr(found.header).encode(), "its header")


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha", ".npy"])
@pytest.mark.parametrize("source", SOURCES[:4], ids=lambda s: s.__name__)
def test_images_written_name_nobody(tmp_path, source, ending):
    if ending in (".nrrd", ".mha"):
        pytest.importorskip("SimpleITK")
    path, reader = source(tmp_path)
    written = io.write_image(tmp_path / f"out{ending}", reader(path))
    assert_silent(written.read_bytes(), written.name)


@pytest.mark.parametrize("source", [ismrmrd, twix], ids=lambda s: s.__name__)
def test_kspace_and_reconstructions_name_nobody(tmp_path, source):
    path, reader = source(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    io.write_cfl(out / "k", reader(path))
    words = ["recon", "mr", str(path), str(out / "image.nii.gz"), "--method", "rss", "-q"]
    assert main(words) == 0
    for file in out.rglob("*"):
        assert_silent(file.read_bytes(), file.name)


def test_projections_and_reconstructions_name_nobody(tmp_path):
    """The title and the sample of a scan are shown by ``info``, and go no further."""
    h5py = pytest.importorskip("h5py")
    path = FORMATS["data exchange"].write(tmp_path)
    with h5py.File(path, "a") as file:
        file["exchange/title"], file["measurement/sample/name"] = NAME, NUMBER
    out = tmp_path / "out"
    out.mkdir()
    assert main(["recon", "ct", str(path), str(out / "image.nii.gz"), "-q"]) == 0
    for file in out.rglob("*"):
        assert_silent(file.read_bytes(), file.name)


def test_geometries_written_name_nobody(tmp_path):
    path, reader = ct_pd(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    io.write_geometry(out / "scan.yaml", reader(path).geometry)
    for file in out.iterdir():
        assert_silent(file.read_bytes(), file.name)


def test_structures_tables_and_cohorts_name_nobody(tmp_path):
    """Features of a DICOM series and an RTSTRUCT: tables, records and provenance."""
    pytest.importorskip("distributed")
    import dicom_files

    folder, _ = dicom(tmp_path)
    regions = {"tumour": [(z, dicom_files.box(1, 3, 1, 3)) for z in range(3)]}
    structure = dicom_files.write_structure(tmp_path / "rs.dcm", regions)
    named_dicom(structure)
    mask = io.read_mask(structure, io.read_image(folder), region="tumour")
    assert_silent(repr(mask).encode(), "the mask")
    (tmp_path / "settings.yaml").write_text("families: [first_order]\n")
    (tmp_path / "cases.csv").write_text("id,image,mask,region\nc1,ct,rs.dcm,tumour\n")
    words = ["cohort", str(tmp_path / "cases.csv"), "--out", str(tmp_path / "out")]
    assert (
        main([*words, "--settings", str(tmp_path / "settings.yaml"), "--workers", "1", "-q"]) == 0
    )
    files = [p for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert any(p.suffix == ".csv" for p in files) and any(p.suffix == ".json" for p in files)
    for file in files:
        assert_silent(file.read_bytes(), file.name)
        if file.suffix == ".json":
            assert json.loads(file.read_text())
