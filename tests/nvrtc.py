"""NVRTC without CuPy and without a driver: compiles CUDA text to machine code.

Found where `pip install nvidia-cuda-nvrtc` puts it, or in the system's library folders.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import sysconfig
from pathlib import Path


@functools.cache
def library() -> ctypes.CDLL | None:
    site = Path(sysconfig.get_path("purelib"))
    names = [str(p) for p in sorted(site.glob("nvidia/*/lib/libnvrtc.so.*[0-9]"))]
    names += [f"libnvrtc.so.{major}" for major in (13, 12)]
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


def compile_cuda(text: str, name: str, options: list[str]) -> tuple[bool, str]:
    """(success, log)."""
    nvrtc = library()
    assert nvrtc is not None
    program = ctypes.c_void_p()
    status = nvrtc.nvrtcCreateProgram(
        ctypes.byref(program), text.encode(), name.encode(), 0, None, None
    )
    assert status == 0, f"nvrtcCreateProgram: {status}"
    array = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
    status = nvrtc.nvrtcCompileProgram(program, len(options), array)
    size = ctypes.c_size_t()
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return status == 0, log.value.decode()
