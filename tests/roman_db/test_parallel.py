"""Work side by side: in processes, or in this one where one is enough."""

import os

import pytest

from roman_db.parallel import side_by_side

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
