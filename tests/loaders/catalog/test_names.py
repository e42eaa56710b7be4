from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loaders.catalog.names import first_of_name

ROWS = st.lists(st.tuples(st.sampled_from([None, "a", "b", "1"]), st.integers(0, 3)), max_size=20)


@given(ROWS)
def test_the_first_source_of_a_name_keeps_it(rows):
    """Against a dictionary, row by row."""
    names = np.array([name for name, _ in rows], dtype=object)
    group = np.array([number for _, number in rows], dtype=np.int64)
    first, expected = {}, []
    for row, (name, number) in enumerate(rows):
        owner = row if name is None else first.setdefault(name, row)
        expected.append(-1 if rows[owner][1] == number else owner)
    assert first_of_name(names, group).tolist() == expected
