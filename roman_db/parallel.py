"""Processes that work side by side, and that are gone when the process that began them is."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from typing import Any


@contextmanager
def side_by_side(
    workers: int, module: str, begin: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
) -> Iterator[Callable[..., Iterator[Any]]]:
    """Give a ``map`` that works in processes; in this one where one is enough, which need import nothing.

    The parameters are those of :func:`worker_pool`.
    """
    if workers > 1:
        with worker_pool(workers, module, begin, arguments) as pool:
            yield pool.map
        return
    if begin is not None:
        begin(*arguments)
    yield map


def worker_pool(
    workers: int, module: str, begin: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
) -> ProcessPoolExecutor:
    """Make a pool of processes; none outlives this process, even if that is killed.

    Parameters
    ----------
    workers
        Number of processes.
    module
        Module that the work needs: it is imported once for all of them.
    begin, arguments
        Called in each process before its first piece of work.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload([module])
    return ProcessPoolExecutor(workers, context, _begin, (begin, arguments))


def _begin(begin: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """Set up a worker. A pool's workers hold their own queue open: nothing else tells them of their end."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if begin is not None:
        begin(*arguments)


def _end_with_parent() -> None:
    """Wait until the process that began this one is gone, and end this one, too."""
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)
