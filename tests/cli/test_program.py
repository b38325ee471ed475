"""The command line as a whole: exit codes, where output goes, what it refuses."""

import json
import subprocess
import sys

import numpy as np
import pytest

from pyrad_core import io
from pyrad_core.cli import common, main


def run(*arguments):
    """A real process: (exit code, stdout, stderr)."""
    done = subprocess.run(
        [sys.executable, "-m", "pyrad_core", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def image(tmp_path):
    noise = np.random.default_rng(0).standard_normal((4, 16, 16)).astype(np.float32)
    return io.write_image(tmp_path / "image.nii.gz", noise + 100, spacing=(3, 1, 1))


def test_help_lists_the_verbs_and_imports_nothing_heavy():
    code = "import sys; from pyrad_core.cli import main; main(['--help']); "
    code += "print([m for m in ('numpy', 'scipy', 'rich', 'h5py') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    for verb in ("info", "recon", "denoise", "features", "maps", "bench"):
        assert f"  {verb}" in done.stdout
    assert done.stdout.endswith("[]\n")


def test_version(capsys):
    import pyrad_core

    assert main(["--version"]) == 0
    assert pyrad_core.__version__ in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["recon", "ct"], ["recon", "ct", "--zzz", "a", "b"]]
)
def test_exit_2_wrong_usage(arguments, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and "Usage:" in err


def test_exit_1_bad_input_in_a_process(tmp_path):
    code, out, err = run("recon", "ct", tmp_path / "absent.h5", tmp_path / "out.nii.gz")
    assert code == 1 and out == ""
    assert err == f"error: {tmp_path / 'absent.h5'}: no such file\n"


def test_exit_0_result_on_stdout_log_on_stderr(image, tmp_path):
    code, out, err = run(
        "denoise", image, tmp_path / "out.nii.gz", "--method", "tv", "--weight", 1, "--json"
    )
    assert code == 0 and json.loads(out)["method"] == "tv"
    assert "read (4, 16, 16)" in err and "{" not in err
    written = io.read_image(tmp_path / "out.nii.gz")
    assert written.spacing == (3, 1, 1)
    code, out, err = run(
        "denoise", image, tmp_path / "out.nii.gz", "--method", "tv", "--weight", 1, "--force", "-q"
    )
    assert code == 0 and err == "" and "output" in out


def test_exit_130_interrupt(image, tmp_path, monkeypatch, capsys):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(common.Run, "report", interrupt)
    arguments = ["denoise", str(image), str(tmp_path / "o.nii"), "--method", "tv", "--weight", "1"]
    assert main([*arguments, "--preview", str(tmp_path / "o.png")]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_refuses_to_overwrite(image, tmp_path, capsys):
    target = tmp_path / "out.nii.gz"
    target.write_text("precious")
    assert main(["denoise", str(image), str(target), "--method", "tv", "--weight", "1"]) == 1
    assert "--force overwrites" in capsys.readouterr().err
    assert target.read_text() == "precious"


def test_bad_input_27_output_is_the_input(image, capsys):
    before = image.read_bytes()
    for name in (image, image.parent / ".." / image.parent.name / image.name):
        assert main(["denoise", str(image), str(name), "--force"]) == 1
        assert "is the input" in capsys.readouterr().err
    link = image.parent / "link.nii.gz"
    link.hardlink_to(image)
    assert main(["denoise", str(image), str(link), "--force"]) == 1
    assert image.read_bytes() == before


@pytest.mark.parametrize(
    ("output", "match"), [("out.jpg", "unknown ending"), ("absent/out.nii", "no existing folder")]
)
def test_output_is_checked_before_work(image, output, match, capsys):
    assert main(["denoise", str(image), str(image.parent / output)]) == 1
    assert match in capsys.readouterr().err


def test_errors_are_one_line_and_debug_shows_the_traceback(tmp_path, capsys):
    arguments = ["denoise", str(tmp_path / "absent.nii"), str(tmp_path / "out.nii")]
    assert main(arguments) == 1
    assert capsys.readouterr().err.count("\n") == 1
    with pytest.raises(FileNotFoundError):
        main([*arguments, "--debug"])


def test_unforeseen_errors_are_one_line_too(image, tmp_path, monkeypatch, capsys):
    def broken(*_, **__):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(common.Run, "claim", broken)
    assert main(["denoise", str(image), str(tmp_path / "out.nii")]) == 1
    assert "unexpected ZeroDivisionError: oops (--debug" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "size"), [("1000", 1000), ("2k", 2048), ("1.5G", 3 * 2**29)])
def test_max_bytes(text, size, image, tmp_path, capsys):
    assert common.size_of(text) == size
    assert main(["denoise", str(image), str(tmp_path / "o.nii"), "--max-bytes", "100"]) == 1
    assert "the cap is 100" in capsys.readouterr().err
    assert main(["denoise", str(image), str(tmp_path / "o.nii"), "--max-bytes", "x"]) == 2


def test_progress_only_on_a_terminal(capsys):
    with common.Run().progress("working", 3) as step:
        step()
    assert capsys.readouterr().err == ""
