"""README's Python blocks run, in order, as one script."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

README = Path(__file__).resolve().parent.parent / "README.md"


def test_python_blocks_run():
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.M | re.S)
    assert len(blocks) == 4
    names: dict = {}
    for block in blocks:
        exec(compile(block, str(README), "exec"), names)
    for image in ("image", "reconstructed", "smooth", "similar"):
        assert names[image].shape == (64, 64)
        assert np.isfinite(names[image]).all()
    for volume in ("volume", "better"):
        assert names[volume].shape == (64, 64, 64)
        assert abs(names[volume][32, 20:40, 20:40].mean() - 0.2) < 0.1
    assert names["heat"]


def test_two_setup_commands_stand_in_one_block():
    (block,) = re.findall(r"^```sh\n(.*?)^```", README.read_text(), re.M | re.S)
    commands = block.strip().splitlines()
    assert len(commands) == 2
    assert all(command.startswith("pip install") for command in commands)
