"""Spectra of exposures come, beside a spectrum of a file with its redshift, and go again.

The database is that of release 0001, brought to revision 0058.
"""

import pytest
from alembic import command
from psycopg2.errors import CheckViolation

from roman_db import migrate
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute

_SPECTRUM = """
INSERT INTO roman.spectrum (spectrum_name, file_id, n_pixel, wavelength, flux, flux_err, mask,
    flux_is_absolute, load_run_id)
SELECT 'of a file', file_id, 1, '{1.0}', '{2.0}', '{0.1}', '{0}', true, load_run_id
FROM ops.input_file LIMIT 1
"""
_REDSHIFT = """
INSERT INTO roman.redshift (spectrum_id, z, warning, n_pixel, load_run_id)
SELECT spectrum_id, 0.5, 0, 1, load_run_id FROM roman.spectrum
"""
_COMBINED = """
INSERT INTO roman.spectrum (object_id, spectrum_name, optical_element, n_exposure, n_pixel, wavelength, flux,
    flux_err, mask, flux_is_absolute, load_run_id)
SELECT object_id, 'GRISM 1', 'GRISM', {}, 1, '{{1.0}}', '{{2.0}}', '{{0.1}}', '{{0}}', true, load_run_id
FROM roman.object LIMIT 1
"""
_NEW = "SELECT count(*) FROM information_schema.tables WHERE table_name = 'exposure_spectrum'"


@pytest.mark.heavy
def test_what_is_stored_comes_through(old_release):
    migrate.upgrade("0058")
    execute(old_release, _SPECTRUM, _REDSHIFT)
    columns = tables(old_release)
    before = everything(old_release, columns)
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(old_release, columns) == before
    assert execute(old_release, _NEW) == [(1,)]
    assert execute(old_release, "SELECT count(*) FROM roman.spectrum_flag") == [(13,)]
    with pytest.raises(CheckViolation):
        execute(old_release, _COMBINED.format("NULL"))
    execute(
        old_release,
        _COMBINED.format(2),
        _REDSHIFT.replace("roman.spectrum", "roman.spectrum WHERE file_id IS NULL"),
    )
    command.downgrade(migrate.alembic_config(), "0058")
    assert execute(old_release, _NEW) == [(0,)]
    assert everything(old_release, columns) == before
    migrate.upgrade()
    assert everything(old_release, columns) == before
