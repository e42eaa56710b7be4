"""Cells tile their root, hold every star once, and follow the dust."""

import itertools
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.extinction.adaptive import split_cells
from loaders.extinction.cell import CellResult, ElementResult, Surroundings, measure_cell
from loaders.extinction.stars import Stars
from tests.loaders.extinction.diagram import CLUMP, RATIO, Recipe
from tests.loaders.extinction.sky import ROOT, bands, centre, configuration, dusty_sky, positions

VALUES = configuration(cells={"deepest_order": 12, "wished_error": 0.03}).cells


@dataclass(frozen=True)
class Seen:
    """What a measurement of numbers of stars is told: error by the number, and a chance to fail."""

    failing: frozenset[int]
    sigma: float

    def __call__(self, cell, stars, guess):
        n = len(stars)
        lost = n < 5 or cell.index % 17 in self.failing
        one = (
            ElementResult("no_clump", n)
            if lost
            else ElementResult("fitted", n, 15.0, self.sigma / np.sqrt(n))
        )
        return CellResult({"F146": one}, None if lost else 0.5)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.floats(0, 1, exclude_max=True), max_size=400),
    st.frozensets(st.integers(0, 16), max_size=6),
    st.floats(0.01, 3.0),
    st.integers(0, 3),
)
def test_cells_tile_the_root_and_hold_every_star_once(places, failing, sigma, crowding):
    where = np.sort((np.array(places) ** (1 + crowding) * 4**21).astype(np.int64)) + ROOT.first
    stars = Stars(where, {"F146": np.full(where.size, 15.0)})
    leaves = split_cells(ROOT, stars, Seen(failing, sigma), VALUES)
    ends = sorted((leaf.cell.first, leaf.cell.end) for leaf in leaves)
    assert (ends[0][0], ends[-1][1]) == (ROOT.first, ROOT.end)
    assert all(one[1] == other[0] for one, other in itertools.pairwise(ends))
    assert sum(leaf.result.n_star for leaf in leaves) == where.size
    assert all(ROOT.order <= leaf.cell.order <= VALUES.deepest_order for leaf in leaves)
    # What was split is known as well as was wished; only a root that is not may be worse.
    split = [leaf for leaf in leaves if leaf.result.is_fitted and leaf.cell != ROOT]
    assert all(leaf.result.error <= VALUES.wished_error for leaf in split if leaf.cell.order > ROOT.order + 2)
    if len(leaves) > 1:
        assert any(leaf.result.is_fitted for leaf in leaves)


def test_a_cell_stays_whole_if_a_quarter_of_it_would_be_lost():
    spread = np.sort(np.random.default_rng(1).integers(ROOT.first, ROOT.end, 4000))
    stars = Stars(spread, {"F146": np.full(4000, 15.0)})
    lost = frozenset({(4 * ROOT.index + 2) % 17})
    assert len(split_cells(ROOT, stars, Seen(frozenset(), 0.5), VALUES)) >= 4
    assert [leaf.cell for leaf in split_cells(ROOT, stars, Seen(lost, 0.5), VALUES)] == [ROOT]


def test_the_edge_of_a_field_does_not_keep_cells_large():
    """Where three quarters of a root were not observed, the fourth is still cut."""
    corner = ROOT.children[1]
    spread = np.sort(np.random.default_rng(1).integers(corner.first, corner.end, 4000))
    leaves = split_cells(ROOT, Stars(spread, {"F146": np.full(4000, 15.0)}), Seen(frozenset(), 0.5), VALUES)
    empty = [leaf.cell for leaf in leaves if not leaf.result.is_fitted]
    assert empty == [one for one in ROOT.children if one != corner]
    assert len(leaves) == 7


@pytest.fixture(scope="module")
def dusty():
    """A field whose dust rises by 1.2 mag from one side to the other, with ripples; and its map."""
    ra0, dec0 = centre()

    def dust(ra, dec):
        return 1.2 + 4.0 * (dec - dec0) + 0.15 * np.sin((ra - ra0) * 40)

    rng = np.random.default_rng(7)
    stars = dusty_sky(ROOT, Recipe(12_000, 36_000, 2400), dust, rng)
    around = Surroundings(configuration(), bands(), 0.0)
    values = replace(around.configuration.cells, wished_error=0.04)
    leaves = split_cells(ROOT, stars, lambda cell, some, guess: measure_cell(some, around, guess), values)
    return stars, dust, leaves, rng


@pytest.mark.heavy
def test_dust_that_varies_is_followed(dusty):
    _, dust, leaves, rng = dusty
    fitted = [leaf for leaf in leaves if leaf.result.is_fitted]
    assert len(fitted) > 0.95 * len(leaves)
    assert max(leaf.cell.order for leaf in leaves) >= 11
    truth = np.array([dust(*positions(leaf.cell, 500, rng)[1:]).mean() for leaf in fitted])
    found = np.array([leaf.result.elements["F146"].magnitude for leaf in fitted]) - CLUMP["F146"]
    assert np.corrcoef(truth, found)[0, 1] > 0.98
    assert np.ptp(found) > 0.8
    assert np.std(found - truth) < 0.04


@pytest.mark.heavy
@pytest.mark.parametrize("element", ["F087", "F146", "F213"])
def test_errors_of_cells_are_those_that_are_made(dusty, element):
    _, dust, leaves, rng = dusty
    pulls = []
    for leaf in leaves:
        one = leaf.result.elements[element]
        if one.status == "fitted":
            mean = dust(*positions(leaf.cell, 2000, rng)[1:]).mean()
            pulls.append((one.magnitude - CLUMP[element] - RATIO[element] * mean) / one.error)
    assert len(pulls) > 0.9 * len(leaves)
    assert np.std(pulls) == pytest.approx(1.0, abs=0.25)
    assert np.mean(pulls) == pytest.approx(0.0, abs=0.4)


def test_every_star_of_the_field_is_in_one_cell(dusty):
    stars, _, leaves, _ = dusty
    held = np.concatenate([stars.of(leaf.cell).pixel for leaf in leaves])
    np.testing.assert_array_equal(np.sort(held), stars.pixel)
