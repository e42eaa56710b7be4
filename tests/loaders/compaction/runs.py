"""Compactions as a job runs them."""

from collections.abc import Callable

import sqlalchemy as sa

from loaders.compaction import load
from loaders.compaction.load import Window, compact_window, prepare_windows, windows_to_compact
from loaders.light_curve.load import BlockContext
from roman_db import session
from tests.loaders.light_curve.synthetic import FIRST_DAY, context

#: The window that days from the first on fall into.
WINDOW = Window(FIRST_DAY, FIRST_DAY + 8, sealed=False)


def compact(
    window: Window = WINDOW,
    progress: Callable[[int, int], None] = lambda done, total: None,
    where: BlockContext | None = None,
) -> None:
    """Prepare and compact a window."""
    where = where or context()
    prepare_windows([window], 30)
    compact_prepared(window, progress, where)


def compact_prepared(
    window: Window = WINDOW,
    progress: Callable[[int, int], None] = lambda done, total: None,
    where: BlockContext | None = None,
) -> None:
    """Compact a window that has been prepared, in one transaction."""
    where = where or context()
    with session.transaction() as connection:
        compact_window(connection, window, where, progress)


def pending(before_mjd: int = 10**6) -> list[Window]:
    with session.reading() as connection:
        return windows_to_compact(connection, before_mjd)


def ask(query: str) -> list[tuple]:
    with session.reading() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def generations() -> list[str]:
    """Partitions of the fluxes that hold rows."""
    query = """
        SELECT relname FROM pg_class WHERE relnamespace = 'roman_partition'::regnamespace
        AND relname LIKE 'light_curve_segment%' AND relkind = 'r' ORDER BY 1
    """
    return [name for (name,) in ask(query)]


def in_small_chunks(monkeypatch) -> None:
    """Let a compaction need many chunks of objects."""
    monkeypatch.setattr(load, "_POINTS_A_CHUNK", 60)
