"""Work side by side: in processes, or in this one where one is enough."""

import os
import signal
import time
from pathlib import Path

import pytest

from roman_db.parallel import WorkerDied, each_ended, side_by_side

_given = 0


def begin(given):
    global _given
    _given = given


def work(number):
    return os.getpid(), number * _given


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_each_has_begun_and_results_are_in_order(workers):
    with side_by_side(workers, __name__, begin, (3,)) as of_each:
        results = list(of_each(work, range(5)))
    assert [result for _, result in results] == [0, 3, 6, 9, 12]
    assert (os.getpid() in {process for process, _ in results}) == (workers < 2)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_raised_is_raised_here(workers):
    with side_by_side(workers, __name__) as of_each, pytest.raises(TypeError):
        list(of_each(work, [None]))


def unlucky(number):
    """Wait a little; or kill the worker, each time or the first."""
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if isinstance(number, str):
        once = Path(number)
        if not once.exists():
            once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return "lives"
    if number == 5:
        raise ValueError(number)
    time.sleep(0.01)
    return 2 * number


@pytest.mark.parametrize("workers", [2, 3])
def test_what_kills_its_worker_ends_alone_and_all_others_are_done_once(workers, tmp_path):
    count = 20
    items = [*range(count), str(tmp_path / "once"), *range(count, 2 * count)]
    ended = [one for one in each_ended(workers, __name__, unlucky, items) if one is not None]
    assert sorted(map(str, (one.item for one in ended))) == sorted(map(str, items))
    failed = {one.item: type(one.error) for one in ended if one.error is not None}
    assert failed == {3: WorkerDied, 5: ValueError}
    results = {one.item: one.result for one in ended if one.error is None}
    assert results.pop(str(tmp_path / "once")) == "lives"
    assert results == {number: 2 * number for number in range(2 * count) if number not in (3, 5)}


def pause(seconds):
    time.sleep(seconds)
    return seconds


def test_what_is_slow_hides_nothing_and_signs_come_meanwhile():
    ended = list(each_ended(2, __name__, pause, [2.0, 0.01, 0.02, 0.03], sign=0.2))
    done = [one.item for one in ended if one is not None]
    assert done == [0.01, 0.02, 0.03, 2.0]
    assert ended.count(None) > 1


@pytest.mark.parametrize("workers", [0, 1])
def test_in_this_process_what_fails_keeps_nothing_from_its_turn(workers):
    ended = list(each_ended(workers, __name__, unlucky, [4, 5, 6]))
    assert [(one.item, one.result, type(one.error)) for one in ended] == [
        (4, 8, type(None)),
        (5, None, ValueError),
        (6, 12, type(None)),
    ]


def test_things_are_drawn_as_workers_become_free():
    drawn = []
    things = each_ended(2, __name__, pause, (drawn.append(n) or 0.0 for n in range(50)))
    next(things)
    assert len(drawn) <= 5
    assert len([one for one in things if one is not None]) == 49
