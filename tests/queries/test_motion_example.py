"""The example that asks how a lens moves."""

import sqlalchemy as sa

from roman_db import session
from tests.queries.test_examples import ask


def test_relative_motion(own_survey):
    with session.transaction(session.Role.OWNER) as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        event = 1
        for season, method in ((0, "elongation"), (0, "chromatic_shift"), (2, "elongation")):
            row = {"event": event, "season": season, "method": method}
            statement = """
                INSERT INTO roman.relative_proper_motion (event_id, season, method, status, n_season,
                    n_exposure, superseded_at, load_run_id)
                VALUES (:event, CAST(:season AS smallint), :method, 'faint_lens', 0, 0, NULL, 1),
                       (:event, CAST(:season AS smallint), :method, 'fit_failed', 0, 0, now(), 1)
            """
            connection.execute(sa.text(statement), row)
    found = ask("relative_motion", event_id=event)
    assert [(row.season, row.method, row.status) for row in found] == [
        (0, "chromatic_shift", "faint_lens"), (0, "elongation", "faint_lens"), (2, "elongation", "faint_lens")
    ]  # fmt: skip
    assert ask("relative_motion", event_id=event + 99) == []
