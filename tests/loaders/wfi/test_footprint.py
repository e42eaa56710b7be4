from __future__ import annotations

import cdshealpix
import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Latitude, Longitude

from loaders.wfi.footprint import covers, footprint, outline
from loaders.wfi.projection import SkyProjection
from loaders.wfi.projection_fit import fit_projection

CENTERS = [(268.0, -29.2), (0.0, 0.0), (120.0, 89.99), (30.0, -90.0)]
SKY_PIXELS = 12 * 4**29


def projection(ra: float, dec: float, n: int = 4088) -> SkyProjection:
    """A gnomonic projection written out in spherical trigonometry."""

    def to_sky(x, y):
        xi, eta = (np.radians((c - (n - 1) / 2) * 0.11 / 3600) for c in (x, y))
        a, d = np.radians(ra), np.radians(dec)
        down = np.cos(d) - eta * np.sin(d)
        return (
            np.degrees(a + np.arctan2(xi, down)),
            np.degrees(np.arctan2(np.sin(d) + eta * np.cos(d), np.hypot(xi, down))),
        )

    return fit_projection(to_sky, (n, n))


def pixel_of(ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    pixel = cdshealpix.lonlat_to_healpix(Longitude(ra, u.deg), Latitude(dec, u.deg), 29)
    return pixel.astype(np.int64)


@pytest.mark.parametrize("center", CENTERS)
def test_holds_every_pixel_and_little_else(center):
    sky = projection(*center)
    ranges = footprint(sky)
    x, y = np.random.default_rng(1).uniform(-0.5, 4087.5, (2, 20_000))
    assert covers(ranges, pixel_of(*sky.to_sky(x, y))).all()
    # Solid angle of a square gnomonic field of half side tan(w): 4 arcsin(sin² w').
    half = 2044 * np.radians(0.11 / 3600)
    area = 4 * np.arcsin(half**2 / (1 + half**2))
    excess = np.diff(ranges).sum() / SKY_PIXELS * 4 * np.pi / area - 1
    # Cells that the outline crosses: 1,800 arcsec of it, cells 13 arcsec wide, field of 450² arcsec².
    assert 0 < excess < 0.10


@pytest.mark.parametrize("center", CENTERS)
def test_leaves_out_what_is_a_cell_away(center):
    sky = projection(*center)
    ranges = footprint(sky)
    # Diagonal of a cell of order 14, at most 20 arcsec, is 180 pixels: a larger field tells where that is.
    wide = projection(*center, n=4088 + 600)
    edge = np.linspace(-0.5, 4687.5, 500)
    for x, y in ((edge, edge * 0 + 50), (edge * 0 + 4630, edge)):
        assert not covers(ranges, pixel_of(*wide.to_sky(x, y))).any()


def test_ranges_are_ascending_and_apart():
    ranges = footprint(projection(268.0, -29.2))
    assert ranges.dtype == np.int64
    assert ranges.shape[1] == 2
    assert (np.diff(ranges.ravel()) > 0).all()
    assert ranges.min() >= 0
    assert ranges.max() <= SKY_PIXELS


@pytest.mark.parametrize("order", [10, 12, 16])
def test_order_sets_the_size_of_cells(order):
    ranges = footprint(projection(268.0, -29.2), order)
    assert (ranges % 4 ** (29 - order) == 0).all()
    assert (ranges % 4 ** (30 - order) != 0).any()


def test_outline_runs_along_the_outer_edges():
    sky = projection(268.0, -29.2, n=100)
    x, y = sky.to_pixel(*outline(sky))
    assert np.allclose(np.maximum(np.abs(x - 49.5), np.abs(y - 49.5)), 50)
    assert len(set(zip(x.round(6), y.round(6), strict=True))) == x.size == 32
    corners = {(-0.5, -0.5), (99.5, -0.5), (99.5, 99.5), (-0.5, 99.5)}
    assert corners <= set(zip(x.round(6), y.round(6), strict=True))


def test_covers_is_half_open():
    ranges = np.array([[4, 8], [10, 11]])
    assert covers(ranges, np.array([3, 4, 7, 8, 9, 10, 11])).tolist() == [
        False,
        True,
        True,
        False,
        False,
        True,
        False,
    ]
