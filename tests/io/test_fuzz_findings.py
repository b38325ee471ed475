"""What fuzzing found: files that crashed, hung or filled the memory, each refused by name now."""

import random
import struct
import zipfile
import zlib

import fuzz_dicom
import fuzz_seeds
import numpy as np
import pytest
from fuzz_binary import many_cells
from fuzz_formats import FORMATS
from fuzz_hdf5 import write_canary

from pyrad_core import io
from pyrad_core.errors import DataError, FileFormatError
from pyrad_core.features import Settings

CAP = 1_000_000


def refused(path, reader, match):
    with pytest.raises(FileFormatError, match=match):
        reader(path, max_bytes=CAP)


# --- Siemens TWIX


@pytest.mark.parametrize(
    "line",
    [
        "sKSpace.alFree[4000000000] = 1",  # a list of so many entries
        "sKSpace[0][999999999] = 1",
        "x" * 300_000,  # quadratic time
        " " * 300_000,
    ],
)
def test_twix_protocol_of_any_index_or_length(tmp_path, line):
    pytest.importorskip("twixtools")
    yaps = fuzz_seeds.YAPS.replace("sPat", line + "\nsPat", 1)
    path = fuzz_seeds.write_twix(tmp_path, yaps=yaps)
    assert io.read_kspace(path, max_bytes=CAP).data.shape == (2, 4, 6)


def test_twix_protocol_of_the_parser_of_twixtools():
    """The scanner's own protocols, entry by entry."""
    twixtools = pytest.importorskip("twixtools")
    from helpers import data_path

    from pyrad_core.io.twix_protocol import _number
    from pyrad_core.io.twix_text import read_protocol

    for name in ("gre.dat", "epi.dat"):
        path = data_path("mr", "twixtools", name)
        ours = read_protocol(path, 10240)
        theirs = twixtools.read_twix(
            str(path), parse_data=False, parse_pmu=False, parse_geometry=False, verbose=False
        )[-1]["hdr"]
        for group in ("sKSpace", "sPat"):
            for key, value in theirs["MeasYaps"][group].items():
                if isinstance(value, (int, float)):
                    assert _number(ours["MeasYaps"][group], key, -7) == float(value), key
        numbers = [k for k, v in theirs["Meas"].items() if type(v) in (int, float)]
        same = [k for k in numbers if _number(ours["Meas"], k, -7) == float(theirs["Meas"][k])]
        assert len(same) > 0.99 * len(numbers)
        first = ours["MeasYaps"]["sSliceArray"]["asSlice"][0]
        assert first["dThickness"] == theirs["MeasYaps"]["sSliceArray"]["asSlice"][0]["dThickness"]


def test_twix_block_that_calls_itself_noise(tmp_path):
    """A block of other data, shorter than the header behind which samples would be read."""
    pytest.importorskip("twixtools")
    path = fuzz_seeds.write_twix(tmp_path)
    content = bytearray(path.read_bytes())
    start = int.from_bytes(content[16:24], "little")
    at = start + int.from_bytes(content[start : start + 4], "little")
    at += fuzz_seeds.TWIX_LINES * (192 + 2 * (32 + 8 * 6))
    assert content[at] == 160 and content[at + 40] & 1  # the block that ends the measurement
    block = bytearray(content[at : at + 160])
    block[40], block[43] = 1 << 5, 1 << 1  # synchronisation data, noise
    content[at:at] = block
    content[24:32] = (int.from_bytes(content[24:32], "little") + 160).to_bytes(8, "little")
    path.write_bytes(content)
    scan = io.read_kspace(path, max_bytes=CAP)
    assert scan.data.shape == (2, 4, 6) and scan.noise is None


def test_lines_without_coils(tmp_path):
    from pyrad_core.io.lines import Grid, Line, assemble

    lines = [Line(np.zeros((0, 6), np.complex64), 0, frame={"repetition": 60000})]
    with pytest.raises(FileFormatError, match="no coils"):
        assemble(tmp_path, lines, Grid(1, 60000, 6, 0, 0), CAP)


# --- DICOM


@pytest.fixture
def slice_(tmp_path):
    pytest.importorskip("pydicom")
    pytest.importorskip("SimpleITK")
    path = FORMATS["dicom"].write(tmp_path)
    return path, path.read_bytes(), fuzz_dicom.taken_apart(path.read_bytes())


def test_dicom_length_beyond_the_file(slice_):
    path, content, elements = slice_
    found = next(e for e in elements if e.vr == b"OW")
    found.lie = 2**32 - 2
    path.write_bytes(fuzz_dicom.together(content, elements))
    refused(path, io.read_image, "is truncated: expected 429496")


def test_dicom_unknown_types(slice_):
    """GDCM takes their length from another place, and allocates it."""
    path, content, elements = slice_
    uid = next(e for e in elements if e.tag == b"\x02\x00\x12\x00")
    uid.vr = b"UA"
    path.write_bytes(fuzz_dicom.together(content, elements))
    refused(path, io.read_image, "an element of type b'UA'")


@pytest.mark.parametrize("depth", [40, 3000])
def test_dicom_deep_sequences(slice_, depth):
    path, content, elements = slice_
    elements.insert(-1, fuzz_dicom.nested(elements[5], depth))
    path.write_bytes(fuzz_dicom.together(content, elements))
    refused(path, io.read_image, "nested more than 32 deep")


def test_dicom_two_sizes(slice_):
    """pydicom takes the last one, GDCM the first."""
    path, content, elements = slice_
    rows = next(e for e in elements if e.tag == b"\x28\x00\x10\x00")
    elements.insert(
        elements.index(rows), fuzz_dicom.Element(rows.tag, b"US", struct.pack("<H", 60000))
    )
    path.write_bytes(fuzz_dicom.together(content, elements))
    refused(path, io.read_image, r"element \(0028,0010\) stands there twice")


def test_dicom_slices_of_other_sizes(slice_):
    path, content, elements = slice_
    columns = next(e for e in elements if e.tag == b"\x28\x00\x11\x00")
    columns.value = struct.pack("<H", 60000)
    path.write_bytes(fuzz_dicom.together(content, elements))
    refused(path.parent, io.read_image, "Columns is 60000, in the others 5|asks for|truncated")


def deflated(path, content, elements, more):
    meta = [e for e in elements if e.tag[:2] == b"\x02\x00"]
    next(e for e in meta if e.tag == b"\x02\x00\x10\x00").value = b"1.2.840.10008.1.2.1.99"
    rest = b"".join(e.packed() for e in elements if e.tag[:2] != b"\x02\x00")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    path.write_bytes(
        fuzz_dicom.together(content, meta) + packer.compress(rest + more) + packer.flush()
    )


def test_dicom_deflated(tmp_path):
    pytest.importorskip("pydicom")
    pytest.importorskip("SimpleITK")
    kind = FORMATS["rtstruct"]
    path = kind.write(tmp_path)
    image, plain = io.read_image(tmp_path / "ct"), path.read_bytes()
    expected = io.read_mask(path, image).data
    deflated(path, plain, fuzz_dicom.taken_apart(plain), b"")
    np.testing.assert_array_equal(io.read_mask(path, image, max_bytes=CAP).data, expected)
    deflated(path, plain, fuzz_dicom.taken_apart(plain), bytes(30_000_000))
    with pytest.raises(FileFormatError, match="its deflated part asks for"):
        io.read_mask(path, image, max_bytes=CAP)


def test_structure_of_very_many_regions(tmp_path):
    """One volume of a region is held at a time."""
    pytest.importorskip("pydicom")
    pytest.importorskip("SimpleITK")
    import tracemalloc

    import dicom_files

    FORMATS["rtstruct"].write(tmp_path)
    image = io.read_image(tmp_path / "ct")
    large = io.Image(np.zeros((3, 1000, 1000), np.int16), image.spacing, image.affine)
    regions = {f"r{i}": [(0, dicom_files.box(i, i, 0, 0))] for i in range(40)}
    path = dicom_files.write_structure(tmp_path / "many.dcm", regions)
    tracemalloc.start()
    labels = io.read_mask(path, large).data
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert labels[0, 0, :40].tolist() == list(range(1, 41)) and peak < 14 * labels.nbytes


# --- HDF5


def test_segmentation_of_any_number_of_frames(tmp_path):
    """highdicom makes a list of as many offsets as the header declares frames."""
    pydicom = pytest.importorskip("pydicom")
    pytest.importorskip("highdicom")
    path = fuzz_seeds.write_segmentation(tmp_path)
    held = pydicom.dcmread(path)
    held.NumberOfFrames = 2 * 10**9
    held.save_as(path)
    refused(path, io.read_mask, "declares 2000000000 frames in")


@pytest.fixture
def exchange(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = FORMATS["data exchange"].write(tmp_path)
    write_canary(tmp_path)
    with h5py.File(path, "a") as file:
        del file["exchange/data_white"]
        yield path, file


def packed_chunk(file, chunks, length):
    data = file.create_dataset(
        "exchange/data_white", (2, 3, 6), "u2", chunks=chunks, maxshape=(None,) * 3,
        compression="gzip",
    )  # fmt: skip
    data.id.write_direct_chunk((0, 0, 0), zlib.compress(bytes(length), 9))
    file.close()


def test_hdf5_chunks_beyond_the_cap(exchange):
    path, file = exchange
    packed_chunk(file, (1000, 1000, 1000), 100)
    refused(path, io.read_projections, r"a chunk \(1000, 1000, 1000\) of exchange/data_white asks")


@pytest.mark.parametrize(("length", "words"), [(30_000_000, "unpacks to more"), (60, "holds 60")])
def test_hdf5_chunks_that_unpack_to_another_length(exchange, length, words):
    """Too long fills the memory, too short is read beyond its end."""
    path, file = exchange
    packed_chunk(file, (2, 3, 6), length)
    refused(path, io.read_projections, words)


@pytest.mark.parametrize("options", [{"compression": "gzip"}, {"compression": "lzf"}, {},
                                     {"compression": "gzip", "shuffle": True},
                                     {"shuffle": True, "fletcher32": True},
                                     {"compression": "gzip", "fletcher32": True}])  # fmt: skip
def test_hdf5_chunks_as_h5py_reads_them(tmp_path, options):
    h5py = pytest.importorskip("h5py")
    values = np.random.default_rng(0).integers(0, 60000, (7, 11, 13)).astype(">u2")
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("exchange/data", data=values, chunks=(3, 4, 5), **options)
        file["exchange/theta"] = np.arange(7.0)
    scan = io.read_projections(path)
    np.testing.assert_array_equal(scan.data, values)
    if options.get("fletcher32"):
        content = bytearray(path.read_bytes())
        with h5py.File(path) as file:
            at = file["exchange/data"].id.get_chunk_info(0).byte_offset
        content[at + 8] ^= 1
        path.write_bytes(content)
        refused(path, io.read_projections, "checksum|cannot be unpacked")


def test_hdf5_chunks_that_lie_elsewhere():
    """Where no chunk lies there would be whatever the memory held."""
    from types import SimpleNamespace

    from pyrad_core.io.hdf5_chunks import _inside

    data = SimpleNamespace(shape=(4, 6), chunks=(2, 6))

    def at(*places):
        return _inside("a.h5", "x", data, [SimpleNamespace(chunk_offset=p) for p in places])

    assert len(at((0, 0), (2, 0), (4, 0))) == 2  # the last one was cut off
    for places in ([(0, 0), (1, 0)], [(0, 0), (0, 0)], [(0, 0)], [(0, 0), (2, 0), (1, 0)]):
        with pytest.raises(FileFormatError, match="of 2 chunks are in place"):
            at(*places)


def test_hdf5_dataset_assembled_from_itself(exchange):
    h5py = pytest.importorskip("h5py")
    path, file = exchange
    layout = h5py.VirtualLayout((2, 3, 6), "u2")
    layout[...] = h5py.VirtualSource(".", "exchange/data_white", shape=(2, 3, 6))
    file.create_virtual_dataset("exchange/data_white", layout)
    file.close()
    refused(path, io.read_projections, "assembled from")


def test_hdf5_links_that_double(exchange):
    """Each of thirty links leads to the next one twice: 2^30 steps."""
    h5py = pytest.importorskip("h5py")
    path, file = exchange
    for i in range(30):
        file[f"exchange/l{i}"] = h5py.SoftLink(f"l{i + 1}/l{i + 1}")
    file["exchange/l30"] = h5py.SoftLink("/exchange")
    file["exchange/data_white"] = h5py.SoftLink("l0")
    file.close()
    refused(path, io.read_projections, "refers to itself")


def test_hdf5_unknown_filters_and_attributes(exchange):
    path, file = exchange
    file["exchange/theta"].attrs["units"] = ["rad", "rad"]
    file.close()
    refused(path, io.read_projections, "the attribute units of exchange/theta is no single value")


def test_ismrmrd_samples_that_are_not_there(tmp_path):
    """A line's entry in the table states its length; the library allocates that much."""
    pytest.importorskip("ismrmrd")
    path = FORMATS["ismrmrd"].write(tmp_path)
    content = bytearray(path.read_bytes())
    entry = struct.pack("<I", 2 * KSPACE_LINE)
    places = [i for i in range(len(content)) if content.startswith(entry, i)]
    hits = 0
    for at in places:
        changed = bytearray(content)
        changed[at : at + 4] = struct.pack("<I", 2**31 - 1)
        path.write_bytes(changed)
        try:
            io.read_kspace(path, max_bytes=CAP)
        except FileFormatError as error:
            hits += "an entry of 2147483647 values is not there" in str(error)
    assert hits >= 4


KSPACE_LINE = fuzz_seeds.KSPACE[:, 0].size


def test_many_names_of_one_variable(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = FORMATS["mat 7.3"].write(tmp_path)
    with h5py.File(path, "a") as file:
        file["n0"] = np.zeros((100, 100))
        for i in range(20):
            file[f"m{i}"] = file["n0"]
    refused(path, io.read_kspace, "all variables together asks for")


# --- others


def test_mat_of_version_4(tmp_path):
    """A zero at the beginning makes SciPy read the file as one of another version."""
    path = fuzz_seeds.write_htc(tmp_path)
    content = bytearray(path.read_bytes())
    content[2] = 0
    path.write_bytes(content)
    refused(path, io.read_projections, "is no MATLAB file")


@pytest.mark.parametrize(("kind", "there"), [(1, 3), (2, 0), (2, 3)])
def test_mat_cells_without_content(tmp_path, kind, there):
    """A struct without fields may have any size."""
    path = FORMATS["mat"].write(tmp_path)
    path.write_bytes(path.read_bytes()[:128] + many_cells(kind, 10**9, there))
    refused(path, io.read_kspace, "1000000000 cells or fields")


@pytest.mark.parametrize("line", ["dimension: " + "x" * 5000, "space origin: (" + "9" * 5000 + ")",
                                  "x" * 5000, "sizes: 5 4 3", "line skip: 5",
                                  "byte skip: 100"])  # fmt: skip
@pytest.mark.parametrize("ending", ["nrrd", "nhdr"])
def test_nrrd_lines_that_overrun_buffers(tmp_path, line, ending):
    pytest.importorskip("SimpleITK")
    path = FORMATS[ending].write(tmp_path)
    head, body = path.read_bytes().split(b"\n\n", 1) if ending == "nrrd" else (
        path.read_bytes().rstrip(), b"")  # fmt: skip
    name = line.partition(":")[0].encode()
    kept = [x for x in head.split(b"\n") if not x.startswith(name + b":") or name == b"sizes"]
    path.write_bytes(b"\n".join([*kept, line.encode()]) + b"\n\n" + body)
    refused(path, io.read_image, "field|twice|truncated|skips")


@pytest.mark.parametrize("line", ["NDims = 4294967296", "Comment = " + "x" * 5000, "DimSize = 1 1",
                                  "ElementNumberOfChannels = 2000000000",
                                  "CompressedDataSize = 4294967296", "Offset = 1 2",
                                  "TransformMatrix = 1 0 0", "\x00\x01 = 1", "Foo = " + "x" * 4001,
                                  "x" * 61 + " = 1", "Modality = " + "x" * 300])  # fmt: skip
def test_metaimage_lines_that_overrun_buffers(tmp_path, line):
    pytest.importorskip("SimpleITK")
    path = FORMATS["mha"].write(tmp_path)
    head, _, body = path.read_bytes().partition(b"ElementDataFile")
    name = line.partition(" ")[0].encode()
    kept = [x for x in head.split(b"\n") if x and not x.startswith(name + b" ")]
    path.write_bytes(b"\n".join([*kept, line.encode(), b"ElementDataFile"]) + body)
    refused(path, io.read_image, "field|sizes|MetaImage|truncated")


def test_npy_header_of_any_length(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.ones((3, 4), np.float32))
    content = path.read_bytes()
    for version in (b"\x02\x00", b"\x03\x00", b"YY"):
        path.write_bytes(content[:6] + version + struct.pack("<I", 2**31) + content[10:])
        refused(path, io.read_image, "header of 2147483648 bytes|has version")


def test_npy_header_of_deep_brackets(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((4, 6)))
    head = b"[" * 3000
    (tmp_path / "a.npy").write_bytes(
        b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + bytes(192)
    )
    refused(tmp_path / "a.npy", io.read_projections, "header of 3000 nested brackets")


def test_npz_values_without_size(tmp_path):
    """Any number of them takes no bytes of the file."""
    np.savez(tmp_path / "a.npz", sinogram=np.ones((4, 6), np.float32))
    head = b"{'descr': '|S0', 'fortran_order': False, 'shape': (1000000, 1000000), }\n"
    with zipfile.ZipFile(tmp_path / "a.npz", "a") as archive:
        archive.writestr("angles_deg.npy", b"\x93NUMPY\x01\x00" + bytes([len(head), 0]) + head)
    refused(tmp_path / "a.npz", io.read_projections, "is of values without size")


def test_npz_packed_otherwise(tmp_path):
    path = FORMATS["npz"].write(tmp_path)
    import zipfile

    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as file:
        file.writestr("sinogram.npy", b"x")
    refused(path, io.read_projections, "packed in a way that NumPy does not use")


def test_tiff_bombs(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    import fuzz_binary

    path = tmp_path / "a.tif"
    values = np.arange(72, dtype=np.uint16).reshape(4, 3, 6)
    tifffile.imwrite(path, values, photometric="minisblack", compression="deflate")
    np.testing.assert_array_equal(io.read_projections(path).data, values)
    FORMATS["tiff"].write(tmp_path)
    content, rng = path.read_bytes(), random.Random(1)
    at = struct.unpack("<I", content[4:8])[0]
    count = struct.unpack("<H", content[at : at + 2])[0]
    seen = set()
    for _ in range(12):
        path.write_bytes(fuzz_binary._packed_pages(bytearray(content), "<", at, count, rng))
        try:
            io.read_projections(path, max_bytes=CAP)
        except FileFormatError as error:
            seen.add("unpack to more" in str(error))
    assert True in seen


def test_yaml_that_repeats_or_holds_itself(tmp_path):
    FORMATS["geometry"].write(tmp_path)
    laughs = "".join(
        f"{a}: &{a} [{', '.join(['*' + b if b != '1' else b] * 9)}]\n"
        for a, b in zip("abcdefghi", "1abcdefgh", strict=True)
    )
    for text in ("angles: &a [*a]", laughs + "angles: *i", "angles: " + "[" * 90 + "]" * 90):
        (tmp_path / "a.yaml").write_text(text)
        refused(tmp_path / "a.npy", io.read_projections, "repeated to more than|unreadable|YAML")


@pytest.mark.parametrize(
    "text",
    [b"label: \xff", b"label: " + b"9" * 5000, b"filters: {wavelet: 3}", b"families: 3",
     b"families: ~", b"imageType: {LoG: 3}", b"setting: 3",
     b"setting: {binWidth: [1]}", b"filters: 3", b"? [a, b]\n: 1", b"a: &a [*a]"],
)  # fmt: skip
def test_settings_of_any_kind(tmp_path, text):
    path = tmp_path / "a.yaml"
    path.write_bytes(text)
    with pytest.raises((DataError, FileFormatError)):
        Settings.from_yaml(path)


@pytest.mark.parametrize("label", ["inf", "1e400", "nan", "1.5"])
def test_labels_of_cases(tmp_path, label):
    (tmp_path / "a.csv").write_text(f"image,mask,label\na,b,{label}\n")
    with pytest.raises(DataError, match="is no number"):
        io.read_cases(tmp_path / "a.csv")
