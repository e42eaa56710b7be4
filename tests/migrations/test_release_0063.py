"""Quality of references and what they were derived from come, and go again.

The database is that of release 0001, brought to revision 0063.
"""

import pytest
from alembic import command

from roman_db import migrate
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute

#: Releases are upgraded in `make test-all`, the first of them in all runs (test_release_0001.py).
pytestmark = pytest.mark.heavy

_REFERENCE = """
INSERT INTO roman.calibration_reference (reftype, optical_element, version, valid_from_mjd, pedigree, file_id,
    load_run_id)
SELECT 'geometry', 'GRISM', 0, 0, 'GROUND', file_id, load_run_id FROM ops.input_file LIMIT 1
"""
_QUALITY = """
INSERT INTO ops.quality_metric (metric, value, verdict, {}load_run_id)
SELECT '{}', 1, 'good', {}load_run_id FROM roman.calibration_reference
"""
_SOURCE = """
INSERT INTO roman.calibration_source (calibration_reference_id, file_id, load_run_id)
SELECT calibration_reference_id, file_id, load_run_id FROM roman.calibration_reference
"""


def test_what_is_stored_comes_through(old_release):
    migrate.upgrade("0063")
    execute(old_release, _REFERENCE, _QUALITY.format("", "of a run", ""))
    columns = tables(old_release)
    before = everything(old_release, columns)
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(old_release, columns) == before
    key = "calibration_reference_id, "
    execute(old_release, _SOURCE, _QUALITY.format(key, "spectral_zero_point_err", key))
    command.downgrade(migrate.alembic_config(), "0063")
    assert everything(old_release, columns) == before
    migrate.upgrade()
    assert everything(old_release, columns) == before
