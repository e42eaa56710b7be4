"""The catalog of objects comes through to where objects can be dropped from it, and back.

The database is that of release 0001, brought to revision 0036, with a search made up for it.
"""

import pytest
from alembic import command
from psycopg2.errors import CheckViolation, ForeignKeyViolation, UniqueViolation

from roman_db import migrate
from roman_db.query.audit import chosen, run_audits
from tests.migrations.frozen import everything, tables
from tests.migrations.test_release_0024 import _FILLED as IMAGE
from tests.roman_db.conftest import execute

#: Releases are upgraded in `make test-all`, the first of them in all runs (test_release_0001.py).
pytestmark = pytest.mark.heavy

_SEARCHED = """
INSERT INTO roman.reference_source (reference_image_id, object_id, state, load_run_id)
SELECT r.reference_image_id, o.object_id, 'missing', r.load_run_id
FROM roman.reference_image r, roman.object o
"""

#: The object that comes first is dropped by the first version of the catalog.
_DROP = """
INSERT INTO roman.dropped_object
    (object_id, catalog_version_id, reason, log_odds, n_seen, n_absent, load_run_id)
SELECT min(object_id), {version}, '{reason}', -3.5, 1, 3, min(load_run_id) FROM roman.object
"""

CURRENT = "SELECT object_id FROM roman.current_object ORDER BY object_id"
ALL = "SELECT object_id FROM roman.object ORDER BY object_id"


@pytest.fixture
def filled(old_release):
    """URL of a database at revision 0036 with objects, and an image that does not show them."""
    migrate.upgrade("0024")
    execute(old_release, IMAGE)
    migrate.upgrade("0036")
    execute(old_release, _SEARCHED)
    return old_release


def test_all_objects_are_current_and_dropped_ones_are_objects_again_on_the_way_back(filled):
    columns = tables(filled)
    before = everything(filled, columns)
    assert before["roman.object"]
    assert before["roman.reference_source"]
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(filled, columns) == before
    objects = execute(filled, ALL)
    assert execute(filled, CURRENT) == objects
    counts = "SELECT DISTINCT n_dropped, n_restored FROM roman.catalog_version"
    assert execute(filled, counts) == [(0, 0)]
    assert [result.name for result in run_audits(chosen([]), 0) if not result.passed] == []
    execute(filled, _DROP.format(version=1, reason="missing"))
    assert execute(filled, CURRENT) == objects[1:]
    command.downgrade(migrate.alembic_config(), "0036")
    assert everything(filled, columns) == before
    migrate.upgrade()
    assert everything(filled, columns) == before
    assert execute(filled, CURRENT) == objects


def test_an_object_is_dropped_once_at_a_time_and_comes_back_with_a_later_version(filled):
    migrate.upgrade()
    objects = execute(filled, ALL)
    execute(filled, _DROP.format(version=1, reason="merged"))
    with pytest.raises(UniqueViolation, match="dropped_object_current_idx"):
        execute(filled, _DROP.format(version=2, reason="merged"))
    with pytest.raises(CheckViolation, match="restored"):
        execute(filled, "UPDATE roman.dropped_object SET restored_by = 1")
    execute(filled, "UPDATE roman.dropped_object SET restored_by = 2")
    assert execute(filled, CURRENT) == objects
    with pytest.raises(CheckViolation, match="reason"):
        execute(filled, _DROP.format(version=3, reason="ugly"))
    execute(filled, _DROP.format(version=3, reason="missing"))
    assert execute(filled, CURRENT) == objects[1:]


def test_what_is_dropped_stays_an_object(filled):
    migrate.upgrade()
    execute(filled, _DROP.format(version=1, reason="missing"))
    with pytest.raises(ForeignKeyViolation):
        execute(
            filled, "DELETE FROM roman.object o USING roman.dropped_object d WHERE d.object_id = o.object_id"
        )
