"""Databases, a small simulated survey of the bulge and a sparse field for the tests of all loaders."""

import pytest

from tests.faults.fixtures import loaded, new_database, photometered, survey
from tests.loaders.static_catalog.field import Field, make_field

__all__ = ["loaded", "new_database", "photometered", "sparse_field", "survey"]


@pytest.fixture(scope="session")
def sparse_field(tmp_path_factory) -> Field:
    """A mosaic in F158 and three of its exposures, of stars and galaxies; its files are not to be changed."""
    return make_field(tmp_path_factory.mktemp("sparse") / "files", ("F158",))
