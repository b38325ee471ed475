"""The thread pool through the compiled module: fork, Ctrl-C, thread count, Python threads."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core._kernels import cpu

X = np.arange(400_000, dtype=np.float32)
X[[123_456, 399_999]] = np.nan, np.inf
FOUND = (2, 123_456)


def test_same_answer_for_any_thread_count():
    with prc.set_num_threads(1):
        for n in (1, 2, 3, 7):
            cpu.set_num_threads(n)
            assert prc.num_threads() == n
            assert cpu.count_nonfinite(X) == FOUND


def test_thread_count_is_restored():
    before = prc.num_threads()
    with prc.set_num_threads(before + 2):
        assert prc.num_threads() == before + 2
    assert prc.num_threads() == before


@pytest.mark.parametrize("value", [0, -1, 2.5, "two", True])
def test_bad_thread_count(value):
    with pytest.raises(prc.DataError, match="^n is"):
        prc.set_num_threads(value)


def _in_child(queue):
    queue.put(cpu.count_nonfinite(X))


def test_forked_child_computes():
    """OpenMP's runtime hangs here; the pool starts threads of its own in the child."""
    with prc.set_num_threads(3):
        assert cpu.count_nonfinite(X) == FOUND  # the pool runs
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        child = context.Process(target=_in_child, args=(queue,))
        child.start()
        assert queue.get(timeout=20) == FOUND
        child.join(20)
        assert child.exitcode == 0
        assert cpu.count_nonfinite(X) == FOUND


def test_python_threads_at_the_same_time():
    right = []

    def work():
        right.extend(cpu.count_nonfinite(X) == FOUND for _ in range(20))

    with prc.set_num_threads(2):
        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert right == [True] * 120


@pytest.mark.parametrize("variable", ["PYRAD_NUM_THREADS", "OMP_NUM_THREADS"])
def test_environment_sets_the_thread_count(variable):
    code = "import pyrad_core; print(pyrad_core.num_threads())"
    clean = {k: v for k, v in os.environ.items() if not k.endswith("NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**clean, variable: "5", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    assert done.stdout.strip() == "5", done.stderr


INTERRUPTED = """
import sys, time
import numpy as np
from pyrad_core._kernels import cpu
x = np.zeros(1 << 26, np.float32)
try:
    print("ready", flush=True)
    while True:
        cpu.count_nonfinite(x)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_becomes_keyboard_interrupt():
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=20)[0] == "interrupted\n"
