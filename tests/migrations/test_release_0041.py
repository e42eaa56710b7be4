"""Events and their models come through to where they have histories, and back.

The database is that of release 0001, brought to revision 0041, with two events made up for it.
"""

import pytest
from alembic import command
from psycopg2.errors import ForeignKeyViolation

from roman_db import migrate
from roman_db.query.audit import chosen, run_audits
from tests.migrations.frozen import everything, tables
from tests.roman_db.conftest import execute

#: Releases are upgraded in `make test-all`, the first of them in all runs (test_release_0001.py).
pytestmark = pytest.mark.heavy

EVENTS = """
INSERT INTO roman.event
    (object_id, season, photometry_kind, is_event, classification, t_0_guess, t_eff, search_shape,
    search_gain, n_point, load_run_id)
SELECT o.object_id, season, 'psf', true, 'single_lens', 2461460, 5, 1, 500, 100, o.load_run_id
FROM (SELECT * FROM roman.object ORDER BY object_id LIMIT 1) AS o, generate_series(1, 2) AS season;
INSERT INTO roman.event_model
    (event_id, rank, name, n_lens, n_source, has_finite_source, has_parallax, chi2, n_point, n_parameter, bic,
    is_converged, software, load_run_id)
SELECT event_id, rank, '2L1S', 2, 1, true, false, 90 + rank, 100, 9, 131 + rank, true, 'by hand', load_run_id
FROM roman.event, generate_series(1, 2) AS rank
"""

_HISTORIES = (
    "UPDATE roman.event SET same_as_event_id = (SELECT min(event_id) FROM roman.event) WHERE season = 2",
    "UPDATE roman.event_model AS m "
    "SET twin_of = b.event_model_id, degeneracy = 'close_wide', up_to_season = 2 "
    "FROM roman.event_model AS b WHERE b.event_id = m.event_id AND b.rank = 1 AND m.rank = 2",
)


@pytest.fixture
def filled(old_release):
    """URL of a database at revision 0041 with events and models."""
    migrate.upgrade("0041")
    execute(old_release, EVENTS)
    return old_release


def failed():
    return [result.name for result in run_audits(chosen([]), 0) if not result.passed]


def test_events_come_through_and_back_without_their_histories(filled):
    columns = tables(filled)
    before = everything(filled, columns)
    assert len(before["roman.event_model"]) == 4
    migrate.upgrade()
    migrate.ensure_current()
    assert everything(filled, columns) == before
    known = "SELECT count(same_as_event_id), count(twin_of), count(degeneracy), count(up_to_season)"
    both = " FROM roman.event LEFT JOIN roman.event_model USING (event_id)"
    assert execute(filled, known + both) == [(0, 0, 0, 0)]
    assert failed() == []
    execute(filled, *_HISTORIES)
    assert execute(filled, known + both) == [(2, 2, 2, 2)]
    assert failed() == []
    command.downgrade(migrate.alembic_config(), "0041")
    assert everything(filled, columns) == before
    migrate.upgrade()
    assert everything(filled, columns) == before


def test_what_is_named_has_to_be_there_and_histories_that_contradict_themselves_are_found(filled):
    migrate.upgrade()
    for table, column in (("event", "same_as_event_id"), ("event_model", "twin_of")):
        with pytest.raises(ForeignKeyViolation):
            execute(filled, f"UPDATE roman.{table} SET {column} = 999999")
    execute(filled, "UPDATE roman.event SET same_as_event_id = event_id WHERE season = 1")
    assert failed() == ["event_history"]
    execute(filled, "UPDATE roman.event SET same_as_event_id = NULL", *_HISTORIES)
    assert failed() == []
    worse = "UPDATE roman.event_model SET twin_of = event_model_id WHERE rank = 1"
    execute(filled, worse)
    assert failed() == ["event_history"]
