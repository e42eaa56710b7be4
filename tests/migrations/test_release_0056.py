"""Spectra learn when and with what they were observed, and forget it again.

The database is that of release 0001, brought to revision 0056, with a spectrum.
"""

import pytest
from alembic import command

from roman_db import migrate
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute

_SPECTRUM = """
INSERT INTO roman.spectrum (
    spectrum_name, file_id, n_pixel, wavelength, flux, flux_err, mask, flux_is_absolute, load_run_id
)
SELECT 'old', min(file_id), 2, '{1,2}', '{3,4}', '{1,1}', '{0,1}', true, min(load_run_id) FROM ops.input_file
"""
_NEW = """
SELECT facility_name, instrument_name, start_mjd_utc, end_mjd_utc, exposure_time FROM roman.spectrum
"""


@pytest.mark.heavy
def test_what_is_stored_comes_through(old_release):
    migrate.upgrade("0056")
    execute(old_release, _SPECTRUM)
    columns = tables(old_release)
    before = everything(old_release, columns)
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(old_release, columns) == before
    assert execute(old_release, _NEW) == [(None,) * 5]
    found = "SELECT spectrum_id, em_min, em_max, t_min, z FROM ivoa.ssa"
    assert execute(old_release, found) == [(1, 1e-6, 2e-6, None, None)]
    command.downgrade(migrate.alembic_config(), "0056")
    assert everything(old_release, columns) == before
    migrate.upgrade()
    assert everything(old_release, columns) == before
