"""Galaxies are drawn as GalSim draws them, at any place and of any shape."""

import galsim
import numpy as np
import pytest

from loaders.injection.light import expected_light
from loaders.injection.sersic import TRUNCATION, radial_table
from loaders.photometry.parallel import Workers
from tests.loaders.injection.scenes import galaxies_at, moffat, stars_at, view

#: sersic_n, half-light radius (arcsec), axis ratio, position angle (deg).
PROFILES = [
    (0.5, 0.3, 1.0, 0.0),
    (1.0, 0.3, 0.5, 30.0),
    (2.53, 0.2, 0.3, 120.0),
    (4.0, 0.4, 0.7, 75.0),
    (6.1, 0.15, 0.9, 10.0),
]


def light(seen, sources, error=1e-6):
    with Workers(1) as workers:
        return expected_light(seen, sources, error, workers)


def galsim_image(seen, x, y, profile, shape):
    """The same galaxy by GalSim: sheared on the sky, taken to pixels, seen through the PSF and the pixels."""
    sersic_n, radius, axis_ratio, angle = profile
    round_one = galsim.Sersic(sersic_n, half_light_radius=radius, trunc=TRUNCATION * radius)
    # Angles of shear run from east (x) to north (y), position angles from north to east.
    on_sky = round_one.shear(q=axis_ratio, beta=(90 - angle) * galsim.degrees)
    jacobian = seen.projection.jacobian(np.array([x]), np.array([y]))[0]
    in_pixels = on_sky.transform(*np.linalg.inv(jacobian).ravel()).withFlux(1.0)
    ny, nx = shape
    offset = (x - (nx - 1) / 2, y - (ny - 1) / 2)
    image = galsim.Convolve(in_pixels, moffat()).drawImage(nx=nx, ny=ny, scale=1, offset=offset, dtype=float)
    return image.array


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("place", [(80.3, 74.9), (91.5, 60.0)])
def test_a_galaxy_is_that_of_galsim(profile, place):
    seen = view()
    found = light(seen, galaxies_at(seen, *place, 1.0, profile))
    expected = galsim_image(seen, *place, profile, found.shape)
    assert np.abs(found - expected).max() < 1e-3 * expected.max()
    # The PSF is cut at 24 pixels, beyond which GalSim's goes on.
    assert found.sum() == pytest.approx(1.0, abs=5e-3)


@pytest.mark.parametrize("sersic_n", [0.3, 0.47, 1.0, 2.2, 4.0, 5.9])
def test_transforms_are_those_of_galsim(sersic_n):
    profile = galsim.Sersic(sersic_n, half_light_radius=1, trunc=TRUNCATION)
    kappa = np.array([0.0, 0.5, 2.0, 7.0, 20.0])
    found = radial_table().at(sersic_n)[np.rint(kappa / 0.05).astype(int)]
    np.testing.assert_allclose(found, [profile.kValue(k, 0).real for k in kappa], atol=2e-4)


def test_a_tiny_galaxy_is_a_star():
    seen = view()
    star = light(seen, stars_at(seen, 70.2, 50.7, 1.0))
    galaxy = light(seen, galaxies_at(seen, 70.2, 50.7, 1.0, (1.0, 0.001, 1.0, 0.0)))
    assert np.abs(star - galaxy).max() < 2e-4 * star.max()


def test_a_large_galaxy_keeps_its_light_and_its_width():
    """One that is convolved with the whole PSF: half of its light is within its half-light radius."""
    seen = view((400, 400))
    found = light(seen, galaxies_at(seen, 200.0, 199.0, 1.0, (1.0, 2.0, 1.0, 0.0)))
    assert found.sum() == pytest.approx(1.0, abs=6e-3)
    rows, columns = np.indices(found.shape)
    within = np.hypot(columns - 200.0, rows - 199.0) < 2.0 / np.sqrt(abs(np.linalg.det(
        seen.projection.jacobian(np.array([200.0]), np.array([199.0]))[0])))  # fmt: skip
    assert found[within].sum() == pytest.approx(0.5, abs=0.01)


def test_a_galaxy_at_the_edge_is_cut_and_not_wrapped():
    seen = view()
    whole = light(seen, galaxies_at(seen, 90.0, 80.0, 1.0, (1.0, 0.3, 0.5, 30.0)))
    cut = light(seen, galaxies_at(seen, -0.0, 80.0, 1.0, (1.0, 0.3, 0.5, 30.0)))
    np.testing.assert_allclose(cut[60:100, :60], whole[60:100, 90:150], atol=2e-4 * whole.max())
    assert cut[:, 90:].max() < 1e-4 * whole.max()


def test_position_angles_run_from_north_through_east():
    """Two ends of an edge-on galaxy, by the positions of pixels on the sky."""
    seen = view()
    found = light(seen, galaxies_at(seen, 90.0, 80.0, 1.0, (1.0, 0.6, 0.1, 40.0)))
    rows, columns = np.nonzero(found > 0.2 * found.max())
    ra, dec = seen.projection.to_sky(columns.astype(float), rows.astype(float))
    centre = seen.projection.to_sky(np.array([90.0]), np.array([80.0]))
    east, north = (ra - centre[0]) * np.cos(np.radians(dec)), dec - centre[1]
    along = np.linalg.svd(np.stack([east, north]))[0][:, 0]
    assert np.degrees(np.arctan2(along[0], along[1])) % 180 == pytest.approx(40.0, abs=2.0)
