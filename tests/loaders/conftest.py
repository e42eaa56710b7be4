"""Databases, a small survey of the bulge, a sparse field and one through the prism, for all loaders."""

from pathlib import Path

import pytest

from tests.faults.fixtures import loaded, new_database, photometered, survey
from tests.loaders.spectra.field import make_prism_field
from tests.loaders.static_catalog.field import Field, make_field

__all__ = ["loaded", "new_database", "photometered", "prism_field", "sparse_field", "survey"]


@pytest.fixture(scope="session")
def sparse_field(tmp_path_factory) -> Field:
    """A mosaic in F158 and three of its exposures, of stars and galaxies; its files are not to be changed."""
    return make_field(tmp_path_factory.mktemp("sparse") / "files", ("F158",))


@pytest.fixture(scope="session")
def prism_field(tmp_path_factory) -> Path:
    """Folder with exposures, truth.parquet and references of three galaxies; not to be changed."""
    return make_prism_field(tmp_path_factory.mktemp("prism"))
