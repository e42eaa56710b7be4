"""The image of a season against that of all exposures at once, and what is left out of it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from loaders.detection.image_search import options_for, search_image
from loaders.detection.layer import Layer
from loaders.photometry.fit import photometer
from loaders.photometry.image import PixelImage, StarList
from loaders.photometry.noise import NoiseModel
from loaders.photometry.options import FitOptions
from loaders.reference.build import build_reference
from loaders.reference.frame import ReferenceFrame
from loaders.reference.product import StoredReference
from loaders.rejection import Rejected
from loaders.season_reference.build import SpanImage, build_season
from tests.loaders.reference.scenes import ONE_THREAD, PIXEL, SIDE, Sky, dithers, expected, psf_of, stars

FRAME = ReferenceFrame(268.0, -29.2, PIXEL / 2 * np.diag([-1.0, 1.0]), (2 * SIDE + 16, 2 * SIDE + 16), 2)
N_SPAN, N_EXPOSURE = 4, 40


def references(sky, n_span=N_SPAN, seed=5, change=lambda span, one: one):
    """Images of spans on one frame, and that of all of their exposures at once."""
    spans = [dithers(N_EXPOSURE, seed + span) for span in range(n_span)]
    exposures = [
        [sky.exposure(change(span, one), 1000 * seed + 100 * span + k) for k, one in enumerate(pointings)]
        for span, pointings in enumerate(spans)
    ]
    made = [build_reference(some.__getitem__, len(some), FRAME, ONE_THREAD) for some in exposures]
    every = [one for some in exposures for one in some]
    return made, build_reference(every.__getitem__, len(every), FRAME, ONE_THREAD)


def span_image(reference, frame=None):
    stored = StoredReference(
        frame or reference.frame, reference.image, reference.coefficient, psf_of(reference)
    )
    return SpanImage(stored, np.minimum(np.rint(reference.coverage), 255).astype(np.uint8))


def season_of(spans, tmp_path):
    return build_season(spans.__getitem__, len(spans), tmp_path)


def sigmas(image):
    return np.sqrt(image.noise.variance(image.data))


@pytest.fixture(scope="module")
def sky():
    return stars(0.015)


@pytest.fixture(scope="module")
def made(sky):
    return references(sky)


def inner(reference, n_exposure):
    return reference.coverage > 0.9 * n_exposure


@pytest.mark.heavy
def test_it_is_the_image_of_all_exposures_at_once(sky, made, tmp_path):
    spans, whole = made
    season = season_of([span_image(one) for one in spans], tmp_path)
    found = season.reference
    where = inner(whole, N_SPAN * N_EXPOSURE)
    assert where.sum() > 2000
    change = ((found.image.data - whole.image.data) / sigmas(whole.image))[where]
    # Each span is solved with a quarter of the exposures: that costs some per cent of the noise.
    assert np.std(change) < 0.35
    assert abs(np.median(change)) < 0.1
    # Noise is known from draws, which are others in each image.
    ratio = (sigmas(found.image) / sigmas(whole.image))[where]
    assert np.median(ratio) == pytest.approx(1, abs=0.05)
    assert np.std(ratio) < 0.1
    np.testing.assert_allclose(found.coverage[where], whole.coverage[where], rtol=0.02)
    truth = expected(sky, FRAME)
    error = ((found.image.data - truth) / sigmas(found.image))[where]
    assert np.std(error) == pytest.approx(1, abs=0.1)
    assert sum(part.weight for part in season.parts) == pytest.approx(1)
    assert list(tmp_path.iterdir()) == []


def test_fluxes_are_the_truth_to_the_error_of_all_exposures(sky, made, tmp_path):
    spans, whole = made
    season = season_of([span_image(one) for one in spans], tmp_path)
    x, y = sky.in_frame(season.reference.frame)
    found = photometer(season.reference.image, StarList(x, y, sky.flux), season.psf, FitOptions(threads=1))
    row, column = (np.clip(np.rint(at).astype(int), 0, FRAME.shape[0] - 1) for at in (y, x))
    good = inner(whole, N_SPAN * N_EXPOSURE)[row, column] & (np.hypot(row - y, column - x) < 1)
    assert good.sum() > 10
    pull = ((found.flux - sky.flux) / found.flux_err)[good]
    assert np.sqrt(np.mean(pull**2)) == pytest.approx(1, abs=0.35)
    single = photometer(spans[0].image, StarList(x, y, sky.flux), psf_of(spans[0]), FitOptions(threads=1))
    deeper = np.median((single.flux_err / found.flux_err)[good])
    assert deeper == pytest.approx(np.sqrt(N_SPAN), rel=0.05)


@pytest.mark.heavy
def test_it_shows_stars_that_are_too_faint_for_an_image_of_a_span(tmp_path):
    """Stars alone, four standard deviations above the noise of a span: eight above that of four."""
    grid = np.stack(np.meshgrid(*[np.arange(6.0, 43.0, 9.0)] * 2)).reshape(2, -1)
    x, y = grid + np.random.default_rng(3).uniform(-1, 1, grid.shape)
    faint, found = np.full(x.size, 0.42), []
    # Bright ones by which the spans are laid on one another.
    corner = np.array([1.0, 46.0, 1.0, 46.0]), np.array([1.0, 1.0, 46.0, 46.0])
    sky = Sky(np.append(x, corner[0]), np.append(y, corner[1]), np.append(faint, np.full(4, 60.0)))
    spans, _ = references(sky)
    season = season_of([span_image(one) for one in spans], tmp_path)
    nothing = np.empty(0), np.empty(0), np.empty(0)
    options = options_for(psf_was_measured=True, oversampling=2)
    u, v = (at[: x.size] for at in sky.in_frame(FRAME))
    for image, psf in ((spans[0].image, psf_of(spans[0])), (season.reference.image, season.psf)):
        seen, _ = search_image(Layer(image, psf), options, nothing, lambda *_: None)
        distance, _ = cKDTree(np.column_stack([seen.x, seen.y])).query(np.column_stack([u, v]))
        found.append((float(np.mean(distance < 1.0)), seen.x.size))
    assert found[1][0] > 0.9
    assert found[0][0] < 0.5
    assert found[1][1] <= sky.x.size + 2


@pytest.mark.heavy
def test_light_sky_and_place_of_each_are_matched(sky, tmp_path):
    """The WCSs of the third span are off by 0.1 pixels, and its light is 5 % brighter."""
    spans, _ = references(
        sky, change=lambda span, one: replace(one, error=(0.1, -0.05)) if span == 2 else one
    )
    stored = [span_image(one) for one in spans]
    third = stored[2].stored
    brighter = replace(third.image, data=(1.05 * third.image.data + 0.4).astype(np.float32))
    stored[2] = replace(stored[2], stored=replace(third, image=brighter))
    season = season_of(stored, tmp_path)
    matches = [part.match for part in season.parts]
    others = [matches[k] for k in (0, 1, 3)]
    assert matches[2].scale / np.mean([one.scale for one in others]) == pytest.approx(1.05, abs=0.005)
    assert matches[2].sky - np.mean([one.sky for one in others]) == pytest.approx(0.4, abs=0.05)
    moved = matches[2].by.shift - np.mean([one.by.shift for one in others], axis=0)
    np.testing.assert_allclose(moved, [0.2, -0.1], atol=0.03)
    # What the WCSs of a span in four say of the sky moves the frame by a quarter of it.
    x, y = FRAME.projection.to_pixel(
        np.array([season.reference.frame.ra]), np.array([season.reference.frame.dec])
    )
    np.testing.assert_allclose([x[0] - FRAME.middle[0], y[0] - FRAME.middle[1]], [0.05, -0.025], atol=0.02)


def test_frames_that_were_laid_on_other_stars_are_no_displacement(sky, made, tmp_path):
    """The frame of a span says that its pixels lie elsewhere, but they show the same: the frame is wrong."""
    spans, whole = made
    ra, dec = FRAME.to_sky(np.array([FRAME.middle[0] + 0.4]), np.array([FRAME.middle[1]]))
    other = replace(FRAME, ra=float(ra[0]), dec=float(dec[0]))
    season = season_of([span_image(spans[0]), *(span_image(one, other) for one in spans[1:])], tmp_path)
    assert all(np.abs(part.match.by.shift).max() < 0.05 for part in season.parts)
    where = inner(whole, N_SPAN * N_EXPOSURE)
    change = ((season.reference.image.data - whole.image.data) / sigmas(whole.image))[where]
    assert np.std(change) < 0.35


@pytest.mark.heavy
def test_what_one_span_alone_shows_is_left_out_and_what_varies_is_not(sky, tmp_path):
    spans, _ = references(sky)
    stored = [span_image(one) for one in spans]
    flare, variable = np.array([[40, 60], [75, 50]])
    patch = np.exp(-0.5 * (np.hypot(*(np.indices(FRAME.shape) - FRAME.middle[0])) / 2) ** 2)
    for k, one in enumerate(stored):
        data = one.stored.image.data.copy()
        data += (30.0 if k == 1 else 0.0) * np.roll(patch, flare - int(FRAME.middle[0]), (0, 1))
        data += (30.0 if k % 2 else 0.0) * np.roll(patch, variable - int(FRAME.middle[0]), (0, 1))
        image = replace(one.stored.image, data=data.astype(np.float32))
        stored[k] = replace(one, stored=replace(one.stored, image=image))
    season = season_of(stored, tmp_path)
    truth = expected(sky, FRAME)
    excess = season.reference.image.data - truth
    sigma = sigmas(season.reference.image)
    assert abs(excess[tuple(flare)]) < 4 * sigma[tuple(flare)]
    assert excess[tuple(variable)] == pytest.approx(15, abs=1.5)
    # Three of four are left there: their noise says so.
    whole = sigmas(season_of([span_image(one) for one in spans], tmp_path).reference.image)
    assert sigma[tuple(flare)] == pytest.approx(whole[tuple(flare)] * np.sqrt(4 / 3), rel=0.03)
    assert season.parts[1].excluded > 5 * max(season.parts[k].excluded for k in (0, 2))


def test_an_image_of_another_frame_is_left_out(made, tmp_path):
    spans, _ = made
    other = span_image(spans[1])
    far = replace(FRAME, ra=FRAME.ra + 0.01)
    smaller = ReferenceFrame(FRAME.ra, FRAME.dec, FRAME.matrix, (60, 60), 2)
    image = PixelImage(np.zeros((60, 60), np.float32), NoiseModel(1, 1), np.ones((60, 60), bool))
    some = [
        span_image(spans[0]),
        replace(other, stored=replace(other.stored, frame=far)),
        SpanImage(StoredReference(smaller, image, np.zeros((60, 60)), other.stored.psf), np.zeros((60, 60))),
        span_image(spans[3]),
    ]
    season = season_of(some, tmp_path)
    assert [part.refused.code if part.refused else None for part in season.parts] == [
        None, "other_frame", "other_frame", None,
    ]  # fmt: skip
    assert season.parts[0].weight + season.parts[3].weight == pytest.approx(1)
    assert not season.reference.is_judged
    with pytest.raises(Rejected, match="fewer than two of the 2"):
        season_of(some[:2], tmp_path)
