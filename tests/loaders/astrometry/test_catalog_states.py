"""Which of what the catalog said held in a version, against a search row by row."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loaders.astrometry.catalog_states import CatalogStates

versions = st.integers(1, 6)
keys = st.sets(st.tuples(st.integers(1, 4), versions), max_size=12)
asked = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7)), max_size=12)


def held(rows, object_id, version):
    """Number of the first row of an object that a version after the given one replaces."""
    found = [k for k, (one, replaced_by) in enumerate(rows) if one == object_id and replaced_by > version]
    return found[0] if found else -1


@given(keys, asked)
def test_the_first_row_that_a_later_version_replaces(key, pairs):
    rows = sorted(key)
    states = CatalogStates.of_rows([(*row, *(10.0 * k + np.arange(6))) for k, row in enumerate(rows)])
    object_id, version = np.array(pairs, np.int64).reshape(-1, 2).T
    found = states.at(object_id, version)
    assert found.tolist() == [held(rows, *pair) for pair in pairs]
    # One version for all is the same as each its own.
    assert states.at(object_id, 3).tolist() == [held(rows, one, 3) for one in object_id.tolist()]
    known = found[found >= 0]
    assert states.take(known).ra.tolist() == (10.0 * known).tolist()
    assert states.take(known).parallax.tolist() == (10.0 * known + 5).tolist()
