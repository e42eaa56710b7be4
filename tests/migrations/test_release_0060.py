"""Days learn when their exposures were stored; rows of the archive that belong to no product go.

The database is that of release 0001, brought to revision 0057, where making a delivery stored the rows of its
files, with a delivery of each kind, and then to 0060.
"""

import pytest
from alembic import command

from roman_db import migrate
from tests.migrations.frozen import everything, tables
from tests.migrations.test_release_0057 import _DELIVERED
from tests.roman_db.conftest import execute

#: Releases are upgraded in `make test-all`, the first of them in all runs (test_release_0001.py).
pytestmark = pytest.mark.heavy

_ROWS = "SELECT filename FROM ops.archive_row ORDER BY filename"
_SHIPPED = """
SELECT (SELECT every_days FROM ops.job_schedule WHERE name = 'eight-day'),
       (SELECT is_required FROM ops.delivery_content
        WHERE rule = 'eight-day' AND product = 'reference_frame'),
       (SELECT description ~ '^Light curves of the season so far' FROM ops.delivery_rule WHERE rule = 'daily')
"""
#: Rows that come with the release, as 0060 had them.
_AS_BEFORE = (
    "UPDATE ops.job_schedule SET every_days = 8 WHERE name = 'eight-day'",
    "UPDATE ops.delivery_content SET is_required = false WHERE product = 'reference_frame'",
    "UPDATE ops.delivery_rule SET description = 'Light curves of a day: ready' WHERE rule = 'daily'",
)
#: Rows that the making of each delivery stored, and one of a file that somebody wrote by hand.
_ARCHIVED = (
    """
    INSERT INTO ops.archive_row (archive_table, filename, content, code_version, written_at)
    SELECT 'WFIMSOSCatalog', name, '{"a": 1}', '1', created_at FROM ops.delivery WHERE state <> 'refused'
    """,
    """
    INSERT INTO ops.archive_row (archive_table, filename, content, code_version, written_at)
    SELECT 'WFIMSOSCatalog', unnest('{by hand, refused}'::text []), '{}', '1', now() + interval '1 hour'
    """,
    "INSERT INTO ops.delivery_event (delivery_id, kind) SELECT delivery_id, 'made' FROM ops.delivery",
)


@pytest.fixture
def filled(old_release):
    """URL of a database at revision 0060 with deliveries that were made before 0058."""
    migrate.upgrade("0057")
    execute(old_release, *_DELIVERED, *_ARCHIVED)
    migrate.upgrade("0060")
    execute(old_release, *_AS_BEFORE)
    return old_release


def test_what_is_stored_comes_through_and_goes_back(filled):
    columns = tables(filled)
    before = everything(filled, columns)
    assert execute(filled, _SHIPPED) == [(8, False, False)]
    migrate.upgrade()
    migrate.ensure_current()
    stored = """
        SELECT d.seen_at IS NULL AND d.stored_at = coalesce(r.finished_at, r.started_at)
        FROM ops.received_day AS d JOIN ops.load_run AS r USING (load_run_id)
    """
    assert set(execute(filled, stored)) == {(True,)}
    after = everything(filled, columns)
    assert {name for name in before if before[name] != after[name]} == {"ops.archive_row", "ops.product"}
    assert execute(filled, _SHIPPED) == [(1, True, True)]
    execute(filled, "UPDATE roman.exposure SET day_mjd = day_mjd")
    command.downgrade(migrate.alembic_config(), "0060")
    assert execute(filled, _SHIPPED) == [(8, False, False)]
    execute(filled, "UPDATE roman.exposure SET day_mjd = day_mjd")
    migrate.upgrade()
    assert everything(filled, columns) == after


def test_rows_of_files_that_are_no_products_go_and_wait_where_they_are_made(filled):
    assert len(execute(filled, _ROWS)) == 5
    migrate.upgrade()
    assert execute(filled, _ROWS) == [("by hand",), ("published",), ("refused",)]
    waiting = "SELECT filename, archive_row::text FROM ops.product WHERE archive_row IS NOT NULL"
    assert execute(filled, waiting) == [("made", '{"a": 1}')]


def test_rows_that_somebody_changed_stay(filled):
    execute(filled, "UPDATE ops.job_schedule SET every_days = 4 WHERE name = 'eight-day'")
    migrate.upgrade()
    assert execute(filled, _SHIPPED) == [(4, True, True)]
