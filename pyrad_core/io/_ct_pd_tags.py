"""The elements of DICOM-CT-PD that carry a scan: tag, value representation, keyword.

Sources: Table IV of Moen et al., Medical Physics 48, 902, 2021, doi:10.1002/mp.14594; Chen et al.,
Medical Physics 42, 6964, 2015, doi:10.1118/1.4935406; the format's data dictionary, published with
the TCIA collection LDCT-and-Projection-data, doi:10.7937/9npb-2637. Lengths are mm, angles rad,
attenuation 1/mm; private numbers are little-endian, whether the file says FL, US or UN.
"""

from __future__ import annotations

from typing import NamedTuple


class Element(NamedTuple):
    """One element of the format."""

    group: int
    element: int
    vr: str
    keyword: str

    @property
    def tag(self) -> int:
        return self.group << 16 | self.element

    def __str__(self) -> str:
        return f"{self.keyword} ({self.group:04X},{self.element:04X})"


SERIES = Element(0x0020, 0x000E, "UI", "SeriesInstanceUID")
NUMBER = Element(0x0020, 0x0013, "IS", "InstanceNumber")
SAMPLES = Element(0x0028, 0x0002, "US", "SamplesPerPixel")
IMAGE_ROWS = Element(0x0028, 0x0010, "US", "Rows")
IMAGE_COLUMNS = Element(0x0028, 0x0011, "US", "Columns")
BITS = Element(0x0028, 0x0100, "US", "BitsAllocated")
SIGNED = Element(0x0028, 0x0103, "US", "PixelRepresentation")
INTERCEPT = Element(0x0028, 0x1052, "DS", "RescaleIntercept")
SLOPE = Element(0x0028, 0x1053, "DS", "RescaleSlope")
POSITION = Element(0x0018, 0x5100, "CS", "PatientPosition")
KVP = Element(0x0018, 0x0060, "DS", "KVP")
HU_FACTOR = Element(0x0018, 0x0061, "DS", "HUCalibrationFactor")  # water, in the first files

COLUMN_PITCH = Element(0x7029, 0x1002, "FL", "DetectorElementTransverseSpacing")
ROW_PITCH = Element(0x7029, 0x1006, "FL", "DetectorElementAxialSpacing")
SHAPE = Element(0x7029, 0x100B, "CS", "DetectorShape")
ROWS = Element(0x7029, 0x1010, "US", "NumberofDetectorRows")
COLUMNS = Element(0x7029, 0x1011, "US", "NumberofDetectorColumns")
ANGLE = Element(0x7031, 0x1001, "FL", "DetectorFocalCenterAngularPosition")
AXIAL = Element(0x7031, 0x1002, "FL", "DetectorFocalCenterAxialPosition")
RADIAL = Element(0x7031, 0x1003, "FL", "DetectorFocalCenterRadialDistance")
DISTANCE = Element(0x7031, 0x1031, "FL", "ConstantRadialDistance")
CENTRAL = Element(0x7031, 0x1033, "FL", "DetectorCentralElement")  # (column, row), from 1
ANGLE_SHIFT = Element(0x7033, 0x100B, "FL", "SourceAngularPositionShift")
AXIAL_SHIFT = Element(0x7033, 0x100C, "FL", "SourceAxialPositionShift")
RADIAL_SHIFT = Element(0x7033, 0x100D, "FL", "SourceRadialDistanceShift")
FOCAL_SPOT = Element(0x7033, 0x100E, "CS", "FlyingFocalSpotMode")
STEPS = Element(0x7033, 0x1013, "US", "NumberofSourceAngularSteps")
SPECTRA = Element(0x7033, 0x1061, "US", "NumberofSpectra")
SPECTRUM = Element(0x7033, 0x1063, "US", "SpectrumIndex")
PHOTONS = Element(0x7033, 0x1065, "FL", "PhotonStatistics")  # one number per column
TYPE = Element(0x7037, 0x1009, "CS", "TypeofProjectionData")
PROJECTION = Element(0x7037, 0x100A, "CS", "TypeofProjectionGeometry")
HARDENING = Element(0x7039, 0x1003, "CS", "BeamHardeningCorrectionFlag")
GAIN = Element(0x7039, 0x1004, "CS", "GainCorrectionFlag")
DARK = Element(0x7039, 0x1005, "CS", "DarkFieldCorrectionFlag")
FLAT = Element(0x7039, 0x1006, "CS", "FlatFieldCorrectionFlag")
BAD_PIXELS = Element(0x7039, 0x1007, "CS", "BadPixelCorrectionFlag")
SCATTER = Element(0x7039, 0x1008, "CS", "ScatterCorrectionFlag")
LOG = Element(0x7039, 0x1009, "CS", "LogFlag")
WATER = Element(0x7041, 0x1001, "DS", "WaterAttenuationCoefficient")

FLAGS = {
    "beam hardening": HARDENING,
    "gain": GAIN,
    "dark field": DARK,
    "flat field": FLAT,
    "bad pixels": BAD_PIXELS,
    "scatter": SCATTER,
    "log": LOG,
}
CREATORS = {
    0x7029: "DetectorSystemArrangementModule",
    0x7031: "DetectorDynamicsModule",
    0x7033: "SourceDynamicsModule",
    0x7037: "ProjectionDataDefinitions",
    0x7039: "PreprocessingFlagsModule",
    0x7041: "WaterAttenuationModule",
}

#: Which way the world's x, y and z grow in the patient, by the patient's position on the table.
#: World: x to the right of someone who looks from the table into the gantry, y down, z into it.
ORIENTATION = {
    "HFS": "LPS",
    "HFP": "RAS",
    "HFDR": "PRS",
    "HFDL": "ALS",
    "FFS": "RPI",
    "FFP": "LAI",
    "FFDR": "ARI",
    "FFDL": "PLI",
}
