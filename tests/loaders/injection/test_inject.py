"""Added light: where it is, how much it is, how it scatters, and what it saturates."""

from dataclasses import replace

import numpy as np
import pytest
from roman_datamodels.dqflags import pixel as dq_flag

from loaders.injection.inject import Measurement, inject
from loaders.injection.light import expected_light
from loaders.injection.pixels import Noise, add_light, noise_per_rate
from loaders.injection.saturation import FULL_WELL, limit_of_image, saturation_of
from loaders.injection.sources import ArtificialSources
from loaders.photometry.fit import photometer
from loaders.photometry.image import PixelImage, StarList
from loaders.photometry.parallel import Workers
from loaders.rejection import Rejected
from loaders.simulation.parameters import default_parameters
from loaders.simulation.ramp import ramp_noise
from tests.loaders.injection.scenes import (
    PER_RATE,
    READ,
    SKY,
    dark_sky,
    galaxies_at,
    moffat,
    psf,
    stars_at,
    view,
)

SATURATED, JUMP, DO_NOT_USE = (
    int(getattr(dq_flag, name).value) for name in ("SATURATED", "JUMP_DET", "DO_NOT_USE")
)


@pytest.fixture(scope="module")
def reads():
    return default_parameters().survey.ma_table("SIM_66_6")


@pytest.mark.parametrize("place", [(80.0, 75.0), (91.37, 60.81)])
def test_a_star_is_that_of_galsim(place):
    seen = view()
    with Workers(1) as workers:
        found = expected_light(seen, stars_at(seen, *place, 100.0), 1e-6, workers)
    ny, nx = found.shape
    offset = place[0] - (nx - 1) / 2, place[1] - (ny - 1) / 2
    image = moffat().drawImage(nx=nx, ny=ny, scale=1, offset=offset, dtype=float).array * 100
    near = np.hypot(*(np.indices(found.shape)[::-1] - np.array(place)[:, None, None])) < 20
    assert np.abs(found - image)[near].max() < 6e-4 * image.max()
    assert found.sum() == pytest.approx(100.0, rel=5e-3)


def test_a_variable_star_has_its_factor_in_each_image():
    seen = view()
    stars = stars_at(seen, [40.0, 120.0], [40.0, 120.0], [100.0, 100.0])
    with Workers(1) as workers:
        found = expected_light(seen, stars, 1e-6, workers, np.array([1.0, 2.5]))
    assert found[80:, 90:].sum() / found[:80, :90].sum() == pytest.approx(2.5, rel=1e-3)


def test_the_noise_of_an_electron_is_read_off_the_image():
    seen = view()
    sky = dark_sky()
    inject(sky, seen, stars_at(seen, *np.random.default_rng(2).uniform(10, 150, (2, 60)), np.full(60, 900.0)),
           Measurement(seed=4))  # fmt: skip
    assert noise_per_rate(sky) == pytest.approx(PER_RATE, rel=0.01)
    subtracted = replace(sky, data=sky.data - np.float32(SKY))
    assert noise_per_rate(subtracted) == pytest.approx(PER_RATE, rel=0.01)


def test_an_empty_sky_gives_the_noise_of_an_electron_too():
    assert noise_per_rate(dark_sky()) == pytest.approx(PER_RATE, rel=0.02)


def test_photons_scatter_as_their_number():
    """Mean and variance of what is added are those of a Poisson distribution, bright and faint."""
    for rate in (0.0005, 0.02, 0.5, 40.0):
        sky = dark_sky((400, 500), half=False)
        before = sky.data.astype(float)
        light = np.full(sky.data.shape, rate, np.float32)
        with Workers(2) as workers:
            add_light(sky, light, Noise(PER_RATE, None, 3), workers)
        photons = (sky.data - before) / PER_RATE
        mean = rate / PER_RATE
        assert photons.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / photons.size))
        # The variance of the variance of a Poisson number is (mean + 2 mean^2) / n.
        error = np.sqrt((mean + 2 * mean**2) / photons.size)
        assert photons.var() == pytest.approx(mean, abs=5 * error + 1e-6)


def test_errors_follow_the_photons():
    sky = dark_sky(half=False)
    before, err2 = sky.data.astype(float), sky.err.astype(float) ** 2
    with Workers(1) as workers:
        add_light(sky, np.full(sky.data.shape, 5.0, np.float32), Noise(PER_RATE, None, 3), workers)
    added = sky.data - before
    np.testing.assert_allclose(sky.err.astype(float) ** 2 - err2, added * PER_RATE, rtol=1e-4)
    np.testing.assert_allclose(sky.var_poisson + READ, sky.err.astype(float) ** 2, rtol=1e-5)


def test_the_result_does_not_depend_on_threads():
    seen = view()
    found = []
    for threads in (1, 2):
        sky = dark_sky()
        inject(sky, seen, stars_at(seen, [60.0], [50.0], [3000.0]), Measurement(seed=9, threads=threads))
        found.append(sky)
    for name in ("data", "err", "var_poisson"):
        np.testing.assert_array_equal(getattr(found[0], name), getattr(found[1], name))


def test_pixels_without_a_measurement_and_flags_stay():
    seen, sky = view(), dark_sky()
    sky.data[50, 60], sky.err[51, 60], sky.dq[50, 61] = np.nan, 0, JUMP
    kept = float(sky.data[51, 60])
    inject(sky, seen, stars_at(seen, 60.0, 50.0, 5000.0), Measurement(seed=1))
    assert np.isnan(sky.data[50, 60])
    assert (float(sky.data[51, 60]), float(sky.err[51, 60])) == (kept, 0.0)
    assert sky.dq[50, 61] & JUMP
    assert sky.data[50, 61] > 100


def test_nothing_is_added_by_a_source_without_flux():
    seen, sky = view(), dark_sky()
    before = sky.data.copy()
    inject(sky, seen, stars_at(seen, 60.0, 50.0, 0.0), Measurement(seed=1))
    np.testing.assert_array_equal(sky.data, before)


def test_what_saturates_is_flagged(reads):
    """By the full well, where the image shows no saturated pixel; a pixel is as noisy as its shorter ramp."""
    seen, sky = view(), dark_sky()
    electron = PER_RATE / ramp_noise(reads).poisson[2, -1]
    limit = FULL_WELL * electron / reads.exposure_time
    light = inject(sky, seen, stars_at(seen, 60.3, 50.2, 100 * limit), Measurement(reads, 5))
    total = light + SKY
    flagged = (sky.dq & SATURATED) != 0
    clear = np.abs(total / limit - 1) > 0.01
    np.testing.assert_array_equal(flagged[clear], (total > limit)[clear])
    # What fills in the first two resultants has no slope.
    second = limit * reads.read_pattern[-1][-1] / reads.read_pattern[1][-1]
    lost = (sky.dq & DO_NOT_USE) != 0
    assert lost.any()
    assert (total[lost] > 0.99 * second).all()
    assert not sky.data[lost].any()
    assert not sky.err[lost].any()
    shorter = flagged & ~lost
    assert (sky.err[shorter].astype(float) ** 2 > 1.02 * sky.data[shorter] * PER_RATE).all()


def test_a_saturated_pixel_scatters_by_its_error(reads):
    """Pulls of many pixels that saturate after half of the exposure have unit variance."""
    sky = dark_sky((300, 400), half=False)
    limit = 100.0
    light = np.full(sky.data.shape, 150.0, np.float32)
    with Workers(1) as workers:
        add_light(sky, light, Noise(PER_RATE, saturation_of(reads, limit), 3), workers)
    assert ((sky.dq & SATURATED) != 0).all()
    pull = (sky.data - SKY - 150.0) / sky.err
    assert pull.mean() == pytest.approx(0, abs=0.02)
    assert pull.std() == pytest.approx(1, abs=0.02)
    assert (sky.err**2).mean() > 1.1 * 152 * PER_RATE


def test_the_limit_is_read_off_saturated_pixels(reads):
    rates = np.random.default_rng(1).pareto(1.0, 2000) * 90 + 90
    assert limit_of_image(rates, reads, PER_RATE) == pytest.approx(90, rel=0.06)


def test_photometry_of_injected_stars_is_unbiased():
    """Fluxes by the fit of all stars, with pulls of unit variance."""
    seen, rng = view((300, 300)), np.random.default_rng(8)
    x, y = (axis.ravel() + rng.uniform(-0.5, 0.5, 144) for axis in np.meshgrid(*[np.arange(20, 290, 23)] * 2))
    flux = rng.uniform(20, 400, x.size)
    pulls, ratios = [], []
    for seed in range(4):
        sky = dark_sky((300, 300), seed=seed)
        inject(sky, seen, stars_at(seen, x, y, flux), Measurement(seed=seed))
        usable = np.ones(sky.data.shape, bool)
        image = PixelImage.from_calibrated(sky.data, sky.err, sky.var_poisson, usable)
        found = photometer(image, StarList(x, y), psf())
        pulls.append((found.flux - flux) / found.flux_err)
        ratios.append(found.flux.sum() / flux.sum())
    pulls = np.concatenate(pulls)
    assert pulls.mean() == pytest.approx(0, abs=4 / np.sqrt(pulls.size))
    assert pulls.std() == pytest.approx(1, abs=0.1)
    assert np.mean(ratios) == pytest.approx(1, abs=3e-3)


def test_galaxies_bring_their_flux_through_the_noise():
    seen, sky = view(), dark_sky()
    before = sky.data.astype(float)
    inject(sky, seen, galaxies_at(seen, 90.0, 80.0, 5e4, (2.0, 0.3, 0.5, 30.0)), Measurement(seed=1))
    assert (sky.data - before).sum() == pytest.approx(5e4, rel=6e-3)


def test_a_mosaic_has_no_flags(reads):
    seen, sky = view(), replace(dark_sky(half=False), dq=None)
    inject(sky, seen, stars_at(seen, 60.0, 50.0, 1e6), Measurement(reads, 1))
    assert sky.data.max() > 1e5


def test_an_image_without_a_usable_pixel_is_refused():
    seen, sky = view(), dark_sky()
    sky.err[:] = 0
    with pytest.raises(Rejected, match="no pixel has a rate and an error") as refused:
        inject(sky, seen, stars_at(seen, 60.0, 50.0, 1.0), Measurement())
    assert refused.value.code == "no_usable_pixels"


def test_an_image_without_photon_noise_is_refused():
    seen, sky = view(), dark_sky()
    sky.var_poisson[:] = 0
    with pytest.raises(Rejected, match="var_poisson does not grow") as refused:
        inject(sky, seen, stars_at(seen, 60.0, 50.0, 1.0), Measurement())
    assert refused.value.code == "no_photon_noise"


def test_sources_that_are_elsewhere_are_refused():
    elsewhere = ArtificialSources.stars(np.array([10.0]), np.array([10.0]), np.array([1.0]))
    with pytest.raises(Rejected, match="none of 1 sources lies on it"):
        inject(dark_sky(), view(), elsewhere, Measurement())


def test_a_star_off_the_image_shines_in():
    seen, sky = view(), dark_sky()
    light = inject(sky, seen, stars_at(seen, [60.0, -5.0], [50.0, 50.0], [1.0, 1e5]), Measurement(seed=1))
    assert light[50, 0] > 10


def test_arrays_of_different_shapes_are_refused():
    sky = dark_sky()
    with pytest.raises(ValueError, match="one shape"):
        replace(sky, err=sky.err[1:])
