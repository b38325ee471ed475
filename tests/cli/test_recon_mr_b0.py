"""``recon mr --b0`` on simulated spirals: the field map undoes the blur that it causes."""

import mr_files
import numpy as np
import pytest
from helpers import relative_error

from pyrad_core import io, mr, phantom
from pyrad_core.cli import main

N, DWELL = 32, 12e-6


def call(*arguments):
    return main([str(a) for a in arguments])


@pytest.fixture(scope="module")
def scan():
    """Samples (coil, shot, sample) by the direct sum, their positions, the field and the truth."""
    k = mr.spiral(8, 800, N)
    at = (np.arange(N) - N // 2) / N
    y, x = np.meshgrid(at, at, indexing="ij")
    field = 250 * np.exp(-20 * ((y - 0.1) ** 2 + (x + 0.1) ** 2)) - 60 * y
    image = ((y / 0.42) ** 2 + (x / 0.36) ** 2 < 1) * (1 + 0.6 * (np.sin(40 * y) * np.cos(31 * x)))
    maps = phantom.coil_maps(4, (N, N), dtype=np.complex128)
    times = np.arange(k.shape[1]) * DWELL
    flat = k.reshape(-1, 2).astype(np.float64)
    waves = [np.exp(-2j * np.pi * np.outer(flat[:, d], at)) for d in range(2)]
    phase = np.tile(times, len(k))
    samples = np.zeros((4, len(flat)), complex)
    for i in range(N):  # a row of pixels at a time
        row = waves[0][:, i, None] * waves[1] * np.exp(-2j * np.pi * np.outer(phase, field[i]))
        samples += (maps[:, i] * image[i]) @ row.T / N
    return samples.reshape(4, *k.shape[:-1]).astype(np.complex64), k, field, image


def error(path, image):
    got = np.load(path) if path.suffix == ".npy" else np.squeeze(io.read_image(path).data)
    return relative_error(got * (np.vdot(got, image) / np.vdot(got, got)), image)


def test_field_map_sharpens_a_spiral(tmp_path, scan, capsys):
    samples, k, field, image = scan
    source, b0 = tmp_path / "spiral.npz", tmp_path / "field.npy"
    np.savez(source, kspace=samples, coordinates=k)
    np.save(b0, field)
    errors = []
    for i, extra in enumerate(((), ("--b0", b0, "--dwell", DWELL * 1e6))):
        out = tmp_path / f"{i}.npy"
        arguments = ("-q", "--size", N, "--regularization", 1e-3, *extra)
        assert call("recon", "mr", source, out, *arguments) == 0
        errors.append(error(out, image))
    assert errors[1] < 0.12 and errors[1] < 0.4 * errors[0], errors
    assert call("recon", "mr", source, tmp_path / "a.npy", "--b0", b0) == 1
    assert "--dwell" in capsys.readouterr().err


def spiral_file(path, samples, k, slices=1):
    pytest.importorskip("ismrmrd")
    xml = mr_files.header((N, N, 1), (200.0, 200.0, 5.0), trajectory="spiral")
    writer = mr_files.Writer(path, xml)
    for number in range(slices):
        for shot in range(len(k)):
            writer.add(
                samples[:, shot], y=shot, frame=np.eye(3), position=(0, 0, 5 * number),
                traj=k[shot, :, ::-1], slice=number, sample_time_us=DWELL * 1e6,
            )  # fmt: skip
    writer.close()
    return path


def test_dwell_time_of_the_file_and_a_map_in_space(tmp_path, scan, capsys):
    """ISMRMRD states the dwell time; a NIfTI map must lie where the reconstruction lies."""
    samples, k, field, image = scan
    source = spiral_file(tmp_path / "spiral.h5", samples, k, slices=2)
    assert io.read_kspace(source).header["dwell"] == pytest.approx(DWELL)
    plain, b0, out = (tmp_path / f"{name}.nii.gz" for name in ("plain", "field", "out"))
    arguments = ("-q", "--regularization", 1e-3, "--iterations", 15)
    assert call("recon", "mr", source, plain, *arguments) == 0
    like = io.read_image(plain)
    io.write_image(
        b0, np.stack([field] * 2).astype(np.float32), spacing=like.spacing, affine=like.affine
    )
    assert call("recon", "mr", source, out, *arguments, "--b0", b0) == 0
    before, after = io.read_image(plain).data, io.read_image(out).data
    for number in range(2):
        for name, one in (("before", before[number]), ("after", after[number])):
            np.save(tmp_path / f"{name}.npy", one)
        assert error(tmp_path / "after.npy", image) < 0.4 * error(tmp_path / "before.npy", image)
    moved = like.affine.copy()
    moved[0, 3] += 20
    io.write_image(
        tmp_path / "moved.nii", np.stack([field] * 2), spacing=like.spacing, affine=moved
    )
    assert call("recon", "mr", source, out, "--force", "--b0", tmp_path / "moved.nii") == 1
    assert "b0 lies up to 20.0 mm" in capsys.readouterr().err


def test_wrong_usage(tmp_path, scan, capsys):
    samples, k, field, _ = scan
    source, b0 = tmp_path / "spiral.npz", tmp_path / "field.npy"
    np.savez(source, kspace=samples[:, :, :200], coordinates=k[:, :200])
    np.save(tmp_path / "plain.npy", samples[:, 0].reshape(4, 32, 25))
    np.save(b0, field)
    cases = [
        (source, 2, "--dwell is the timing", ("--dwell", 5)),
        (source, 2, "not for --method gridding", ("--b0", b0, "--method", "gridding")),
        (tmp_path / "plain.npy", 1, "Cartesian", ("--b0", b0, "--method", "cg-sense")),
        (source, 1, r"grid of the reconstruction is (30, 30)",
         ("--b0", b0, "--dwell", 5, "--size", 30)),
    ]  # fmt: skip
    for path, status, said, arguments in cases:
        assert call("recon", "mr", path, tmp_path / "o.npy", *arguments) == status, said
        assert said in capsys.readouterr().err
    field = field.copy()
    field[3, 4] = np.nan
    np.save(b0, field)
    arguments = ("--b0", b0, "--dwell", 5, "--size", N)
    assert call("recon", "mr", source, tmp_path / "o.npy", *arguments) == 1
    assert "b0 holds 1 NaN" in capsys.readouterr().err
