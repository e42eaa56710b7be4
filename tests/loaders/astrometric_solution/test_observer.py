"""Where the telescope was, and parallax factors, against astropy."""

from datetime import UTC, datetime, timedelta

import numpy as np
from astropy import units as u
from astropy.coordinates import CartesianRepresentation, SkyCoord

from loaders.astrometric_solution.observer import Ephemeris, factor_rows, observer_positions
from loaders.wfi.times import AU, observatory
from tests.loaders.astrometric_solution.sky import DEC, RA, observer_at

MJD = np.linspace(61450, 63340, 60)


def nowhere(n):
    return Ephemeris(np.full(n, np.nan), np.full((n, 3), np.nan), np.full((n, 3), np.nan))


def test_parallax_factors_are_those_of_astropy():
    """A star of a tenth of an arcsecond, seen from the place of the telescope, as vectors of astropy."""
    observer = observer_at(MJD)
    star = SkyCoord(RA * u.deg, DEC * u.deg, distance=10 * u.pc)
    seen = SkyCoord(star.cartesian - CartesianRepresentation(*observer.T, unit=u.au), frame="icrs")
    place = SkyCoord(seen.ra, seen.dec)
    east, north = SkyCoord(RA, DEC, unit="deg").spherical_offsets_to(place)
    factor = observer @ factor_rows(np.array([RA]), np.array([DEC]))[0].T
    expected = np.column_stack([east.to_value("mas"), north.to_value("mas")]) / 100
    np.testing.assert_allclose(factor, expected, atol=2e-6)


def test_without_ephemeris_the_telescope_is_at_l2():
    """Within the halo orbit of the tests of where they have it."""
    distance = np.linalg.norm(observer_positions(MJD, nowhere(MJD.size)) - observer_at(MJD), axis=1)
    assert distance.max() < 0.008
    assert distance.min() > 0.002


class Metadata:
    """What `observatory` looks at."""

    def __init__(self, time, place, velocity):
        self.ephemeris_time = time
        self.spatial_x, self.spatial_y, self.spatial_z = place
        self.velocity_x, self.velocity_y, self.velocity_z = velocity


def test_ephemerides_are_used_as_for_times_of_exposures():
    utc = 61700.3
    moment = datetime(1858, 11, 17, tzinfo=UTC) + timedelta(days=utc)
    assert moment.year == 2027
    at = np.array([61700.301, 61700.7])
    place = observer_at(np.array([utc]))[0] * AU
    velocity = (observer_at(np.array([utc, utc + 0.01]))[1] * AU - place) / 864
    ephemeris = Ephemeris(np.full(2, utc), np.tile(place, (2, 1)), np.tile(velocity, (2, 1)))
    expected = [observatory(Metadata(utc, place, velocity), float(one)) for one in at]
    assert {one.source for one in expected} == {"ephemeris"}
    found = observer_positions(at, ephemeris)
    np.testing.assert_allclose(found * AU, [one.position for one in expected], rtol=0, atol=0.1)
