"""Entries of the ledger from one event loop: what ends while others are written is written together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

import anyio.to_thread
import structlog

from roman_db.accounts.usage import Entry, write_entries

_log = structlog.get_logger()


class Ledger:
    """Writes entries as they come, each batch in one transaction; to be used in one event loop.

    Parameters
    ----------
    write
        Writes entries; it is called in a thread.
    """

    def __init__(self, write: Callable[[Sequence[Entry]], None] = write_entries) -> None:
        self._write = write
        self._waiting: dict[int, Entry] = {}
        self._at_one = asyncio.Lock()

    async def note(self, entry: Entry) -> None:
        """Return when an entry is written; one that cannot be is logged, for its answer was given."""
        self._waiting[id(entry)] = entry
        async with self._at_one:
            if id(entry) not in self._waiting:
                return  # whoever had the lock before has written it
            batch, self._waiting = list(self._waiting.values()), {}
            await anyio.to_thread.run_sync(partial(self._write_all, batch))

    def _write_all(self, batch: Sequence[Entry]) -> None:
        """Write entries together, or one by one where they cannot be written together."""
        try:
            self._write(batch)
        except Exception as error:  # noqa: BLE001  # whatever it is, what was used is at least logged
            if len(batch) == 1:
                _log.error("ledger not written", entry=str(batch[0]), error=str(error))
                return
            for one in batch:
                self._write_all([one])
