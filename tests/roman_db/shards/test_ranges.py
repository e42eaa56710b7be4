"""Ranges given to shards, against a list that has the shard of each object."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roman_db.shards.ranges import END, Range, assign

_EDGES = st.tuples(st.integers(0, 20), st.integers(0, 20)).filter(lambda pair: pair[0] < pair[1])
_MOVES = st.lists(
    st.builds(lambda edges, shard: Range(*edges, shard), _EDGES, st.sampled_from([None, "a", "b"]))
)


@given(_MOVES)
def test_each_object_is_where_it_was_moved_to_last(moves):
    ranges, where = [], [None] * 20
    for move in moves:
        ranges = assign(ranges, move)
        where[move.from_object_id : move.to_object_id] = [move.shard] * (
            move.to_object_id - move.from_object_id
        )
    found = [None] * 20
    for one in ranges:
        assert found[one.from_object_id : one.to_object_id] == [None] * (
            one.to_object_id - one.from_object_id
        )
        found[one.from_object_id : one.to_object_id] = [one.shard] * (one.to_object_id - one.from_object_id)
    assert found == where
    joints = itertools.pairwise(ranges)
    assert not any(a.to_object_id == b.from_object_id and a.shard == b.shard for a, b in joints)


@pytest.mark.parametrize("edges", [(5, 5), (6, 5), (-1, 5), (0, END + 1)])
def test_what_is_no_range_is_refused(edges):
    with pytest.raises(ValueError, match=f"objects {edges[0]} to {edges[1]} are no range"):
        assign([], Range(*edges, "a"))
