"""The options of ``recon mr``: frames, ghosts, grids, windows, methods, and wrong usage."""

import json

import mr_files
import numpy as np
import pytest
from helpers import data_path, relative_error

from pyrad_core import Volume, io, mr, phantom
from pyrad_core.cli import main

N = 48


def call(*arguments):
    return main([str(a) for a in arguments])


@pytest.fixture(scope="module")
def head():
    """k-space (4, N, N) of a head seen by four coils, and its truth."""
    y, x = np.meshgrid(np.arange(N) - N / 2, np.arange(N) - N / 2, indexing="ij")
    plain = phantom.shepp_logan(2, radius=85.0).kspace(np.stack([y, x], -1), Volume((N, N), 4.0))
    image = mr.ifft(plain)
    maps = phantom.coil_maps(4, (N, N), dtype=np.complex128)
    return mr.fft(maps * image).astype(np.complex64), image


def write(path, frames, *, lines=range(N), sets=False):
    """An ISMRMRD file with one k-space per (slice, contrast, repetition) of a dict."""
    pytest.importorskip("ismrmrd")
    writer = mr_files.Writer(path, mr_files.header((N, N, 1), (192.0, 192.0, 6.0)))
    for (slice_, other, repetition), kspace in frames.items():
        counters = {"slice": slice_, "set" if sets else "contrast": other}
        for y in lines if not callable(lines) else lines(repetition):
            writer.add(
                kspace[:, y], y=y, frame=np.eye(3), position=(0, 0, 6 * slice_),
                repetition=repetition, **counters,
            )  # fmt: skip
    writer.close()
    return path


def test_frames_become_a_fourth_axis(tmp_path, head):
    kspace, _ = head
    frames = {
        (s, c, r): (1 + s + 10 * c + 100 * r) * kspace
        for s in range(2) for c in range(2) for r in range(2)
    }  # fmt: skip
    path, out = write(tmp_path / "scan.h5", frames), tmp_path / "image.nii.gz"
    assert call("recon", "mr", path, out, "-q") == 0
    image = io.read_image(out)
    assert image.data.shape == (4, 2, N, N) and np.allclose(image.spacing, (6, 4, 4))
    level = image.data.reshape(8, -1).max(axis=1).reshape(2, 2, 2)  # contrast, repetition
    expected = [[[1 + s + 10 * c + 100 * r for s in range(2)] for r in (0, 1)] for c in (0, 1)]
    assert np.allclose(level / level[0, 0, 0], expected, rtol=1e-3)
    single = {(0, 0, r): (1 + r) * kspace for r in range(3)}
    path, out = write(tmp_path / "one.h5", single), tmp_path / "one.nii"
    assert call("recon", "mr", path, out, "-q", "--preview", tmp_path / "one.png") == 0
    image = io.read_image(out)
    assert image.data.shape == (3, 1, N, N) and np.allclose(image.spacing, (6, 4, 4))


def test_twix_epi_ghost(tmp_path):
    """Through the command line: what the ghost leaves, with and without its correction."""
    pytest.importorskip("twixtools")
    path = data_path("mr", "twixtools", "epi.dat")
    y, x = np.mgrid[:80, :80] - 39.5
    inside = x**2 + (y + 1) ** 2 < 38**2
    outside = x**2 + (y + 1) ** 2 > 42**2
    ghost = np.roll(inside, 40, axis=0) & outside
    quiet = ~np.roll(inside, 40, axis=0) & outside
    share = {}
    for choice in ("none", "navigator", "auto"):
        out = tmp_path / f"{choice}.npy"
        assert call("recon", "mr", path, out, "-q", "--ghost", choice, "--method", "sos") == 0
        image = np.load(out)
        level = np.mean(image[quiet] ** 2)
        share[choice] = (np.mean(image[ghost] ** 2) - level) / np.mean(image[inside] ** 2)
    assert share["navigator"] < share["none"] / 4
    assert share["auto"] < share["none"] / 10


def test_phase_sensitive_pair(tmp_path, head):
    kspace, image = head
    maps = phantom.coil_maps(4, (N, N), dtype=np.complex128)
    signs = np.where(np.arange(N) < N // 2, -1.0, 1.0) * np.exp(0.7j)
    recovery = mr.fft(maps * image * signs)
    path = write(tmp_path / "pair.h5", {(0, 0, 0): recovery, (0, 1, 0): kspace}, sets=True)
    out = tmp_path / "signed.nii"
    assert call("recon", "mr", path, out, "-q", "--phase-sensitive") == 0
    got = io.read_image(out).data
    body = np.abs(image) > 0.2 * np.abs(image).max()
    body[:, N // 2 - 4 : N // 2 + 4] = False
    assert got.shape == (N, N)
    left = np.broadcast_to(np.arange(N) < N // 2, (N, N))
    assert (got[body & left] < 0).mean() > 0.99 and (got[body & ~left] > 0).mean() > 0.99
    assert call("recon", "mr", path, out, "-q", "--force") == 0
    alone = write(tmp_path / "alone.h5", {(0, 0, 0): kspace})
    assert call("recon", "mr", alone, tmp_path / "b.nii", "--phase-sensitive") == 1


def test_window_zero_fill_and_complex(tmp_path, head):
    kspace, _ = head
    np.save(tmp_path / "k.npy", kspace)
    plain, fine = tmp_path / "plain.npy", tmp_path / "fine.npy"
    common = ("recon", "mr", tmp_path / "k.npy")
    assert call(*common, plain, "-q", "--method", "sos") == 0
    assert call(*common, fine, "-q", "--method", "sos", "--zero-fill", "2") == 0
    assert np.load(fine).shape == (2 * N, 2 * N)
    assert relative_error(np.load(fine)[::2, ::2], np.load(plain)) < 1e-5
    calm = tmp_path / "calm.npy"
    assert call(*common, calm, "-q", "--method", "sos", "--window", "tukey:0.4") == 0
    expected = mr.combine_coils(mr.ifft(mr.window(kspace, kind="tukey", parameter=0.4)))
    assert relative_error(np.load(calm), expected) < 1e-5
    assert call(*common, fine, "-q", "--force", "--complex") == 0
    assert np.load(fine).dtype == np.complex64


@pytest.mark.parametrize(
    ("method", "limit"),
    [("cg-sense", 0.12), ("sense", 0.12), ("grappa", 0.12), ("cs", 0.12), ("adaptive", 0.9)],
)
def test_methods_on_every_second_line(tmp_path, capsys, head, method, limit):
    kspace, image = head
    lines = sorted({*range(0, N, 2), *range(N // 2 - 10, N // 2 + 10)})
    path = write(tmp_path / "half.h5", {(0, 0, 0): kspace}, lines=lines)
    out = tmp_path / "image.npy"
    assert call("recon", "mr", path, out, "--json", "--method", method) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["orientation"] == "file" and report["coils"] == 4
    got, truth = np.load(out), np.abs(image)
    got = got * (np.vdot(got, truth) / np.vdot(got, got))
    assert relative_error(got, truth) < limit


def test_priors_that_couple_frames(tmp_path, capsys, head):
    kspace, image = head
    frames = {(s, 0, r): (1 + 0.1 * r) * kspace for s in range(2) for r in range(4)}

    def lines(repetition):  # another set of lines in each repetition
        return sorted({*range(repetition % 3, N, 3), *range(N // 2 - 8, N // 2 + 8)})

    path = write(tmp_path / "series.h5", frames, lines=lines)
    out = tmp_path / "series.npy"
    arguments = ("--method", "cs", "--prior", "llr", "--weight", "1e-3", "--iterations", 15)
    assert call("recon", "mr", path, out, "-q", *arguments) == 0
    got, truth = np.load(out), np.abs(image)
    assert got.shape == (4, 2, N, N)
    for repetition in range(4):
        one = got[repetition, 1]
        scaled = one * (np.vdot(one, truth) / np.vdot(one, one))
        assert relative_error(scaled, truth) < 0.2
    alone = write(tmp_path / "alone.h5", {(0, 0, 0): kspace})
    assert call("recon", "mr", alone, tmp_path / "a.npy", *arguments) == 1
    assert "there is only one" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--method", "sos", "--iterations", 5), "--iterations is not for --method sos"),
        (("--method", "espirit", "--weight", 1), "--weight is not for --method espirit"),
        (("--method", "cg-sense", "--prior", "tv"), "--prior is not for --method cg-sense"),
        (("--method", "fbp"), "'fbp' is no method; accepted are sos, adaptive, espirit"),
        (("--window", "hanning"), "'hanning' is no window; accepted are hann"),
        (("--ghost", "navigator"), "--ghost is for EPI"),
        (("--gradient-delay",), "--gradient-delay is for non-Cartesian"),
        (("--method", "cg-sense", "--set", "steps=3"), "expected OPTION=VALUE"),
        (("--method", "cg-sense", "--partial-fourier", "pocs"), "--partial-fourier is not for"),
        (("--zero-fill", "0.5"), "0.5"),
    ],
)
def test_wrong_usage(tmp_path, capsys, head, arguments, said):
    np.save(tmp_path / "k.npy", head[0])
    out = tmp_path / "a.nii"
    assert call("recon", "mr", tmp_path / "k.npy", out, *arguments) == 2
    assert said in " ".join(capsys.readouterr().err.split()) and not out.exists()


def test_set_reaches_the_method(tmp_path, head):
    kspace = head[0].copy()
    kspace[:, 1 : N // 2 - 10 : 2] = 0
    np.save(tmp_path / "k.npy", kspace)
    images = []
    for tolerance in ("0.9", "1e-6"):
        out = tmp_path / f"{tolerance}.npy"
        assert call("recon", "mr", tmp_path / "k.npy", out, "-q", "--method", "cg-sense",
                    "--set", f"tolerance={tolerance}") == 0  # fmt: skip
        images.append(np.load(out))
    assert relative_error(images[0], images[1]) > 1e-3


def test_partial_fourier_sharpens(tmp_path, head):
    kspace, image = head
    path = write(tmp_path / "part.h5", {(0, 0, 0): kspace}, lines=range(N // 2 - 6, N))
    truth, errors = np.abs(image), {}
    for choice in ("none", "homodyne", "pocs"):
        out = tmp_path / f"{choice}.npy"
        extra = () if choice == "none" else ("--partial-fourier", choice)
        assert call("recon", "mr", path, out, "-q", "--method", "sos", *extra) == 0
        got = np.load(out)
        got = got * (np.vdot(got, truth) / np.vdot(got, got))
        errors[choice] = relative_error(got, truth)
    assert max(errors["homodyne"], errors["pocs"]) < 0.7 * errors["none"], errors


def test_coil_compression_and_separate_calibration(tmp_path, head):
    """Every third line, and a separate calibration scan that is compressed alike."""
    kspace, image = head
    eight = np.concatenate([kspace, 0.5 * kspace[::-1] + 0.1j * kspace])  # rank 4 of 8
    path = tmp_path / "scan.h5"
    pytest.importorskip("ismrmrd")
    writer = mr_files.Writer(path, mr_files.header((N, N, 1), (192.0, 192.0, 6.0)))
    for repetition in range(2):
        for y in range(0, N, 2):
            writer.add((1 + repetition) * eight[:, y], y=y, repetition=repetition)
    for y in range(N // 2 - 10, N // 2 + 10):
        writer.add(3 * eight[:, y], y=y, flags=["ACQ_IS_PARALLEL_CALIBRATION"])
    writer.close()
    truth = np.abs(image)
    for method in ("grappa", "cg-sense", "spirit"):
        out = tmp_path / f"{method}.npy"
        arguments = ("--coils", 4, "--calibration", 20, "--method", method)
        assert call("recon", "mr", path, out, "-q", *arguments) == 0
        first, second = np.load(out)[:, 0]
        assert relative_error(second, 2 * first) < 1e-2
        scaled = first * (np.vdot(first, truth) / np.vdot(first, first))
        assert relative_error(scaled, truth) < 0.12, method


def test_soft_sense_of_a_folded_object(tmp_path, head):
    """Half the field of view: two sets of maps keep apart what one cannot."""
    kspace, image = head
    folded = kspace[:, ::2]  # rows 0 and N / 2 of the image lie on top of each other
    np.save(tmp_path / "k.npy", folded)
    for maps in (1, 2):
        out = tmp_path / f"{maps}.npy"
        arguments = ("--method", "cg-sense", "--set", f"maps={maps}", "--iterations", 5)
        assert call("recon", "mr", tmp_path / "k.npy", out, "-q", *arguments) == 0
        assert np.load(out).shape == (N // 2, N) and np.load(out).max() > 0
    wrong = ("--method", "cg-sense", "--set", "maps=2", "--coil-maps", "walsh")
    assert call("recon", "mr", tmp_path / "k.npy", tmp_path / "a.npy", *wrong) == 1


def test_gradient_delay(tmp_path, head):
    """Spokes that were read late along x: their estimated delay makes the image sharper."""
    nominal = mr.golden_radial(60, 2 * N, N)
    late = nominal.copy()
    spacing = np.linalg.norm(np.diff(nominal, axis=1), axis=-1).mean()
    direction = (nominal[:, -1] - nominal[:, 0]) / np.linalg.norm(
        nominal[:, -1] - nominal[:, 0], axis=-1, keepdims=True
    )
    late[..., 1] += spacing * 0.9 * direction[:, None, 1]
    body = phantom.shepp_logan(2, radius=85.0)
    samples = np.stack([body.kspace(late, Volume((N, N), 4.0)) * (1 + 0.3j * c) for c in range(3)])
    noise = np.random.default_rng(0).standard_normal((2, *samples.shape)) * 1e-4
    kspace = (samples + noise[0] + 1j * noise[1]).astype(np.complex64)
    path = tmp_path / "radial.npz"
    np.savez(path, kspace=kspace, coordinates=np.clip(nominal, -N / 2, N / 2))
    truth, errors = np.abs(head[1]), []
    for extra in ((), ("--gradient-delay",)):
        out = tmp_path / f"{len(extra)}.npy"
        assert call("recon", "mr", path, out, "-q", "--method", "gridding", *extra) == 0
        got = np.load(out)
        got = got * (np.vdot(got, truth) / np.vdot(got, got))
        errors.append(relative_error(got, truth))
    assert errors[1] < 0.85 * errors[0], errors
