"""Every star belongs to one tile, and a tile knows all stars in its margin."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.photometry.tiling import Grid, build_tiles


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 1000), n=st.integers(0, 300), size=st.integers(16, 40), margin=st.floats(0, 12))
def test_tiles_list_their_own_stars_and_those_of_the_margin(seed, n, size, margin):
    rng = np.random.default_rng(seed)
    grid = Grid((70, 90), size)
    x, y = rng.uniform(-2, 91, n), rng.uniform(-2, 71, n)
    order = np.argsort(grid.cell_of(x, y), kind="stable")
    x, y = x[order], y[order]
    cell = grid.cell_of(x, y)
    tiles = build_tiles(grid, x, y, margin)
    for tile in range(grid.rows * grid.columns):
        member = tiles.member[tiles.start[tile] : tiles.start[tile + 1]]
        own = np.flatnonzero(cell == tile)
        np.testing.assert_array_equal(member[tiles.margin[tile] :], own)
        left, top = (tile % grid.columns) * size - 0.5, (tile // grid.columns) * size - 0.5
        near = (
            (x >= left - margin)
            & (x < left + size + margin)
            & (y >= top - margin)
            & (y < top + size + margin)
        )
        assert set(member[: tiles.margin[tile]]) == set(np.flatnonzero(near & (cell != tile)))


@given(rows=st.integers(1, 200), columns=st.integers(1, 200), size=st.integers(1, 50))
def test_cells_of_one_colour_do_not_touch(rows, columns, size):
    grid = Grid((rows, columns), size)
    colours = grid.colours()
    assert sorted(np.concatenate(colours)) == list(range(grid.rows * grid.columns))
    for colour in colours:
        row, column = np.divmod(colour, grid.columns)
        assert len(set(row % 2)) == len(set(column % 2)) == 1


def test_positions_off_the_image_belong_to_the_nearest_cell():
    grid = Grid((40, 40), 20)
    x, y = np.array([-9.0, 50.0, 19.4, 19.6]), np.array([-3.0, 99.0, 0.0, 0.0])
    np.testing.assert_array_equal(grid.cell_of(x, y), [0, 3, 0, 1])
