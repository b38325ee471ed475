"""The compiled CPU table and the CUDA launchers: one contract, names and parameter names."""

from __future__ import annotations

import inspect
import re

import pytest

from pyrad_core._kernels import cpu, cuda

# Questions about the CPU table itself.
CPU_ONLY = {"compiler", "isa_name", "limit_vector_width", "num_threads", "set_num_threads"}


def cpu_kernels() -> dict[str, set[tuple[str, ...]]]:
    """Kernel -> parameter names of each of its overloads, from pybind11's docstrings."""
    table = {}
    for name, value in vars(cpu).items():
        if name.startswith("_") or name in CPU_ONLY or not callable(value):
            continue
        signatures = re.findall(rf"^(?:\d+\. )?{name}\((.*)\) -> ", value.__doc__, re.M)
        table[name] = {tuple(re.findall(r"(?:^|, )(\w+): ", text)) for text in signatures}
    return table


def cuda_kernels() -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(inspect.signature(value).parameters)
        for name, value in vars(cuda).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }


def test_same_kernels():
    assert set(cpu_kernels()) == set(cuda_kernels())


@pytest.mark.parametrize("name", sorted(cpu_kernels()))
def test_same_parameters(name):
    overloads = cpu_kernels()[name]
    assert len(overloads) == 1, f"overloads of {name} name their parameters differently"
    assert overloads == {cuda_kernels().get(name)}


def test_every_launcher_is_listed():
    """A launcher missing in its module's __all__ would be missing in the table."""
    import importlib
    import pkgutil

    for module_info in pkgutil.iter_modules(cuda.__path__):
        if module_info.name == "runtime":
            continue
        module = importlib.import_module(f"{cuda.__name__}.{module_info.name}")
        own = {
            name
            for name, value in vars(module).items()
            if inspect.isfunction(value)
            and value.__module__ == module.__name__
            and not name.startswith("_")
        }
        assert own == set(module.__all__), module.__name__
