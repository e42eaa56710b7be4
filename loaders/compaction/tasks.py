"""Compaction and sealing as tasks: a unit is a window of days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from loaders.compaction.load import Window, compact_window, prepare_windows, season_window, windows_to_compact
from loaders.light_curve.load import PARTITIONS, BlockContext
from roman_db import session
from roman_db.jobs import Mode, ModeReport, Progress, Task, Unit, run_mode
from roman_db.load_run import LoadRun
from roman_db.retired_partitions import drop_retired

#: Seconds that a compaction waits for the queries of the moment before it gives up.
_PREPARATION_S = 600.0
#: Seconds that a finished compaction waits for readers of the old blocks before it leaves them for the next.
_READER_PATIENCE_S = 10.0


def units_to_compact(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the windows that would gain by it. Arguments: ``before_mjd``, ``excluding_flags``."""
    with session.reading() as connection:
        windows = windows_to_compact(connection, arguments["before_mjd"])
    return [_unit(window, arguments["excluding_flags"]) for window in windows]


def units_to_seal(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the window of a season, if there is any. Arguments: ``survey, season, excluding_flags``."""
    with session.reading() as connection:
        window = season_window(connection, arguments["survey"], arguments["season"])
    return [] if window is None else [_unit(window, arguments["excluding_flags"])]


def compact_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Prepare and compact one window, in one transaction with its count; then tell the planner."""
    given = unit.arguments
    window = Window(given["from_mjd"], given["to_mjd"], given["sealed"])
    context = BlockContext(run.load_run_id, 0, given["excluding_flags"])
    prepare_windows([window], _PREPARATION_S)
    with session.transaction() as connection:
        compact_window(connection, window, context, lambda done, n: progress(unit.name, done, n))
        run.count(connection, loaded=1)
    with session.transaction() as connection:
        statement = sa.text("SELECT ops.analyze_light_curve_partition(:first, :last)")
        connection.execute(statement, {"first": window.from_mjd, "last": window.to_mjd})
    drop_retired(_READER_PATIENCE_S)


def _unit(window: Window, excluding_flags: int) -> Unit:
    """Unit of a window."""
    bounds = {"from_mjd": window.from_mjd, "to_mjd": window.to_mjd, "sealed": window.sealed}
    name = f"days {window.from_mjd} to {window.to_mjd}"
    return Unit(name, bounds | {"excluding_flags": excluding_flags})


def _window_itself(unit: Unit) -> tuple[str]:
    """Name what a unit has to account for: its window."""
    return (unit.name,)


COMPACT = Task(
    "compact",
    "Merge the short blocks of a window of days into long ones",
    units_to_compact,
    compact_unit,
    _window_itself,
)
SEAL = Task("seal", "Make one partition of a finished season", units_to_seal, compact_unit, _window_itself)


def compact_all(before_mjd: int, excluding_flags: int, progress: Progress) -> ModeReport:
    """Compact every window that ends before a day and would gain by it."""
    arguments = {"before_mjd": before_mjd, "excluding_flags": excluding_flags}
    return run_mode(Mode("compact", COMPACT.purpose, (COMPACT,), PARTITIONS), arguments, progress)


def seal_season(survey: str, season: int, excluding_flags: int, progress: Progress) -> ModeReport | None:
    """Make one partition of long blocks of a finished season; None where it has no light curves to seal."""
    arguments = {"survey": survey, "season": season, "excluding_flags": excluding_flags}
    if not units_to_seal(arguments):
        return None
    return run_mode(Mode("seal", SEAL.purpose, (SEAL,), PARTITIONS), arguments, progress)
