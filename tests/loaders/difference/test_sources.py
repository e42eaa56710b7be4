"""What changed in a scene in closed form: found at its place, as much as it changed, and as what it is."""

from dataclasses import replace

import numpy as np
import pytest

from loaders.detection.parts import search_in_parts
from loaders.difference.exposure import compare_exposure, pixels_at
from loaders.difference.sources import DifferenceOptions, SourceClass, _classify, significance_image
from loaders.reference.frame import ReferenceFrame
from loaders.wfi.placement import fit_placement
from tests.loaders.difference.fields import (
    BORDER,
    FINE,
    MATCHING,
    SEARCHING,
    SHARP,
    field,
    image,
    noisy,
    placed,
)
from tests.loaders.photometry.scenes import gaussian_psf, star_pixels

SIGMA = 0.9
PSF = gaussian_psf(SIGMA, half_width=6, oversampling=8)
NO_CATALOG = (np.empty(0), np.empty(0))


@pytest.fixture(scope="module")
def sky():
    return field()


def on_template(sky):
    """Fine pixels of the stars."""
    return sky.x * FINE + BORDER, sky.y * FINE + BORDER


def compared(sky, data, usable=None, catalog=None):
    where = on_template(sky) if catalog is None else catalog
    return compare_exposure(image(data, usable), placed(), PSF, sky.template(), where, (MATCHING, SEARCHING))


def star(sky, x, y, flux):
    light = star_pixels((sky.side, sky.side), np.array([x]), np.array([y]), SIGMA)
    return flux * light.reshape(sky.side, sky.side)


def at(sources, x, y, radius=1.0):
    """Rows of sources within a pixel of a place."""
    return np.flatnonzero(np.hypot(sources.x - x, sources.y - y) < radius)


def empty_place(sky, seed, margin=20.0):
    """A place far from all stars."""
    rng = np.random.default_rng(seed)
    tries = rng.uniform(margin, sky.side - margin, (400, 2))
    far = [np.hypot(sky.x - x, sky.y - y).min() for x, y in tries]
    return tries[int(np.argmax(far))]


def usual_star(sky, low, high, seed=0):
    """Row of a star of some flux, in the middle and without bright neighbours."""
    inside = (np.abs(sky.x - sky.side / 2) < 50) & (np.abs(sky.y - sky.side / 2) < 50)
    rows = np.flatnonzero(inside & (sky.flux > low) & (sky.flux < high))
    near = np.hypot(sky.x[rows, None] - sky.x, sky.y[rows, None] - sky.y)
    near[near == 0] = np.inf
    return int(rows[np.argmax(near.min(axis=1))])


@pytest.mark.heavy
def test_what_appears_is_found_where_it_is_with_unbiased_flux(sky):
    """Twenty-five times with other noise, at up to four places each: none is missed."""
    rng = np.random.default_rng(5)
    flux = 40.0
    pull, radius, missed = [], [], 0
    mean = sky.mean(SIGMA)
    for seed in range(25):
        quadrants = [(50, 50), (110, 50), (50, 110), (110, 110)]
        places = [(x + rng.uniform(-8, 8), y + rng.uniform(-8, 8)) for x, y in quadrants]
        places = [p for p in places if np.hypot(sky.x - p[0], sky.y - p[1]).min() > 1.5]
        data = noisy(mean + sum(star(sky, x, y, flux) for x, y in places), seed)
        sources = compared(sky, data).sources
        for x, y in places:
            rows = at(sources, x, y)
            missed += rows.size != 1
            if rows.size == 1:
                (k,) = rows
                assert sources.kind[k] == SourceClass.NEW.value
                pull.append((sources.flux[k] - flux) / sources.flux_err[k])
                radius.append((sources.x[k] - x) / sources.x_err[k])
    assert missed == 0
    assert len(pull) > 40
    assert abs(np.mean(pull)) < 4 / np.sqrt(len(pull))
    # Photons of the new light itself are not in the error of the search.
    assert 0.9 < np.std(pull) < 1.6
    assert 0.7 < np.std(radius) < 1.5


def test_a_star_that_fades_is_a_loss_at_its_object(sky):
    row = usual_star(sky, 100, 300)
    flux = sky.flux.copy()
    flux[row] *= 0.5
    sources = compared(sky, noisy(sky.mean(SIGMA, flux=flux), 1)).sources
    (k,) = at(sources, sky.x[row], sky.y[row])
    assert sources.nearest[k] == row
    assert sources.kind[k] == SourceClass.VARIABLE.value
    assert sources.flux[k] == pytest.approx(-0.5 * sky.flux[row], rel=0.1)


@pytest.mark.parametrize("step", [0.2, pytest.param(0.5, marks=pytest.mark.heavy), 1.0])
def test_a_star_that_moved_is_a_dipole(sky, step):
    row = usual_star(sky, 300, 1500)
    x = sky.x.copy()
    x[row] += step
    sources = compared(sky, noisy(replace(sky, x=x).mean(SIGMA), 1)).sources
    rows = at(sources, sky.x[row] + 0.5, sky.y[row], 2.0)
    assert {sources.kind[k] for k in rows} == {SourceClass.DIPOLE.value}
    assert (sources.flux[rows] > 0).any()
    assert (sources.flux[rows] < 0).any()


def test_a_single_pixel_is_a_hit(sky):
    x, y = np.rint(empty_place(sky, 2)).astype(int)
    data = noisy(sky.mean(SIGMA), 1)
    data[y, x] += 60.0
    sources = compared(sky, data).sources
    (k,) = at(sources, x, y)
    assert sources.kind[k] == SourceClass.HIT.value


def test_beside_a_pixel_that_does_not_count_it_is_edge(sky):
    x, y = np.rint(empty_place(sky, 3)).astype(int)
    usable = np.ones((sky.side, sky.side), dtype=bool)
    usable[y, x + 1] = False
    data = noisy(sky.mean(SIGMA) + star(sky, x, y, 100.0), 1)
    sources = compared(sky, data, usable).sources
    (k,) = at(sources, x, y)
    assert sources.kind[k] == SourceClass.EDGE.value


@pytest.mark.heavy
def test_the_same_light_is_variable_with_an_object_and_new_without(sky):
    row = usual_star(sky, 60, 300)
    flux = sky.flux.copy()
    flux[row] *= 1.5
    data = noisy(sky.mean(SIGMA, flux=flux), 1)
    for catalog, kind in ((None, SourceClass.VARIABLE), (NO_CATALOG, SourceClass.NEW)):
        sources = compared(sky, data, catalog=catalog).sources
        (k,) = at(sources, sky.x[row], sky.y[row])
        assert sources.kind[k] == kind.value
        assert np.isnan(sources.distance[k]) == (kind is SourceClass.NEW)


@pytest.mark.heavy
def test_noise_alone_has_no_sources(sky):
    """160,000 pixels, twice as many independent places, gains and losses: 6 sigma are 0.0006 of them."""
    found = 0
    far = 0
    for seed in range(6):
        one = compared(sky, noisy(sky.mean(SIGMA), 100 + seed))
        found += one.sources.x.size
        far += int((np.abs(significance_image(one.difference)) > 5).sum())
    assert found == 0
    assert far <= 2


def test_sources_come_by_falling_significance(sky):
    x, y = empty_place(sky, 4)
    row = usual_star(sky, 100, 300)
    flux = sky.flux.copy()
    flux[row] *= 0.3
    data = noisy(sky.mean(SIGMA, flux=flux) + star(sky, x, y, 50.0), 1)
    sources = compared(sky, data).sources
    assert sources.x.size >= 2
    assert (np.diff(sources.signal_to_noise) <= 0).all()


def test_a_placement_is_inverted():
    """A turned and stretched frame with distortion."""
    plane = ReferenceFrame(10.0, 70.0, np.array([[-0.05, 0.012], [0.012, 0.056]]), (400, 300), 2)

    def bent(x, y):
        return 1.9 * x + 0.1 * y + 1e-5 * x * x + plane.oversampling, 2.1 * y - 0.2 * x + 2e-5 * x * y

    place = fit_placement(bent, (0, 0), (150, 180))
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 150, 50), rng.uniform(0, 180, 50)
    back = pixels_at(place, *bent(x, y))
    np.testing.assert_allclose(back, [x, y], atol=1e-6)
    assert pixels_at(place, np.empty(0), np.empty(0))[0].shape == (0,)


def test_widths_of_test_and_template_differ():
    """Or the kernel of these tests would be trivial."""
    assert SIGMA > SHARP


def test_a_shape_that_is_somewhat_off_is_a_hit_only_where_there_is_no_object():
    """A star that doubled stands on its own light in the template; a single pixel fits nowhere."""
    found = {
        "x": np.array([20.0, 40.0, 20.0, 40.0]),
        "y": np.array([20.0, 20.0, 40.0, 40.0]),
        "flux": np.full(4, 27.0),
        "significance": np.full(4, 27.0),
        "reduced_chi2": np.array([10.5, 10.5, 60.0, 1.0]),
    }
    nearest = np.array([7, -1, 8, -1])
    kind = _classify(np.ones((60, 60), dtype=bool), found, nearest, DifferenceOptions())
    assert kind.tolist() == ["variable", "hit", "hit", "new"]


@pytest.mark.heavy
def test_what_is_found_in_parts_is_what_is_found_in_the_whole():
    """New stars on the seams of parts and beside them: each once, as in the whole."""
    sky = field(320, seed=5)
    rng = np.random.default_rng(6)
    seams = 80.0 * np.arange(1, 4) - 0.5
    x = np.concatenate([seams, seams + 1.2, seams, rng.uniform(8, 312, 9)])
    y = np.concatenate([seams, rng.uniform(20, 300, 3), rng.uniform(20, 300, 3), rng.uniform(8, 312, 9)])
    new = (star_pixels((sky.side, sky.side), x, y, SIGMA) @ np.full(x.size, 300.0)).reshape(
        sky.side, sky.side
    )
    data = noisy(sky.mean(SIGMA) + new, 7)
    whole, parts = (
        compare_exposure(
            image(data),
            placed(),
            PSF,
            sky.template(),
            on_template(sky),
            (MATCHING, replace(SEARCHING, side=side)),
        ).sources
        for side in (1024, 80)
    )
    assert whole.x.size >= x.size - 1
    for one in (whole, parts):
        assert [at(one, *place).size >= 1 for place in zip(x, y, strict=True)].count(False) <= 1
    first, second = (np.lexsort((one.y, one.x)) for one in (whole, parts))
    assert parts.x.size == whole.x.size
    for name in ("x", "y"):
        np.testing.assert_allclose(getattr(parts, name)[second], getattr(whole, name)[first], atol=0.01)
    off = (parts.flux[second] - whole.flux[first]) / whole.flux_err[first]
    np.testing.assert_allclose(off, 0, atol=0.2)
    np.testing.assert_array_equal(parts.kind[second], whole.kind[first])
    np.testing.assert_array_equal(parts.nearest[second], whole.nearest[first])


def test_a_peak_without_a_flux_is_no_source(sky, monkeypatch):
    """Whatever the search makes of a place where too few pixels count, the sources all have their numbers."""
    x, y = empty_place(sky, 9)
    found = compared(sky, sky.mean(SIGMA) + star(sky, x, y, 500.0))

    def spoilt(*args, **kwargs):
        whole = search_in_parts(*args, **kwargs)
        flux = whole.flux.copy()
        flux[:1] = np.nan
        return replace(whole, flux=flux)

    monkeypatch.setattr("loaders.difference.sources.search_in_parts", spoilt)
    left = compared(sky, sky.mean(SIGMA) + star(sky, x, y, 500.0)).sources
    assert at(found.sources, x, y).size == 1
    assert left.x.size == found.sources.x.size - 1
    assert np.isfinite(left.flux).all()
