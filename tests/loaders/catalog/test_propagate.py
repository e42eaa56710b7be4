"""Proper motion against astropy's space motion."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Distance, SkyCoord
from astropy.time import Time

from loaders.catalog.propagate import propagate

N = 300


def stars(make_sources, fastest: float):
    rng = np.random.default_rng(7)
    return make_sources(
        rng.uniform(0, 360, N),
        np.concatenate([np.degrees(np.arcsin(rng.uniform(-1, 1, N - 2))), [89.9999, -89.9999]]),
        pm_ra=rng.uniform(-fastest, fastest, N),
        pm_dec=rng.uniform(-fastest, fastest, N),
        ra_err=np.full(N, 0.3),
        dec_err=np.full(N, 0.4),
        pm_ra_err=np.full(N, 0.1),
        pm_dec_err=np.full(N, np.nan),
    )


@pytest.mark.parametrize("fastest", [10.0, 10_000.0])
@pytest.mark.parametrize("epoch", [1991.25, 2027.0, 2100.0])
def test_space_motion_of_astropy(make_sources, fastest, epoch):
    sources = stars(make_sources, fastest)
    got = propagate(sources, epoch)
    start = SkyCoord(
        sources.ra * u.deg, sources.dec * u.deg, distance=Distance(parallax=np.full(N, fastest / 10) * u.mas),
        pm_ra_cosdec=sources.pm_ra * u.mas / u.yr, pm_dec=sources.pm_dec * u.mas / u.yr,
        radial_velocity=np.zeros(N) * u.km / u.s, obstime=Time(2016.0, format="jyear", scale="tdb"),
    )  # fmt: skip
    wanted = start.apply_space_motion(Time(epoch, format="jyear", scale="tdb"))
    # astropy applies the light-travel terms of ERFA's pmsafe, which a second-order motion of 0.1 mas covers.
    off = SkyCoord(got.ra, got.dec, unit="deg").separation(SkyCoord(wanted.ra, wanted.dec))
    assert off.max() < 1e-6 * fastest * u.mas
    assert np.allclose(got.pm_dec[:-2], wanted.pm_dec.to_value("mas/yr")[:-2], atol=1e-5 * fastest)
    assert ((got.ra >= 0) & (got.ra < 360)).all()
    assert (got.ref_epoch == epoch).all()


def test_there_and_back(make_sources):
    sources = stars(make_sources, 100.0)
    back = propagate(propagate(sources, 2050.0), 2016.0)
    # Two transformations with radial velocity 0 differ from none in third order of the motion.
    assert np.allclose(back.ra, sources.ra, atol=1e-9)
    assert np.allclose(back.dec, sources.dec, atol=1e-9)


def test_unknown_motion_stays_where_it_is(make_sources):
    sources = make_sources(
        [10.0, 20.0], [1.0, 2.0], pm_ra=[np.nan, 5.0], pm_dec=[3.0, 5.0], ra_err=[1.0, 1.0]
    )
    got = propagate(sources, 2027.0)
    assert (got.ra[0], got.dec[0], got.ref_epoch[0]) == (10.0, 1.0, 2016.0)
    assert np.isnan(got.pm_ra[0])
    assert got.pm_dec[0] == 3.0
    assert got.ref_epoch[1] == 2027.0


def test_errors_grow(make_sources):
    got = propagate(stars(make_sources, 10.0), 2026.0)
    assert np.allclose(got.ra_err, np.hypot(0.3, 1.0))
    assert np.allclose(got.dec_err, 0.4)
