"""Errors and warnings. Every rejected input raises a subclass of :class:`PyradError`."""

__all__ = [
    "BackendMismatchError",
    "DataError",
    "DeviceError",
    "DeviceMemoryError",
    "FileFormatError",
    "GeometryError",
    "MissingDependencyError",
    "PyradError",
    "PyradWarning",
    "ShapeError",
]


class PyradError(Exception):
    """Base of all errors this package raises on purpose."""


class DataError(PyradError, ValueError):
    """An argument's values are unusable: NaN, out of range, unknown name, wrong dtype."""


class ShapeError(DataError):
    """Array shapes disagree; the text holds both."""


class GeometryError(DataError):
    """A scan geometry that cannot exist, or that does not fit the data."""


class BackendMismatchError(PyradError, TypeError):
    """Arrays of one call live in different places (NumPy and CuPy, two devices)."""


class DeviceError(PyradError, RuntimeError):
    """The GPU cannot do it: a kernel does not compile, the context is lost, a forked process."""


class DeviceMemoryError(PyradError, MemoryError):
    """More memory was asked for than there is; the text holds bytes asked and free."""


class FileFormatError(PyradError, OSError):
    """A file is damaged, of another format, or asks for more than it holds."""


class MissingDependencyError(PyradError, ImportError):
    """An optional package is needed; the text says what to install."""


class PyradWarning(UserWarning):
    """Suspicious but usable input."""
