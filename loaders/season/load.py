"""The quality of a season: measured in the database, and held against its limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from loaders.season_report.load import QUALITY_TASK
from loaders.variability.load import newest_description
from roman_db import session, sqlfile
from roman_db.jobs import Progress, Unit, done_since
from roman_db.load_run import LoadRun
from roman_db.quality import Metric, store_metrics

#: When anything changed of which the quality is measured.
_NEWEST = """
SELECT greatest(
    (SELECT max(load_run_id) FROM roman.event
     WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind),
    (SELECT max(p.load_run_id) FROM roman.event_physical AS p
     JOIN roman.event_model AS m USING (event_model_id) JOIN roman.event AS e USING (event_id)
     WHERE e.season = CAST(:season AS smallint) AND e.photometry_kind = :photometry_kind),
    (SELECT max(i.load_run_id) FROM roman.injected_event AS i
     WHERE i.season = CAST(:season AS smallint) AND i.photometry_kind = :photometry_kind),
    (SELECT max(load_run_id) FROM roman.astrometric_solution
     WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind),
    (SELECT max(load_run_id) FROM roman.extinction))
"""


def pending_quality(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the season if anything of it changed since its quality was measured.

    Arguments: ``survey, season`` (0: all), ``photometry_kind, redo``. None without described light curves.
    """
    given = {name: arguments[name] for name in ("season", "photometry_kind")}
    unit = Unit(
        f"season {given['season'] or 'all'} of {arguments['survey']}, {given['photometry_kind']}", given
    )
    with session.reading() as connection:
        described = newest_description(connection, given)
        newest = max(described, connection.execute(sa.text(_NEWEST), given).scalar_one() or 0)
        done = done_since(connection, [QUALITY_TASK], newest)
    return [unit] if described and (arguments["redo"] or unit.name not in done) else []


def quality_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Measure the quality of a season and store it with the limits in force; it belongs to the run."""
    progress(unit.name, 0, 1)
    with session.transaction() as connection:
        rows = sqlfile.run(connection, sqlfile.find("jobs", "season_quality"), dict(unit.arguments)).all()
        metrics = [Metric(row.metric, "any", row.value) for row in rows]
        store_metrics(connection, run.load_run_id, metrics)
        run.count(connection, loaded=1)
