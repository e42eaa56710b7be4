"""Stars beyond the edge of scenes in closed form: a PSF with the wings of a Moffat profile."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from loaders.detection import search as searching
from loaders.detection.beyond import Wings, _cut, stars_beyond
from loaders.detection.layer import Layer, SearchOptions
from loaders.detection.refine import LayerFit, Refinement
from loaders.detection.search import search
from loaders.detection.significance import Residual
from loaders.photometry.image import PixelImage
from loaders.photometry.joint_fit import FRAME
from loaders.photometry.noise import NoiseModel
from loaders.photometry.psf_table import PsfTable
from loaders.psf.model import EffectivePsf
from loaders.rejection import Rejected

SHAPE, HALF, STEP = (100, 100), 30, 4
READ, POISSON = 0.01, 0.008


def profile(dx, dy):
    """Effective PSF: a narrow core and wings that fall as the third power of the distance."""
    core = np.exp(-(dx**2 + dy**2) / (2 * 0.8**2)) / (2 * np.pi * 0.8**2)
    wings = 2.2 / (2 * np.pi * 2.0**2) * (1 + (dx**2 + dy**2) / 2.0**2) ** -1.5
    return 0.7 * core + 0.1 * wings


def psf():
    offset = np.arange(-HALF * STEP, HALF * STEP + 1) / STEP
    stamp = profile(offset[None, :], offset[:, None])
    return EffectivePsf(stamp[None, None], STEP, np.array([0.0]), np.array([0.0]))


PSF = psf()


def image_of(stars, seed, mask=None):
    """Pixels with the light of stars (x, y, flux) within the reach of the PSF, sky and noise."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    mean = np.full(SHAPE, 3.0)
    for at_x, at_y, flux in stars:
        near = (np.abs(x - at_x) <= HALF) & (np.abs(y - at_y) <= HALF)
        mean += np.where(near, flux * profile(x - at_x, y - at_y), 0)
    data = mean + np.random.default_rng(seed).normal(size=SHAPE) * np.sqrt(READ + POISSON * mean)
    usable = np.ones(SHAPE, bool) if mask is None else mask
    return PixelImage(data.astype(np.float32), NoiseModel(READ, POISSON), usable)


def wings_of(stars, seed=1, error=0.0, mask=None):
    """What is left of them when nothing but the sky is modelled."""
    image = image_of(stars, seed, mask)
    weight = image.usable / image.noise.variance(image.data)
    planes = (weight * (image.data - 3.0), weight, np.zeros(SHAPE))
    residual = Residual(*(np.pad(plane, FRAME).astype(np.float32) for plane in planes))
    return Wings(residual, image.usable, PsfTable.of(PSF), (0.0, 0.0), 1, error)


def left_of(image, found):
    """Reduced chi-square of the pixels that count without sky and the light of what was found."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    light = sum(flux * profile(x - at_x, y - at_y) for at_x, at_y, flux in found.T)
    return np.mean(((image.data - 3.0 - light) ** 2 / image.noise.variance(image.data))[image.usable])


@pytest.mark.parametrize("star", [(-4.3, 50.2, 3000.0), (106.4, 20.7, 9000.0), (-3.2, -4.4, 20000.0)])
def test_the_light_of_a_bright_star_beyond_the_edge_is_explained(star):
    image = image_of([star], 1)
    assert left_of(image, np.empty((3, 0))) > 1.05
    found = stars_beyond(wings_of([star]), np.empty((3, 0)))
    assert found.shape == (3, 1)
    assert left_of(image, found) == pytest.approx(1, abs=0.05)
    # How far it is beyond the edge hardly shows, and its flux goes with that.
    assert np.abs(found[:2, 0] - star[:2]).min() < 0.4


def test_the_light_of_two_neighbours_is_explained():
    stars = [(-4.0, 40.0, 9000.0), (-5.5, 47.0, 5000.0)]
    found = stars_beyond(wings_of(stars), np.empty((3, 0)))
    assert left_of(image_of(stars, 1), found) == pytest.approx(1, abs=0.05)


def test_a_star_near_the_edge_is_not_beyond_it():
    assert stars_beyond(wings_of([(2.0, 50.0, 5000.0)]), np.empty((3, 0)), ahead=1).shape == (3, 0)


def test_noise_and_stars_too_faint_or_too_far_are_none():
    faint = [(-6.0, 50.0, 20.0), (-25.0, 50.0, 300.0)]
    for seed in range(3):
        assert stars_beyond(wings_of(faint, seed), np.empty((3, 0))).shape == (3, 0)


def test_what_the_model_has_already_is_kept_and_what_is_not_there_is_dropped():
    star = np.array([[-4.3], [50.2], [3000.0]])
    first = stars_beyond(wings_of([star[:, 0]]), np.empty((3, 0)))
    # The light of both is off the residual: of the one that is there, and of one that is not.
    without = image_of([], 1)
    weight = 1 / without.noise.variance(without.data)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    left = without.data - 3.0 - 2000 * np.where(y > 69, profile(x - 60, y - 103.5), 0)
    planes = (weight * left, weight, np.zeros(SHAPE))
    residual = Residual(*(np.pad(plane, FRAME).astype(np.float32) for plane in planes))
    known = np.column_stack([star[:, 0], [60.0, 103.5, 2000.0]])
    again = stars_beyond(Wings(residual, without.usable, PsfTable.of(PSF), (0.0, 0.0), 1, 0.0), known)
    assert first.shape == again.shape == (3, 1)
    np.testing.assert_allclose(again, star, rtol=0.05)


def test_pixels_that_are_not_seen_are_beyond_too():
    mask = np.ones(SHAPE, bool)
    mask[:, 60:] = False
    star = (64.6, 50.0, 5000.0)
    found = stars_beyond(wings_of([star], mask=mask), np.empty((3, 0)))
    image = image_of([star], 1, mask)
    assert left_of(image, np.empty((3, 0))) > 1.05
    assert left_of(image, found) == pytest.approx(1, abs=0.05)
    assert (found[0] > 60).all()


def test_an_image_that_shows_nothing_has_nothing_beyond():
    nothing = wings_of([(-4.0, 50.0, 5000.0)], mask=np.zeros(SHAPE, bool))
    assert stars_beyond(nothing, np.empty((3, 0))).shape == (3, 0)


OUTER = [(-3.5, 20.0, 20000.0), (-5.0, 70.0, 30000.0), (40.0, 104.2, 20000.0), (104.0, 55.0, 40000.0)]


@pytest.fixture(scope="module")
def lit_from_beyond():
    """Places of thirty stars, and the image of them beside four bright ones."""
    rng = np.random.default_rng(7)
    inner = [(*rng.uniform(5, 95, 2), 200.0) for _ in range(30)]
    return np.array(inner)[:, :2], Layer(image_of(inner + OUTER, 3), PSF)


def false_ones(found, places):
    """Sources that are none of the stars at the places, of which at most one is missing."""
    alone = [np.hypot(*(places - (x, y)).T).min() > 0.5 for x, y in zip(found.x, found.y, strict=True)]
    assert found.x.size - np.sum(alone) >= len(places) - 1
    return np.sum(alone)


@pytest.mark.heavy
def test_wings_of_stars_beyond_the_edge_are_no_objects(lit_from_beyond):
    places, layer = lit_from_beyond
    assert false_ones(search([layer], SHAPE), places) <= 2


@pytest.mark.heavy
def test_sources_on_the_wings_that_a_catalog_holds_are_given_up(lit_from_beyond, monkeypatch):
    places, layer = lit_from_beyond
    with monkeypatch.context() as patch:
        patch.setattr("loaders.detection.refine.stars_beyond", lambda wings, known, ahead: known)
        spoilt = search([layer], SHAPE)
    assert false_ones(spoilt, places) > 50
    found = search([layer], SHAPE, known=(spoilt.x, spoilt.y, spoilt.flux))
    assert false_ones(found, places) <= 2
    # Stars near the edges are found anew, and are known again.
    again = found.known >= 0
    assert again.sum() >= 28
    offset = np.hypot(*(found.x - spoilt.x[found.known], found.y - spoilt.y[found.known]))
    assert offset[again].max() < 0.3


@given(
    top=st.integers(-15, 15), left=st.integers(-15, 15), rows=st.integers(1, 20), columns=st.integers(1, 20)
)
def test_a_part_of_an_image_is_what_padding_with_zeros_gives(top, left, rows, columns):
    image = np.arange(1.0, 71.0, dtype=np.float32).reshape(7, 10)
    padded = np.pad(image, 40)
    expected = padded[40 + top : 40 + top + rows, 40 + left : 40 + left + columns]
    np.testing.assert_array_equal(_cut(image, (top, left, rows, columns)), expected)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", [1, 2, 4])
def test_what_is_beyond_the_pixels_that_count_is_taken_for_no_source(seed, monkeypatch):
    """Known by its wings alone it would be far too bright, and all others with it: searches were lost so."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-5, 105, (2, 400))
    flux = 10 / rng.uniform(0.003, 1, 400)
    mask = np.zeros(SHAPE, bool)
    mask[6:-6, 6:-6] = True
    brightest = []

    class Watched(Refinement):
        def improve(self, moves):
            super().improve(moves)
            brightest.append(np.abs(self.sources.flux).max(initial=0))

    monkeypatch.setattr(searching, "Refinement", Watched)
    options = SearchOptions(psf_error=0.03, halo_error=3e-5, wing_error=0.02)
    found = search([Layer(image_of(np.column_stack([x, y, flux]), seed, mask), PSF)], SHAPE, options)
    assert max(brightest) < 1.1 * flux.max()
    assert mask[np.rint(found.y).astype(int), np.rint(found.x).astype(int)].all()
    inner = np.flatnonzero((np.hypot(x - 50, y - 50) < 35) & (flux > 100))
    distance, _ = cKDTree(np.column_stack([found.x, found.y])).query(np.column_stack([x, y])[inner])
    assert np.mean(distance < 0.5) > 0.9


def test_fluxes_that_run_away_end_the_search_without_a_warning(monkeypatch):
    """As by a fault of the fit: each move makes them ten million times brighter."""

    def run_away(self, sources):
        self.fit.flux *= -1e7

    monkeypatch.setattr(LayerFit, "move", run_away)
    stars = [(30.0, 40.0, 500.0), (60.0, 52.0, 300.0)]
    with pytest.raises(Rejected, match="2 of 2 sources run away") as refused:
        search([Layer(image_of(stars, 3), PSF)], SHAPE)
    assert refused.value.code == "poor_search"
