"""Databases and a small simulated survey for the tests of all loaders."""

from tests.faults.fixtures import loaded, new_database, photometered, survey

__all__ = ["loaded", "new_database", "photometered", "survey"]
