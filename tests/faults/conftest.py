"""Fixtures of the tests of faults."""

from tests.faults.fixtures import loaded, new_database, photometered, survey

__all__ = ["loaded", "new_database", "photometered", "survey"]
