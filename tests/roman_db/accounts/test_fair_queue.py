"""The queue: fair, within limits, and no place is ever lost."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roman_db.accounts.fair_queue import FairQueue
from roman_db.service_failure import TooMany


class Work:
    """Pieces of work that hold a place until they are told to end; notes in which order they began."""

    def __init__(self, queue: FairQueue) -> None:
        self.queue = queue
        self.began: list[str] = []
        self.running: list[tuple[str, asyncio.Event]] = []
        self.tasks: list[asyncio.Task] = []

    async def ask(self, party: str, n: int = 1, limit: int = 100) -> None:
        """Ask for places, and let everybody who can begin do so."""
        self.tasks += [asyncio.create_task(self._hold(party, limit)) for _ in range(n)]
        await settled()

    async def _hold(self, party: str, limit: int) -> None:
        async with self.queue.place(party, limit):
            self.began.append(party)
            entry = party, asyncio.Event()
            self.running.append(entry)
            try:
                await entry[1].wait()
            finally:
                self.running.remove(entry)

    async def end(self, place: int = 0) -> None:
        """End a piece of work that runs."""
        self.running[place][1].set()
        await settled()

    async def cancel(self, place: int) -> None:
        """Cancel one that runs or waits."""
        self.tasks[place].cancel()
        await settled()


async def settled() -> None:
    for _ in range(8):
        await asyncio.sleep(0)


def test_who_asks_first_after_a_flood_is_next():
    async def scenario():
        work = Work(FairQueue(4, 1000))
        await work.ask("heavy", 200)
        assert work.began == ["heavy"] * 4
        await work.ask("light")
        await work.end()
        assert work.began[4:] == ["light"]
        await work.end()
        assert work.began[5:] == ["heavy"]

    asyncio.run(scenario())


def test_parties_that_all_want_more_than_there_is_get_equal_shares():
    async def scenario():
        work = Work(FairQueue(6, 1000))
        for party in "abc":
            await work.ask(party, 50)
        for _ in range(60):
            await work.end()
        assert Counter(party for party, _ in work.running) == {"a": 2, "b": 2, "c": 2}
        assert max(Counter(work.began[6:]).values()) - min(Counter(work.began[6:]).values()) <= 6

    asyncio.run(scenario())


def test_a_limit_holds_and_leaves_its_places_to_others():
    async def scenario():
        work = Work(FairQueue(5, 1000))
        await work.ask("narrow", 10, limit=2)
        assert work.began == ["narrow"] * 2
        await work.ask("wide", 10)
        assert Counter(work.began) == {"narrow": 2, "wide": 3}
        assert (work.queue.n_held("narrow"), work.queue.n_waiting("narrow")) == (2, 8)

    asyncio.run(scenario())


def test_too_many_are_refused_and_others_are_not():
    async def scenario():
        work = Work(FairQueue(1, 3))
        await work.ask("heavy", 4)
        with pytest.raises(TooMany, match="3 queries wait already"):
            async with work.queue.place("heavy", 1):
                pass
        await work.ask("light")
        await work.end()
        assert work.began == ["heavy", "light"]

    asyncio.run(scenario())


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from("abc"), st.integers(1, 3)),
        st.tuples(st.just("end"), st.integers(0, 50), st.just(0)),
        st.tuples(st.just("cancel"), st.integers(0, 50), st.just(0)),
        st.tuples(st.just("cancel at once"), st.integers(0, 50), st.integers(0, 50)),
    ),
    max_size=40,
)


@given(_STEPS, st.integers(1, 4))
def test_no_place_is_lost_or_given_twice(steps, size):
    """Whoever asks, ends and is cancelled in whatever order; at the end all places can be had at once."""

    async def scenario():
        work = Work(FairQueue(size, 1000))
        for step, first, second in steps:
            if step == "ask":
                await work.ask(first, second, limit=3)
            elif step == "end" and work.running:
                await work.end(first % len(work.running))
            elif step == "cancel" and work.tasks:
                await work.cancel(first % len(work.tasks))
            elif step == "cancel at once" and work.tasks and work.running:
                # The place comes at the very moment at which the one who waits for it goes.
                work.running[second % len(work.running)][1].set()
                await work.cancel(first % len(work.tasks))
            held = Counter(party for party, _ in work.running)
            assert sum(held.values()) <= size
            assert all(work.queue.n_held(party) == held[party] <= 3 for party in "abc")
            free = size - sum(held.values())
            assert not free or all(held[p] == 3 or work.queue.n_waiting(p) == 0 for p in "abc")
        for task in work.tasks:
            task.cancel()
        await asyncio.gather(*work.tasks, return_exceptions=True)
        await work.ask("after", size)
        assert len(work.running) == size
        for task in work.tasks:
            task.cancel()
        await asyncio.gather(*work.tasks, return_exceptions=True)

    asyncio.run(scenario())
