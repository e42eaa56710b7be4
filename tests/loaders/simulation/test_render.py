from __future__ import annotations

import numpy as np
import pytest

from loaders.psf.model import EffectivePsf
from loaders.psf.render import SplinePsf
from loaders.simulation.galaxies import Galaxies, draw_stamps, galaxy_stamp
from loaders.simulation.render import Renderer, prepare

SHAPE = (70, 80)


@pytest.fixture(scope="module")
def renderer(psf: EffectivePsf) -> Renderer:
    return prepare(psf, (0, 0), (0.0, 0.0))


def _one(x: float, y: float, rate: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.array([x]), np.array([y]), np.array([rate])


@pytest.mark.parametrize("brightness", [0.5, 2.0])
def test_stars_exactly_on_a_pixel_are_whole(renderer: Renderer, psf: EffectivePsf, brightness: float) -> None:
    rate = brightness * renderer.tiers[0].limit
    image = renderer.stars(SHAPE, *_one(38.0, 33.0, rate))
    expected = rate * psf.stamps[0, 0, ::4, ::4]
    np.testing.assert_allclose(image[19:48, 24:53], expected, atol=1e-6 * rate)


@pytest.mark.parametrize("brightness", [0.5, 2.0])
def test_flux_is_conserved(renderer: Renderer, psf: EffectivePsf, brightness: float) -> None:
    rng = np.random.default_rng(1)
    rate = brightness * renderer.tiers[0].limit
    in_stamp = psf.stamps.sum() / psf.oversampling**2
    for x, y in rng.uniform(30, 40, (10, 2)):
        image = renderer.stars(SHAPE, *_one(x, y, rate))
        assert image.sum() == pytest.approx(rate * in_stamp, rel=1e-3)


def test_image_is_the_profile_at_the_exact_place(renderer: Renderer) -> None:
    galsim = pytest.importorskip("galsim")
    profile = galsim.Convolve(galsim.Moffat(beta=2.5, fwhm=1.2), galsim.Pixel(1.0))
    x, y, rate = 40.37, 33.81, 1e5
    image = renderer.stars(SHAPE, *_one(x, y, rate))
    expected = profile.shift(x - 39.5, y - 34.5).drawImage(
        nx=SHAPE[1], ny=SHAPE[0], scale=1.0, method="no_pixel", dtype=float
    )
    near = np.s_[26:42, 33:48]
    np.testing.assert_allclose(image[near], rate * expected.array[near], atol=1e-4 * rate)


def test_faint_stars_look_like_bright_ones(renderer: Renderer) -> None:
    rng = np.random.default_rng(2)
    for x, y in rng.uniform(30, 40, (10, 2)):
        faint = renderer.stars(SHAPE, *_one(x, y, 0.9 * renderer.tiers[0].limit)) / 0.9
        bright = renderer.stars(SHAPE, *_one(x, y, 1.1 * renderer.tiers[0].limit)) / 1.1
        # Half of the brightest wing pixel of such a star, 0.01 electrons/s, is far below any noise.
        np.testing.assert_allclose(faint, bright, atol=5e-3)


def test_images_add_up(renderer: Renderer) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-5, 85, (2, 40))
    rate = 10 ** rng.uniform(0, 5, 40)
    together = renderer.stars(SHAPE, x, y, rate)
    apart = sum(renderer.stars(SHAPE, x[k : k + 1], y[k : k + 1], rate[k : k + 1]) for k in range(40))
    np.testing.assert_allclose(together, apart, rtol=1e-9, atol=1e-6)


def test_stars_outside_shine_in_by_their_wings(renderer: Renderer) -> None:
    image = renderer.stars(SHAPE, *_one(-3.0, 35.0, 1e5))
    assert image[35, 0] > image[35, 5] > 0
    assert renderer.stars(SHAPE, *_one(-500.0, 35.0, 1e5)).max() == 0


def test_psf_of_the_place_is_used() -> None:
    narrow, wide = moffat_stamps(1.2), moffat_stamps(2.4)
    psf = EffectivePsf(np.stack([narrow, wide])[None], 4, np.array([1000.0, 1079.0]), np.zeros(1))
    renderer = prepare(psf, (1000, 0), (1040.0, 35.0))
    left = renderer.stars(SHAPE, *_one(0.0, 35.0, 1e5)).max()
    right = renderer.stars(SHAPE, *_one(79.0, 35.0, 1e5)).max()
    assert left == pytest.approx(1e5 * narrow.max(), rel=1e-6)
    assert right == pytest.approx(1e5 * wide.max(), rel=1e-6)


def moffat_stamps(fwhm: float) -> np.ndarray:
    offset = (np.arange(113) - 56) / 4
    square = offset**2 + offset[:, None] ** 2
    stamp = (1 + square / (fwhm / 0.9) ** 2) ** -2.5
    return stamp / stamp.sum() * 16


def _galaxy(**changes: float) -> Galaxies:
    values = {
        "ra": 0.0,
        "dec": 0.0,
        "magnitude": 20.0,
        "temperature": 5000.0,
        "sersic_n": 1.0,
        "half_light_radius": 0.6,
        "axis_ratio": 1.0,
        "position_angle": 0.0,
    } | changes
    return Galaxies(*(np.array([v]) for v in values.values()))


def _point_psf() -> EffectivePsf:
    """A PSF that is the pixel alone, so that profiles are seen nearly bare."""
    stamp = np.zeros((41, 41))
    stamp[20, 20] = 16.0
    return EffectivePsf(stamp[None, None], 4, np.zeros(1), np.zeros(1))


JACOBIAN = np.array([[-0.0934, -0.0531], [0.0554, -0.0946]])


@pytest.mark.parametrize("sersic_n", [1.0, 2.5])
def test_half_of_the_light_is_within_the_half_light_radius(sersic_n: float) -> None:
    stamp = galaxy_stamp(_galaxy(sersic_n=sersic_n), 0, _point_psf(), JACOBIAN).stamps[0, 0]
    offset = (np.arange(stamp.shape[0]) - stamp.shape[0] // 2) / 4
    x, y = np.meshgrid(offset, offset)
    east, north = (JACOBIAN @ np.stack([x.ravel(), y.ravel()])).reshape(2, *stamp.shape)
    radius = np.hypot(east, north)
    assert stamp[radius < 0.6].sum() / stamp.sum() == pytest.approx(0.5, abs=0.01)
    assert stamp.sum() / 16 == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize("angle", [0.0, 30.0, 120.0])
def test_galaxies_are_elongated_along_their_position_angle(angle: float) -> None:
    galaxy = _galaxy(axis_ratio=0.5, position_angle=angle)
    stamp = galaxy_stamp(galaxy, 0, _point_psf(), JACOBIAN).stamps[0, 0]
    offset = (np.arange(stamp.shape[0]) - stamp.shape[0] // 2) / 4
    x, y = np.meshgrid(offset, offset)
    east, north = (JACOBIAN @ np.stack([x.ravel(), y.ravel()])).reshape(2, *stamp.shape)
    ee, nn, en = ((stamp * m).sum() / stamp.sum() for m in (east**2, north**2, east * north))
    found = np.degrees(0.5 * np.arctan2(2 * en, nn - ee)) % 180
    assert (found - angle + 90) % 180 - 90 == pytest.approx(0.0, abs=0.5)
    spread = np.linalg.eigvalsh([[ee, en], [en, nn]])
    assert np.sqrt(spread[0] / spread[1]) == pytest.approx(0.5, abs=0.02)


def test_a_galaxy_in_an_image_keeps_its_flux(psf: EffectivePsf) -> None:
    stamp = galaxy_stamp(_galaxy(half_light_radius=0.3), 0, psf, JACOBIAN)
    image = np.zeros((160, 160))
    draw_stamps(image, {0: SplinePsf.of(stamp)}, (np.array([80.3]), np.array([79.8])), np.array([500.0]))
    assert image.sum() == pytest.approx(500.0 * psf.stamps.sum() / 16, rel=3e-3)
    y, x = np.indices(image.shape)
    assert (image * x).sum() / image.sum() == pytest.approx(80.3, abs=0.02)
    assert (image * y).sum() / image.sum() == pytest.approx(79.8, abs=0.02)
