"""DICOM series, RTSTRUCT and SEG files of known content."""

import datetime

import numpy as np

CT, STRUCT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.481.3"
AXIAL = ((1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0))
CORONAL = ((1.0, 0, 0), (0, 0, -1.0), (0, 1.0, 0))
OBLIQUE = (
    (np.cos(0.3), np.sin(0.3), 0),
    (-np.sin(0.3) * np.cos(0.2), np.cos(0.3) * np.cos(0.2), np.sin(0.2)),
)
OBLIQUE = (*OBLIQUE, tuple(np.cross(*OBLIQUE)))
SHAPE, STEP = (5, 24, 20), (2.5, 0.8, 0.9)  # (z, y, x)
ORIGIN = np.array([-37.3, 12.1, -110.0])


def _dataset(kind):
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = kind
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = kind, meta.MediaStorageSOPInstanceUID
    data.PatientName, data.PatientID, data.PatientBirthDate = "A^B", "1", ""
    data.PatientSex, data.StudyID, data.AccessionNumber = "", "", ""
    data.StudyDate = data.StudyTime = data.ReferringPhysicianName = ""
    data.Manufacturer = "none"
    return data


def write_series(folder, values, turned=AXIAL):
    """A CT series with these values; returns its data sets in the order of the slices."""
    from pydicom.uid import generate_uid

    study, series, frame = (generate_uid() for _ in range(3))
    row, column, normal = (np.array(v) for v in turned)
    result = []
    for z, picture in enumerate(values):
        data = _dataset(CT)
        data.StudyInstanceUID, data.SeriesInstanceUID = study, series
        data.FrameOfReferenceUID, data.Modality = frame, "CT"
        data.SeriesNumber, data.InstanceNumber, data.PositionReferenceIndicator = 1, z + 1, ""
        place = ORIGIN + z * STEP[0] * normal
        data.ImagePositionPatient = [f"{v:.6f}" for v in place]
        data.ImageOrientationPatient = [f"{v:.9f}" for v in (*row, *column)]
        data.PixelSpacing, data.SliceThickness = [STEP[1], STEP[2]], STEP[0]
        data.Rows, data.Columns = picture.shape
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit, data.PixelRepresentation = 15, 1
        data.RescaleSlope, data.RescaleIntercept = 1, 0
        data.PixelData = picture.astype(np.int16).tobytes()
        data.save_as(folder / f"{len(values) - z:03d}.dcm", enforce_file_format=True)
        result.append(data)
    return result


def to_patient(points, z, turned=AXIAL):
    """mm (LPS) of (x, y) in pixels of a slice."""
    row, column, normal = (np.array(v) for v in turned)
    points = np.asarray(points, float)
    along = np.outer(points[:, 0] * STEP[2], row) + np.outer(points[:, 1] * STEP[1], column)
    return ORIGIN + along + z * STEP[0] * normal


def write_structure(path, regions, turned=AXIAL):
    """regions: name -> list of (slice, [(x, y) in pixels], geometric type)."""
    from pydicom.dataset import Dataset

    data = _dataset(STRUCT)
    data.Modality, data.StructureSetLabel = "RTSTRUCT", "test"
    data.StructureSetROISequence, data.ROIContourSequence = [], []
    for number, (name, contours) in enumerate(regions.items(), start=1):
        roi, drawn = Dataset(), Dataset()
        roi.ROINumber, roi.ROIName = number, name
        drawn.ReferencedROINumber, drawn.ContourSequence = number, []
        for z, points, *kind in contours:
            item = Dataset()
            item.ContourGeometricType = kind[0] if kind else "CLOSED_PLANAR"
            item.NumberOfContourPoints = len(points)
            item.ContourData = [f"{v:.5f}" for v in to_patient(points, z, turned).ravel()]
            drawn.ContourSequence.append(item)
        data.StructureSetROISequence.append(roi)
        data.ROIContourSequence.append(drawn)
    data.save_as(path, enforce_file_format=True)
    return path


def box(x0, x1, y0, y1):
    """Outline half a pixel around the pixels x0 .. x1, y0 .. y1."""
    return [(x0 - 0.5, y0 - 0.5), (x1 + 0.5, y0 - 0.5), (x1 + 0.5, y1 + 0.5), (x0 - 0.5, y1 + 0.5)]


def write_segmentation(path, images, masks, kind="BINARY"):
    """masks: (slice, row, column, segment)."""
    import highdicom as hd
    from pydicom.sr.codedict import codes

    numbers = range(1, masks.shape[-1] + 1)
    descriptions = [
        hd.seg.SegmentDescription(
            segment_number=n,
            segment_label=f"part {n}",
            segmented_property_category=codes.SCT.Tissue,
            segmented_property_type=codes.SCT.Bone,
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for n in numbers
    ]
    seg = hd.seg.Segmentation(
        source_images=images,
        pixel_array=masks,
        segmentation_type=kind,
        segment_descriptions=descriptions,
        series_instance_uid=hd.UID(),
        series_number=2,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="none",
        manufacturer_model_name="none",
        software_versions="1",
        device_serial_number="1",
        content_date=datetime.date(2024, 1, 1),
    )
    seg.save_as(path)
    return path
