"""What is made of catalogs and corrections, against the rigorous places of stars and astropy."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from loaders.astrometric_solution.catalogued import (
    PAIRS,
    Catalogued,
    anchors_of,
    change_of_catalog,
    choose_frame_stars,
    correlations,
    parameters,
    star_places,
)
from loaders.astrometric_solution.observer import factor_rows
from loaders.astrometric_solution.star_fit import Solutions
from loaders.astrometry.place import CatalogAstrometry, place_at
from tests.loaders.astrometric_solution.sky import DEC, RA

OBSERVER = np.array([0.4, -0.8, -0.35])


def catalog(ra, dec, epoch, motion, parallax):
    n = len(ra)
    one = np.full(n, 1.0)
    return CatalogAstrometry(ra, dec, epoch * one, motion[0] * one, motion[1] * one, parallax * one)


def test_a_change_of_catalog_is_that_of_the_places():
    ra, dec = RA + np.linspace(-0.05, 0.05, 7), DEC + np.linspace(-0.05, 0.05, 7)
    then = catalog(ra + 3e-6, dec - 2e-6, 2016.0, (5.0, -7.0), 0.3)
    now = catalog(ra, dec, 2027.0, (np.nan, 2.0), -0.5)
    epoch, year = 2028.0, 2031.5
    change = change_of_catalog(then, now, epoch)
    factor = factor_rows(ra, dec) @ OBSERVER
    found = change[:, :2] + change[:, 2:3] * factor + (year - epoch) * change[:, 3:]
    old, new = (SkyCoord(*place_at(one, year, OBSERVER), unit="deg") for one in (then, now))
    east, north = new.spherical_offsets_to(old)
    expected = np.column_stack([east.to_value("mas"), north.to_value("mas")])
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_the_plane_is_the_tangent_plane():
    rng = np.random.default_rng(1)
    ra, dec = RA + rng.uniform(-0.06, 0.06, 9), DEC + rng.uniform(-0.06, 0.06, 9)
    centre = SkyCoord(RA, DEC, unit="deg")
    stars = SkyCoord(ra, dec, unit="deg")
    angle, distance = centre.position_angle(stars), np.tan(centre.separation(stars)) * u.rad.to(u.arcmin)
    expected = np.column_stack([distance * np.sin(angle), distance * np.cos(angle)])
    found = star_places(catalog(ra, dec, 2027.0, (0, 0), 0.0), 2027.0, (RA, DEC)).plane
    np.testing.assert_allclose(found, expected, atol=1e-7)


@pytest.mark.heavy
def test_parameters_are_what_is_catalogued_with_corrections():
    value = np.array([[1.0, -2.0, 0.3, 4.0, 5.0], np.full(5, np.nan)])
    covariance = np.stack([np.diag([1.0, 4, 9, 16, 25]) + 0.5 * (1 - np.eye(5)), np.full((5, 5), np.nan)])
    zeros = np.zeros(2, np.int64)
    found = Solutions(value, covariance, np.ones(2), zeros, zeros, zeros)
    stars = catalog(np.array([0.0, 10.0]), np.array([DEC, DEC]), 2027.0, (1.0, np.nan), -1.0)
    rows = parameters(stars, found, 2030.0)
    place = SkyCoord(0.0, DEC, unit="deg").spherical_offsets_by(4 * u.mas, -2 * u.mas)
    np.testing.assert_allclose(rows["ra"][0], place.ra.deg, atol=1e-12)
    np.testing.assert_allclose(rows["dec"][0], place.dec.deg, atol=1e-12)
    # What was not known, and a parallax below zero, counted as none.
    assert [rows[name][0] for name in ("parallax", "pm_ra", "pm_dec")] == [0.3, 5.0, 5.0]
    assert [rows[f"{name}_err"][0] for name in ("ra", "dec", "parallax", "pm_ra", "pm_dec")] == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert np.isnan(rows["ra"][1])
    expected = [0.5 / ((i + 1) * (j + 1)) for i, j in PAIRS]
    np.testing.assert_allclose(correlations(found)[0], expected)
    assert len(PAIRS) == 10


def test_anchors_are_what_is_catalogued_with_errors():
    stars = Catalogued(
        catalog(np.array([1.0, 2.0]), np.array([DEC, DEC]), 2016.0, (1.0, 2.0), -0.4),
        np.array([[0.3, 0.4, 0.2, 0.04, 0.03], [0.3, 0.4, 0.2, np.nan, 0.03]]),
    )
    anchors = anchors_of(stars, stars.astrometry, 2026.0)
    np.testing.assert_allclose(anchors.error[0], [0.5, 0.5, 0.2, 0.04, 0.03])
    assert np.isnan(anchors.error[1, [0, 3]]).all()
    # Offsets were measured with no parallax where it is below zero.
    np.testing.assert_allclose(anchors.value[:, 2], -0.4)
    assert anchors.counts.tolist() == [0] * 5


def test_anchors_are_told_from_what_is_catalogued_now():
    said = Catalogued(
        catalog(np.array([1.0]), np.array([DEC]), 2016.0, (1.0, 2.0), 0.4), np.full((1, 5), 0.1)
    )
    moved = catalog(np.array([1.0]), np.array([DEC + 5 / 3.6e6]), 2026.0, (1.5, 2.2), 0.3)
    anchors = anchors_of(said, moved, 2026.0)
    # In ten years it moved by 10 and 20 mas; the other lies 5 mas north of where it was at first.
    np.testing.assert_allclose(anchors.value[0], [10.0, 15.0, 0.1, -0.5, -0.2], atol=1e-5)


def test_frames_are_made_by_stars_seen_often_first_anchors_then_bright_ones():
    n_segment = np.array([10, 10, 10, 10, 4, 10, 0])
    flux = np.array([5.0, 9.0, np.nan, 1.0, 99.0, 2.0, 50.0])
    is_anchor = np.array([False, False, True, True, True, True, True])
    assert choose_frame_stars(n_segment, flux, is_anchor, 4).tolist() == [0, 1, 3, 5]
    assert choose_frame_stars(n_segment, flux, is_anchor, 100).tolist() == [0, 1, 2, 3, 5]
    assert choose_frame_stars(np.zeros(0, int), np.zeros(0), np.zeros(0, bool), 5).size == 0
