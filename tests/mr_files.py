"""ISMRMRD and TWIX files with known objects at known places in the patient."""

import copy

import numpy as np

_XML = """<?xml version="1.0" encoding="utf-8"?>
<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD">{vendor}
 <experimentalConditions><H1resonanceFrequency_Hz>123000000</H1resonanceFrequency_Hz>
 </experimentalConditions>{encodings}</ismrmrdHeader>"""
_ENCODING = """
 <encoding>
  <encodedSpace><matrixSize><x>{mx}</x><y>{my}</y><z>{mz}</z></matrixSize>
   <fieldOfView_mm><x>{fx}</x><y>{fy}</y><z>{fz}</z></fieldOfView_mm></encodedSpace>
  <reconSpace><matrixSize><x>{rx}</x><y>{ry}</y><z>{rz}</z></matrixSize>
   <fieldOfView_mm><x>{gx}</x><y>{gy}</y><z>{gz}</z></fieldOfView_mm></reconSpace>
  <encodingLimits/><trajectory>{trajectory}</trajectory>{extra}
 </encoding>"""


def header(
    matrix, fov, *, recon=None, recon_fov=None, vendor=None, trajectory="cartesian", extra="",
    encodings=1,
):  # fmt: skip
    """An ISMRMRD XML header; matrix and fov are (x, y, z)."""
    recon, recon_fov = recon or matrix, recon_fov or fov
    values = dict(zip("mx my mz fx fy fz rx ry rz gx gy gz".split(),
                      (*matrix, *fov, *recon, *recon_fov), strict=True))  # fmt: skip
    one = _ENCODING.format(**values, trajectory=trajectory, extra=extra)
    system = (
        f"<acquisitionSystemInformation><systemVendor>{vendor}</systemVendor>"
        "</acquisitionSystemInformation>" if vendor else ""
    )  # fmt: skip
    return _XML.format(vendor=system, encodings=one * encodings)


def rotation(seed=3):
    """Oblique directions (read, phase, slice), one per row, right-handed."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))
    return q * np.sign(np.linalg.det(q))


def blobs_kspace(places, widths, frame, centre, matrix, fov):
    """k-space (z, y, x) of Gaussian blobs at LPS places, for a scan along ``frame`` at ``centre``.

    In closed form: F(k) = sum_i exp(-2 pi i k u_i / FOV) exp(-2 (pi k w_i / FOV)^2), u = the
    place along the scan's axes.
    """
    k = [np.arange(n) - n // 2 for n in matrix]  # x, y, z
    total = 0
    for place, width in zip(places, widths, strict=True):
        u = frame @ (np.asarray(place) - centre)
        parts = [
            np.exp(-2j * np.pi * k[i] * u[i] / fov[i])
            * np.exp(-2 * (np.pi * k[i] * width / fov[i]) ** 2)
            for i in range(3)
        ]
        total = total + np.einsum("z,y,x->zyx", parts[2], parts[1], parts[0])
    return total.astype(np.complex64)


class Writer:
    """An ISMRMRD file being written by the ismrmrd package."""

    def __init__(self, path, xml):
        import ismrmrd

        self.ismrmrd = ismrmrd
        self.dataset = ismrmrd.Dataset(str(path), "dataset", create_if_needed=True)
        self.dataset.write_xml_header(xml.encode())

    def add(self, samples, *, y=0, z=0, frame=None, position=None, flags=(), center=None,
            encoding=0, traj=None, sample_time_us=0.0, **counters):  # fmt: skip
        samples = np.ascontiguousarray(samples, np.complex64)
        trajectory = None if traj is None else np.asarray(traj, np.float32)
        line = self.ismrmrd.Acquisition.from_array(samples, trajectory)
        line.idx.kspace_encode_step_1, line.idx.kspace_encode_step_2 = y, z
        line.center_sample = samples.shape[1] // 2 if center is None else center
        line.encoding_space_ref = encoding
        line.sample_time_us = sample_time_us
        if frame is not None:
            line.read_dir[:], line.phase_dir[:], line.slice_dir[:] = frame
        if position is not None:
            line.position[:] = position
        for name, value in counters.items():
            setattr(line.idx, name, value)
        for flag in flags:
            line.setFlag(getattr(self.ismrmrd, flag))
        self.dataset.append_acquisition(line)

    def close(self):
        self.dataset.close()


def centroids(image, affine, places, radius):
    """RAS centre of mass around each place, found in the image; places are LPS."""
    index = np.indices(image.shape)[::-1].reshape(3, -1)  # x, y, z
    world = affine[:3, :3] @ index + affine[:3, 3:]
    weight = np.abs(image).ravel().astype(float) ** 2
    found = []
    for place in places:
        ras = np.array([-place[0], -place[1], place[2]])
        near = np.linalg.norm(world - ras[:, None], axis=0) < radius
        found.append((world[:, near] * weight[near]).sum(axis=1) / weight[near].sum())
    return np.array(found)


def twix_scan(path):
    """The measurement of a TWIX file, to be changed and written again."""
    import twixtools

    return twixtools.read_twix(str(path), verbose=False)[-1]


def local_line(mdb, samples=None, flags=(), **changes):
    """A copy of a TWIX line that can be changed; changes are counters or (attribute, value)."""
    import twixtools.mdb

    line = twixtools.mdb.Mdb_local(np.asarray(mdb.data if samples is None else samples))
    data = line.data
    line.mdh = copy.deepcopy(mdb.mdh)
    line._update_hdr(*data.shape)
    for name, value in changes.items():
        target = line.mdh.Counter if hasattr(line.mdh.Counter, name) else line.mdh
        setattr(target, name, value)
    for flag in flags:
        line.add_flag(flag)
    return line


def write_vb(path, scan):
    """A scan in the layout of software VB: every channel with its own header of 128 bytes."""
    from twixtools import mdh_def

    same = [n for n, _ in mdh_def.VB17_header._fields_ if n in dict(mdh_def.Scan_header._fields_)]
    with open(path, "wb") as stream:
        stream.write(scan["hdr_str"].tobytes())

        def head_of(mdh, channel):
            head = mdh_def.VB17_header()
            for name in same:
                if name != "IceProgramPara":
                    setattr(head, name, getattr(mdh, name))
            head.ChannelId = channel
            return head

        for mdb in scan["mdb"]:
            for channel, samples in enumerate(np.atleast_2d(mdb.data)):
                stream.write(bytearray(head_of(mdb.mdh, channel)))
                stream.write(np.asarray(samples, np.complex64).tobytes())
        end = head_of(scan["mdb"][-1].mdh, 0)
        mdh_def.set_flags(end, ["ACQEND"])
        mdh_def.set_dma_len(end, 128)
        stream.write(bytearray(end) + bytes(256))
