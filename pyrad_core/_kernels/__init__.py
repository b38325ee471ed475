"""Kernel tables: ``cpu`` (compiled extension) and ``cuda`` (launchers), chosen by ``select``."""
