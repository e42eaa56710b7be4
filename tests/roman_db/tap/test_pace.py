"""How long a client is waited for, by a clock that stands still unless somebody waits."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable

import pytest

from roman_db.tap.pace import BYTES, Pace

_SECONDS = 10.0


class _Skipping(selectors.DefaultSelector):
    """Selector that does not wait, but puts the clock of its loop forward by what it would have waited."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout:
            self.now += timeout
            timeout = 0
        return super().select(timeout)


def run(scenario: Callable[[], Awaitable[None]]) -> float:
    """Run a scenario, and return how many seconds it took by its own clock."""
    selector = _Skipping()

    def make_loop() -> asyncio.AbstractEventLoop:
        loop = asyncio.SelectorEventLoop(selector)
        loop.time = lambda: selector.now
        return loop

    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(scenario())
    return selector.now


async def waited(pace: Pace, seconds: float) -> None:
    async with pace.waiting():
        await asyncio.sleep(seconds)


def test_who_moves_nothing_is_waited_for_no_longer_than_the_seconds():
    async def scenario() -> None:
        pace = Pace(_SECONDS)
        await waited(pace, 6)
        with pytest.raises(TimeoutError):
            await waited(pace, 100)

    assert run(scenario) == pytest.approx(_SECONDS)


def test_who_moves_enough_is_waited_for_as_long_as_it_takes():
    async def scenario() -> None:
        pace = Pace(_SECONDS)
        for _ in range(5):
            await waited(pace, 6)
            pace.moved(BYTES * 6 // 10)

    assert run(scenario) == pytest.approx(30)


def test_who_moves_too_little_is_waited_for_as_long_as_that_is_worth():
    async def scenario() -> None:
        pace = Pace(_SECONDS)
        await waited(pace, 6)
        pace.moved(BYTES // 4)
        with pytest.raises(TimeoutError):
            await waited(pace, 100)

    assert run(scenario) == pytest.approx(1.25 * _SECONDS)


def test_who_was_fast_is_not_waited_for_longer():
    async def scenario() -> None:
        pace = Pace(_SECONDS)
        pace.moved(1000 * BYTES)
        with pytest.raises(TimeoutError):
            await waited(pace, 100)

    assert run(scenario) == pytest.approx(_SECONDS)


def test_our_own_time_is_not_counted():
    async def scenario() -> None:
        pace = Pace(_SECONDS)
        await waited(pace, 6)
        await asyncio.sleep(100)
        await waited(pace, 3)

    assert run(scenario) == pytest.approx(109)
