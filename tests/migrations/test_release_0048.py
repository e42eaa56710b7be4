"""Models of events come through to where they say what they are ranked by, and back.

The database is that of release 0001, brought to revision 0048, with the events of test_release_0041.
"""

import pytest
from alembic import command

from roman_db import migrate
from tests.migrations.frozen import everything, tables
from tests.migrations.test_release_0041 import EVENTS
from tests.roman_db.conftest import execute


@pytest.fixture
def filled(old_release):
    """URL of a database at revision 0048 with models."""
    migrate.upgrade("0048")
    execute(old_release, EVENTS)
    return old_release


@pytest.mark.heavy
def test_models_come_through_without_a_score_and_back(filled):
    columns = tables(filled)
    before = everything(filled, columns)
    assert len(before["roman.event_model"]) == 4
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(filled, columns) == before
    assert execute(filled, "SELECT count(score) FROM roman.event_model") == [(0,)]
    execute(filled, "UPDATE roman.event_model SET score = bic + 20")
    command.downgrade(migrate.alembic_config(), "0048")
    assert everything(filled, columns) == before
    migrate.upgrade()
    assert everything(filled, columns) == before
