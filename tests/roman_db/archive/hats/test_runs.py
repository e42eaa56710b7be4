"""Ranges of identifiers that are read for some objects: they hold these and no others."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from roman_db.archive.hats.catalog import runs


@given(st.sets(st.integers(0, 200), min_size=1), st.sets(st.integers(0, 200), min_size=2), st.randoms())
def test_runs_hold_the_objects_and_no_others(stored, edges, random):
    """Also not those that lie between the ranges of a tile."""
    edge = np.array(sorted(edges))[: len(edges) // 2 * 2].reshape(-1, 2)
    random.shuffle(ranges := edge.tolist())
    found = np.array(
        [one for one in sorted(stored) if any(first <= one < end for first, end in ranges)], np.int64
    )
    rank = np.arange(found.size)
    chosen = rank[[random.random() < 0.6 for _ in rank]]
    if chosen.size == 0:
        return
    random.shuffle(order := chosen.tolist())
    wanted = runs(found[order], rank[order], np.array(ranges))
    read = [one for one in sorted(stored) if any(first <= one < end for first, end in wanted.tolist())]
    assert read == found[chosen].tolist()
