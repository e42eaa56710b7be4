"""Processes that work side by side, and that are gone when the process that began them is."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import connection, get_context, parent_process
from typing import Any

#: Seconds after which `each_ended` gives a sign although nothing has ended.
_SIGN_EVERY = 5.0

#: Things a worker has before it or in its hands: one more than it works on, so that it need not wait.
_IN_HAND = 2


class WorkerDied(RuntimeError):
    """The process that worked on something, and on nothing else, was killed."""

    code = "worker_died"
    remedy = (
        "Most often memory ran out: look into the system's log, give it more memory or fewer workers "
        "(ROMAN_DB_WORKERS), and give the same command again"
    )


@dataclass(frozen=True)
class Ended:
    """A thing that was worked on, what came of it, and what was raised instead, if anything was."""

    item: Any
    result: Any = None
    error: Exception | None = None


def each_ended(
    workers: int, module: str, work: Callable[[Any], Any], items: Iterable[Any], sign: float = _SIGN_EVERY
) -> Iterator[Ended | None]:
    """Work on each of many things side by side, and give them back as they end, in any order.

    What fails keeps nothing else from its turn. Where a worker is killed, by the kernel for want of memory or
    by somebody, all that was in hand is tried again, each alone in a fresh process: what kills that one, too,
    ends with `WorkerDied`, and the others go on in new processes.

    Parameters
    ----------
    workers
        Number of processes; with one or none the work is done in this one, whose death nothing survives.
    module
        Module that the work needs: it is imported once for all of them.
    work, items
        What is called with each; things are drawn as workers become free.
    sign
        Seconds after which None is given where nothing has ended; never where this process does the work.

    Yields
    ------
    Ended or None
        Each thing once; None where it only goes on.
    """
    if workers <= 1:
        yield from (_tried(work, item) for item in items)
        return
    rest = iter(items)
    while True:
        suspects: list[Any] = []
        with worker_pool(workers, module) as pool:
            yield from _until_broken(pool, work, rest, (workers * _IN_HAND, sign), suspects)
        if not suspects:
            return
        for item in suspects:
            yield from _alone(module, work, item, sign)


def _tried(work: Callable[[Any], Any], item: Any) -> Ended:
    """Work on a thing in this process."""
    try:
        return Ended(item, work(item))
    except Exception as error:  # noqa: BLE001 - whatever it fails of, it is given back and the others go on
        return Ended(item, error=error)


def _until_broken(
    pool: ProcessPoolExecutor,
    work: Callable[[Any], Any],
    rest: Iterator[Any],
    how: tuple[int, float],
    suspects: list[Any],
) -> Iterator[Ended | None]:
    """Work on all the rest, or until a worker is killed: then what was in hand is added to the suspects.

    ``how`` is the number of things in hand, and the seconds between signs.
    """
    most, sign = how
    running: dict[Future[Any], Any] = {}
    while not suspects:
        for item in islice(rest, most - len(running)):
            try:
                running[pool.submit(work, item)] = item
            except BrokenProcessPool:
                suspects.append(item)
                break
        if not running:
            return
        ended = wait(running, sign, FIRST_COMPLETED).done
        if not ended:
            yield None
        for future in ended:
            yield from _sorted_out(future, running.pop(future), suspects)
    # A pool that is broken ends all that it had.
    for future in wait(running).done:
        yield from _sorted_out(future, running.pop(future), suspects)


def _sorted_out(future: Future[Any], item: Any, suspects: list[Any]) -> Iterator[Ended]:
    """What came of a thing, or nothing where its worker may have been killed by it: then it is a suspect."""
    error = future.exception()
    if isinstance(error, BrokenProcessPool):
        suspects.append(item)
    elif error is None:
        yield Ended(item, future.result())
    elif isinstance(error, Exception):
        yield Ended(item, error=error)
    else:
        raise error


def _alone(module: str, work: Callable[[Any], Any], item: Any, sign: float) -> Iterator[Ended | None]:
    """Work on a thing in a process of its own."""
    suspects: list[Any] = []
    with worker_pool(1, module) as pool:
        yield from _until_broken(pool, work, iter([item]), (1, sign), suspects)
    if suspects:
        yield Ended(item, error=WorkerDied("the process that worked on it, and on nothing else, was killed"))


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
