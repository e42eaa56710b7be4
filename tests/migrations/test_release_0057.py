"""Files of deliveries learn whether they are published, and forget it again.

The database is that of release 0001, brought to revision 0057, with a delivery of each kind.
"""

import pytest
from alembic import command

from roman_db import migrate
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute

STATES = "SELECT filename, state FROM ops.product ORDER BY product_id"
_RECEIVED = """
    SELECT DISTINCT e.field_id, e.day_mjd, i.load_run_id
    FROM roman.exposure AS e JOIN ops.input_file AS i USING (file_id) ORDER BY 1, 2, 3
"""
_RUN = "(SELECT max(load_run_id) FROM ops.load_run)"
_DELIVERED = (
    f"""
    INSERT INTO ops.delivery (name, rule, survey, season, start_mjd, end_mjd, version, is_partial, state,
                              message, n_file, size_bytes, manifest_sha256, published_at, load_run_id)
    SELECT state, 'daily', 'gbtds', 1, 61456, 61457, number, false, state, 'why', 1, 1, '0',
           CASE state WHEN 'published' THEN now() END, {_RUN}
    FROM unnest('{{refused, failed, made, published}}'::text []) WITH ORDINALITY AS t (state, number)
    """,
    f"""
    INSERT INTO ops.product (product, scope, filename, sha256, size_bytes, state, load_run_id)
    SELECT 'event_catalog', 'season 1', name, '0', 1, 'valid', {_RUN} FROM ops.delivery ORDER BY delivery_id
    """,
    f"""
    INSERT INTO ops.product (product, scope, state, problem, load_run_id)
    VALUES ('light_curve_catalog', 'season 1', 'refused', 'no such keyword', {_RUN})
    """,
    """
    INSERT INTO ops.delivery_file (delivery_id, product_id)
    SELECT d.delivery_id, p.product_id FROM ops.delivery AS d JOIN ops.product AS p
    ON d.name = coalesce(p.filename, 'refused')
    """,
)


@pytest.fixture
def filled(old_release):
    """URL of a database at revision 0057 with deliveries."""
    migrate.upgrade("0057")
    execute(old_release, *_DELIVERED)
    return old_release


@pytest.mark.heavy
def test_each_file_is_what_became_of_its_delivery_and_was_before(filled):
    columns = tables(filled)
    before = everything(filled, columns)
    migrate.upgrade()
    migrate.ensure_current()
    assert execute(filled, STATES) == [
        ("refused", "dropped"),
        ("failed", "dropped"),
        ("made", "staged"),
        ("published", "valid"),
        (None, "refused"),
    ]
    after = everything(filled, columns)
    dropped = "SELECT count(*) FROM ops.data_release WHERE dropped_at IS NOT NULL"
    assert execute(filled, dropped) == [(0,)]
    noted = execute(filled, "SELECT field_id, day_mjd, load_run_id FROM ops.received_day ORDER BY 1, 2, 3")
    assert noted == execute(filled, _RECEIVED)
    assert noted
    assert {name: rows for name, rows in after.items() if name != "ops.product"} == {
        name: rows for name, rows in before.items() if name != "ops.product"
    }
    command.downgrade(migrate.alembic_config(), "0057")
    assert everything(filled, columns) == before
    migrate.upgrade()
    migrate.ensure_current()
