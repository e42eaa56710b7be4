"""How long a client is waited for."""

from __future__ import annotations

import asyncio

import pytest

from roman_db.tap.pace import BYTES, Pace


async def waited(pace: Pace, seconds: float) -> None:
    async with pace.waiting():
        await asyncio.sleep(seconds)


def test_who_moves_nothing_is_waited_for_no_longer_than_the_seconds():
    async def scenario() -> None:
        pace = Pace(0.2)
        await waited(pace, 0.12)
        with pytest.raises(TimeoutError):
            await waited(pace, 5)

    asyncio.run(scenario())


def test_who_moves_enough_is_waited_for_as_long_as_it_takes():
    async def scenario() -> int:
        pace = Pace(0.4)
        for _ in range(5):  # in all longer than the seconds
            await waited(pace, 0.1)
            pace.moved(BYTES)
        return 5

    assert asyncio.run(scenario()) == 5


def test_who_was_fast_is_not_waited_for_longer():
    async def scenario() -> None:
        pace = Pace(0.2)
        pace.moved(1000 * BYTES)
        with pytest.raises(TimeoutError):
            await waited(pace, 5)

    asyncio.run(scenario())
