"""Extractions of spectra that are there have no cut-outs and lose nothing.

The database is that of release 0001, brought to revision 0064.
"""

import pytest
from alembic import command

from roman_db import migrate
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute

_EXTRACTION = """
INSERT INTO roman.spectral_extraction
    (exposure_id, file_id, search_radius, n_source, n_extracted, load_run_id)
SELECT exposure_id, file_id, 0.1, 3, 2, load_run_id FROM roman.exposure ORDER BY exposure_id LIMIT 2
"""
_CUTOUT = "SELECT DISTINCT reference_wavelength, cutout_path, cutout_sha256 FROM roman.spectral_extraction"


@pytest.mark.heavy
def test_extractions_come_through(old_release):
    migrate.upgrade("0064")
    execute(old_release, _EXTRACTION)
    columns = tables(old_release)
    before = everything(old_release, columns)
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(old_release, columns) == before
    assert execute(old_release, _CUTOUT) == [(None, None, None)]
    execute(old_release, "UPDATE roman.spectral_extraction SET cutout_path = 'a', cutout_sha256 = 'b'")
    command.downgrade(migrate.alembic_config(), "0064")
    assert everything(old_release, columns) == before
    migrate.upgrade()
    assert everything(old_release, columns) == before
