from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st

from loaders.catalog.identity import N_PIXEL, free_ids, position_of_id, wanted_id


def test_pixels_of_the_healpix_definition():
    """At the corners that the twelve base pixels share with the equator and the poles."""
    base = 4**29
    ra, dec = np.array([45.0, 135.0, 0.0, 45.0]), np.array([89.9999999, 89.9999999, 1e-9, -89.9999999])
    # Górski et al. 2005, figure 3: north polar pixels 0 to 3, equatorial 4 to 7, south polar 8 to 11.
    assert (wanted_id(ra, dec) // base).tolist() == [0, 1, 4, 8]


def test_position_returns_to_the_cell():
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(0, 360, 10_000), np.degrees(np.arcsin(rng.uniform(-1, 1, 10_000)))
    identifier = wanted_id(ra, dec)
    back = position_of_id(identifier)
    off = SkyCoord(ra, dec, unit="deg").separation(SkyCoord(*back, unit="deg"))
    assert off.max() < 0.5 * u.mas
    assert np.array_equal(wanted_id(*back), identifier)
    assert ((identifier >= 0) & (identifier < N_PIXEL)).all()


def test_nearby_positions_share_high_bits():
    first, second = wanted_id(np.array([268.0, 268.0 + 1e-9]), np.array([-29.2, -29.2]))
    assert first >> 20 == second >> 20


def test_positions_must_be_finite():
    with pytest.raises(ValueError, match="finite"):
        wanted_id(np.array([np.nan]), np.array([0.0]))


numbers = st.integers(0, 30)


def probe(wanted: list[int], taken: set[int]) -> list[int]:
    """Numbers given one after the other."""
    given_, used = [], set(taken)
    for number in sorted(wanted):
        free = next(candidate for candidate in range(number, 100) if candidate not in used)
        used.add(free)
        given_.append(free)
    return given_


@given(st.lists(numbers, max_size=20), st.sets(numbers, max_size=20))
def test_the_next_free_number(wanted, taken):
    got = free_ids(np.array(wanted, dtype=np.int64), np.array(sorted(taken), dtype=np.int64))
    assert sorted(got.tolist()) == probe(wanted, taken)
    assert all(number >= want for number, want in zip(got, wanted, strict=True))
    assert not set(got.tolist()) & taken


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 10**6)), max_size=12, unique=True), st.randoms())
def test_order_of_rows_does_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    taken = np.array([2, 3, 7], dtype=np.int64)

    def give(these):
        wanted, key = (np.array([row[k] for row in these], dtype=np.int64) for k in (0, 1))
        return dict(zip(these, free_ids(wanted, taken, (key.astype(float),)).tolist(), strict=True))

    assert give(rows) == give(shuffled)


def test_free_numbers_stay():
    wanted = wanted_id(np.array([268.0, 268.1]), np.array([-29.0, -29.0]))
    assert free_ids(wanted, np.array([], dtype=np.int64)).tolist() == wanted.tolist()
    assert free_ids(wanted, wanted).tolist() == (wanted + 1).tolist()


def test_the_end_of_the_sky():
    last = np.array([N_PIXEL - 1], dtype=np.int64)
    assert free_ids(last, np.array([], dtype=np.int64)).tolist() == last.tolist()
    with pytest.raises(ValueError, match="no free number"):
        free_ids(last, last)
