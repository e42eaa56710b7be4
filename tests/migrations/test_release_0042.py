"""Searches for events come through to where they say what was refined before them, and back.

The database is that of release 0001, brought to revision 0042, with two searches made up for it.
"""

import pytest
from alembic import command

from roman_db import migrate
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute

_SEARCHES = """
INSERT INTO roman.event_search (object_id, season, photometry_kind, outcome, n_point, load_run_id)
SELECT object_id, season, 'psf', 'nothing', 100, load_run_id
FROM (SELECT * FROM roman.object ORDER BY object_id LIMIT 1) AS o, generate_series(0, 1) AS season
"""


@pytest.fixture
def filled(old_release):
    """URL of a database at revision 0042 with searches."""
    migrate.upgrade("0042")
    execute(old_release, _SEARCHES)
    return old_release


@pytest.mark.heavy
def test_searches_come_through_and_back(filled):
    columns = tables(filled)
    before = everything(filled, columns)
    assert len(before["roman.event_search"]) == 2
    migrate.upgrade("0043")
    assert everything(filled, columns) == before
    assert execute(filled, "SELECT DISTINCT refinement_run_id FROM roman.event_search") == [(None,)]
    execute(filled, "UPDATE roman.event_search SET refinement_run_id = load_run_id")
    command.downgrade(migrate.alembic_config(), "0042")
    assert everything(filled, columns) == before
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(filled, columns) == before
