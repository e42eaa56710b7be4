"""Places against astropy's own space motion and an analytic parallactic ellipse."""

import astropy.units as u
import numpy as np
from astropy.coordinates import Distance, SkyCoord
from astropy.time import Time

from loaders.astrometry.place import CatalogAstrometry, place_at

MAS = 3600_000.0


def catalog(**columns: float) -> CatalogAstrometry:
    """One object."""
    rest = {"ra": 268.0, "dec": -29.2, "ref_epoch": 2027.0, "pm_ra": 0.0, "pm_dec": 0.0, "parallax": 0.0}
    return CatalogAstrometry(**{name: np.array([value]) for name, value in (rest | columns).items()})


def test_proper_motion_agrees_with_astropy():
    ra, dec = place_at(catalog(pm_ra=-300.0, pm_dec=120.0), 2032.0, np.zeros(3))
    start = SkyCoord(
        268.0 * u.deg,
        -29.2 * u.deg,
        pm_ra_cosdec=-300 * u.mas / u.yr,
        pm_dec=120 * u.mas / u.yr,
        distance=Distance(100 * u.pc),
        obstime=Time(2027.0, format="jyear", scale="tdb"),
    )
    moved = start.apply_space_motion(Time(2032.0, format="jyear", scale="tdb"))
    there = SkyCoord(ra * u.deg, dec * u.deg)
    assert there.separation(SkyCoord(moved.ra, moved.dec))[0].mas < 0.01


def test_parallax_displaces_towards_the_barycentre_of_the_observer():
    # An observer displaced by d sees the object displaced by -parallax * (d projected on the sky).
    ra, dec = place_at(catalog(parallax=10.0), 2027.0, np.array([0.3, -0.9, 0.2]))
    east = np.array([-np.sin(np.radians(268.0)), np.cos(np.radians(268.0)), 0.0])
    offset = (ra[0] - 268.0) * np.cos(np.radians(-29.2)) * MAS
    assert np.isclose(offset, -10.0 * (np.array([0.3, -0.9, 0.2]) @ east), atol=1e-4)
    assert abs((dec[0] + 29.2) * MAS) < 10.0


def test_what_is_unknown_or_negative_moves_nothing():
    ra, dec = place_at(catalog(pm_ra=np.nan, pm_dec=np.nan, parallax=-3.0), 2032.0, np.array([1.0, 0, 0]))
    assert np.allclose([ra[0], dec[0]], [268.0, -29.2], atol=1e-12)
