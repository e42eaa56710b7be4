"""Names of sets and grids of pixels."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loaders.mosaic.describe import PixelGrid, set_name

GRID = PixelGrid("270p65x50y49", 269.99, 65.0, 359.9, 0.055, 5000, 5000)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("r00001_full_270p65x50y49_f158_coadd.asdf", "r00001_full_270p65x50y49"),
        ("r00001_p_f106_270p65_coadd.asdf", "r00001_p_270p65"),
        ("mine.asdf", "mine"),
    ],
)
def test_the_set_is_the_name_without_the_optical_element(name, expected):
    assert set_name(name) == expected


@pytest.mark.parametrize(
    ("changed", "is_same"),
    [
        ({"name": "another"}, True),
        ({"ra": 269.99 - 360}, True),
        ({"orientat": -0.1}, True),
        ({"dec": 65.0 + 0.002 / 3600}, True),
        ({"dec": 65.0 + 0.01 / 3600}, False),
        ({"ra": 269.99 + 0.005 / 3600}, True),
        ({"ra": 269.99 + 0.02 / 3600}, False),
        ({"orientat": 359.9 + 0.01}, False),
        ({"pixel_scale": 0.0550001}, True),
        ({"pixel_scale": 0.0551}, False),
        ({"n_x": 4999}, False),
    ],
)
def test_grids_are_one_where_their_pixels_lie_on_one_another(changed, is_same):
    assert GRID.is_same(replace(GRID, **changed)) is is_same
