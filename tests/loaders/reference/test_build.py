"""References of synthetic exposures against the closed form of what they show."""

from dataclasses import replace

import numpy as np
import pytest

from loaders.photometry.fit import photometer
from loaders.photometry.image import StarList
from loaders.photometry.options import FitOptions
from loaders.reference.build import ReferenceOptions, build_reference
from loaders.reference.frame import choose_frame
from loaders.reference.members import dithered_on
from loaders.rejection import Rejected
from tests.loaders.photometry.scenes import POISSON, READ
from tests.loaders.reference.scenes import (
    ONE_THREAD,
    SIDE,
    Pointing,
    Sky,
    build,
    dithers,
    expected,
    psf_of,
    stars,
)


def exposures_of(sky, pointings, seed=0):
    return [
        sky.exposure(pointing, None if seed is None else 1000 * seed + k)
        for k, pointing in enumerate(pointings)
    ]


def measured(reference, sky):
    """Fluxes and errors of the stars that nearly all exposures see, and which these are."""
    x, y = sky.in_frame(reference.frame)
    found = photometer(reference.image, StarList(x, y, sky.flux), psf_of(reference), FitOptions(threads=1))
    row, column = (
        np.clip(np.rint(at).astype(int), 0, length - 1)
        for at, length in zip((y, x), reference.frame.shape, strict=True)
    )
    covered = reference.coverage[row, column] > 0.9 * np.median(reference.coverage[reference.coverage > 1])
    inside = covered & (np.hypot(row - y, column - x) < 1) & np.isfinite(found.flux)
    return found.flux[inside], found.flux_err[inside], np.flatnonzero(inside)


def well_seen(reference):
    return reference.coverage > 0.9 * len(reference.members)


@pytest.mark.parametrize(
    ("oversampling", "count", "angle"),
    [(1, 20, 0), *(pytest.param(*one, marks=pytest.mark.heavy) for one in ((2, 40, 0), (2, 40, 10)))],
)
def test_without_noise_the_reference_is_the_closed_form(oversampling, count, angle):
    sky = stars()
    reference = build(exposures_of(sky, dithers(count, angle=angle), None), oversampling)
    assert all(member.refused is None for member in reference.members)
    if angle == 0:
        wanted = expected(sky, reference.frame)
        error = (reference.image.data - wanted)[well_seen(reference)]
        # Skies are relative: the level is what the medians of the exposures took for their skies.
        assert np.abs(error - np.median(error)).max() < 1.5e-3 * wanted.max()
    flux, _, rows = measured(reference, sky)
    assert rows.size > 10
    np.testing.assert_allclose(flux, sky.flux[rows], rtol=2e-3)
    assert np.median(flux / sky.flux[rows]) == pytest.approx(1, abs=2e-4)


@pytest.fixture(scope="module")
def noisy():
    """Three references of 80 exposures each, with their skies."""
    out = []
    for seed in range(1, 4):
        sky = stars(0.015, seed=seed)
        out.append((sky, build(exposures_of(sky, dithers(80, seed), seed))))
    return out


@pytest.mark.heavy
def test_fluxes_scatter_about_the_truth_as_claimed(noisy):
    pulls = []
    for sky, reference in noisy:
        flux, error, rows = measured(reference, sky)
        pulls.append((flux - sky.flux[rows]) / error)
    pulls = np.concatenate(pulls)
    assert pulls.size > 50
    assert np.std(pulls) == pytest.approx(1, abs=0.25)
    assert abs(np.mean(pulls)) < 0.4


def test_noise_of_the_empty_sky_is_white_and_as_stated():
    sky = Sky(np.array([24.0]), np.array([24.0]), np.array([300.0]))
    pointings = dithers(80)
    reference = build(exposures_of(sky, pointings))
    y, x = np.indices(reference.frame.shape)
    sx, sy = sky.in_frame(reference.frame)
    empty = well_seen(reference) & (np.hypot(x - sx, y - sy) > 16)
    sigma = np.sqrt(reference.image.noise.variance(np.zeros(reference.frame.shape)))
    pull = np.where(empty, reference.image.data / sigma, np.nan)
    pull -= np.nanmedian(pull)
    assert np.nanstd(pull) == pytest.approx(1, abs=0.05)
    for step in (1, 2):
        assert abs(np.nanmean(pull[:, step:] * pull[:, :-step])) < 0.06
        assert abs(np.nanmean(pull[step:] * pull[:-step])) < 0.06
    # From first principles: 80 exposures, four fine pixels in each of their pixels.
    level = np.mean([pointing.sky for pointing in pointings])
    assert np.median(sigma[empty]) == pytest.approx(np.sqrt((READ + POISSON * level) / 80 / 4), rel=0.05)


def test_alignment_is_found():
    sky, pointings = stars(), dithers(40, error=0.05)
    members = build(exposures_of(sky, pointings)).members
    shift, error = (np.array([getattr(m, name) for m in members]) for name in ("shift", "shift_err"))
    assert np.abs(shift.mean(axis=0)).max() < 1e-12
    true = -2 * np.array([pointing.error for pointing in pointings])
    pull = (shift - (true - true.mean(axis=0))) / error
    assert np.std(pull) < 4
    assert np.std(shift - (true - true.mean(axis=0))) < 0.15 * np.std(true)


def test_sky_and_scale_are_found():
    pointings = [replace(one, scale=1 + 0.02 * np.sin(k)) for k, one in enumerate(dithers(40))]
    members = build(exposures_of(stars(), pointings)).members
    scale = np.array([m.scale for m in members])
    assert scale.mean() == pytest.approx(1, abs=1e-6)
    wanted = np.array([pointing.scale for pointing in pointings])
    # Exposures of one pixel phase decide the fine pixels of that phase: part of what they share is not told
    # from the scene.
    assert np.std(scale - wanted / wanted.mean()) < 0.5 * np.std(wanted)
    assert np.corrcoef(scale, wanted)[0, 1] > 0.85
    found = np.array([m.sky for m in members]) - [pointing.sky for pointing in pointings]
    assert np.std(found) < 0.01


@pytest.mark.heavy
def test_the_brightest_star_of_all_does_not_decide_the_scale_by_varying():
    """It has as much light as all others; what all stars do, and it does not, is found all the same."""
    sky = stars(0.03)
    star = int(np.argmin(np.hypot(sky.x - 24, sky.y - 24)))
    exposures = []
    for k, pointing in enumerate(dithers(40)):
        flux = sky.flux.copy()
        flux[star] = flux.sum() * (2.5 if k < 5 else 1.0)
        exposures.append(sky.exposure(pointing, k, flux * (1.4 if k == 20 else 1.0)))
    members = build(exposures).members
    refused = [k for k, member in enumerate(members) if member.refused is not None]
    assert refused == [20]
    scale = np.array([members[k].scale for k in range(40) if k != 20])
    assert np.abs(scale - 1).max() < 0.05


def test_without_misalignment_shifts_scatter_as_their_errors_say():
    members = build(exposures_of(stars(), dithers(40))).members
    pull = np.array([m.shift for m in members]) / np.array([m.shift_err for m in members])
    assert np.std(pull) == pytest.approx(1, abs=0.3)


def test_stars_that_vary_do_not_move_exposures():
    """One bright star in six by 30 %: what that leaves is not taken for a shift, nor for another scale."""
    sky, rng = stars(0.03), np.random.default_rng(4)
    varying = np.argsort(-sky.flux)[:60:6]
    exposures = []
    for k, pointing in enumerate(dithers(12)):
        flux = sky.flux.copy()
        flux[varying] *= 1 + 0.3 * np.sin(rng.uniform(0, 2 * np.pi, varying.size))
        exposures.append(sky.exposure(pointing, k, flux))
    members = build(exposures).members
    pull = np.array([m.shift for m in members]) / np.array([m.shift_err for m in members])
    assert np.std(pull) < 2
    assert np.std([m.scale for m in members]) < 0.01


def test_hits_and_a_trail_do_not_show():
    sky, pointings = stars(), dithers(40)
    clean = build(exposures_of(sky, pointings))
    spoilt = exposures_of(sky, pointings)
    rng = np.random.default_rng(9)
    for one in spoilt:
        row, column = rng.integers(0, SIDE, (2, 4))
        one.image.data[row, column] += rng.uniform(3, 60, 4)
    along = np.arange(1, SIDE)
    spoilt[3].image.data[along, along] += 20
    spoilt[3].image.data[along, along - 1] += 20
    reference = build(spoilt)
    assert all(member.refused is None for member in reference.members)
    assert 0.03 < reference.members[3].rejected < 0.06
    seen = well_seen(clean) & well_seen(reference)
    change = (reference.image.data - clean.image.data)[seen]
    sigma = np.sqrt(clean.image.noise.variance(clean.image.data))[seen]
    # A pixel less of 40 is a change by noise.
    assert np.std(change / sigma) < 0.35
    assert np.abs(change / sigma).max() < 4
    flux, error, rows = measured(reference, sky)
    before, _, same = measured(clean, sky)
    common, a, b = np.intersect1d(rows, same, return_indices=True)
    assert common.size > 10
    assert np.abs((flux[a] - before[b]) / error[a]).max() < 3


@pytest.mark.heavy
def test_a_trail_as_bright_as_the_brightest_stars_costs_no_other_exposure():
    """In the first mean of all it is brighter than the stars; what lacks it is not what is wrong."""
    spoilt = exposures_of(stars(), dithers(24))
    along = np.arange(1, SIDE)
    for beside in (0, 1):
        spoilt[3].image.data[along, along - beside] += 2000
    reference = build(spoilt)
    assert [k for k, member in enumerate(reference.members) if member.refused and k != 3] == []


@pytest.mark.parametrize(
    ("factor", "share"),
    [
        (3.0, 0.5),
        (0.1, 0.5),
        *(pytest.param(*one, marks=pytest.mark.heavy) for one in ((3.0, 0.1), (1.3, 0.5))),
    ],
)
def test_a_variable_star_stays_a_star(factor, share):
    sky = stars(0.03)
    star = int(np.argmin(np.hypot(sky.x - 24, sky.y - 24)))
    pointings = dithers(40)
    exposures = []
    for k, pointing in enumerate(pointings):
        flux = sky.flux.copy()
        flux[star] = 300 * (factor if k < 40 * share else 1)
        exposures.append(sky.exposure(pointing, k, flux))
    reference = build(exposures)
    assert all(member.refused is None for member in reference.members)
    x, y = sky.in_frame(reference.frame)
    found = photometer(reference.image, StarList(x, y, sky.flux), psf_of(reference), FitOptions(threads=1))
    low, high = sorted((300.0, 300.0 * factor))
    assert 0.98 * low < found.flux[star] < 1.02 * high
    row, column = round(y[star]), round(x[star])
    assert reference.image.usable[row - 2 : row + 3, column - 2 : column + 3].all()
    others = np.hypot(sky.x - 24, sky.y - 24) < 18
    others[star] = False
    assert others.sum() > 5
    np.testing.assert_allclose(found.flux[others], sky.flux[others], rtol=0.05)


@pytest.mark.parametrize(
    "error",
    [
        (1.0, 0.0),
        (300.0, 0.0),
        *(pytest.param(one, marks=pytest.mark.heavy) for one in ((1.0, 1.0), (20.0, 0.0), (60.0, 0.0))),
    ],
)
def test_an_exposure_with_a_wrong_wcs_is_left_out_and_harms_no_other(error):
    sky, pointings = stars(), dithers(20)
    pointings[3] = replace(pointings[3], error=error)
    members = build(exposures_of(sky, pointings)).members
    assert members[3].refused
    for k, member in enumerate(members):
        assert k == 3 or member.refused is None
        assert k == 3 or np.abs(member.shift).max() < 0.03


@pytest.mark.heavy
def test_exposures_that_have_nothing_in_common_are_all_refused():
    pointings = [replace(one, error=(100.0 * k, 0.0)) for k, one in enumerate(dithers(8))]
    with pytest.raises(Rejected, match="no exposure overlaps another") as refused:
        build(exposures_of(stars(), pointings))
    assert refused.value.code == "no_exposure"


def test_a_frame_elsewhere_has_no_exposure():
    here = exposures_of(stars(), dithers(3))
    there = Sky(*np.ones((3, 1)), ra=10.0, dec=5.0).exposure(Pointing(0, 0))
    with pytest.raises(Rejected, match="it does not lie in the frame"):
        build_reference(here.__getitem__, 3, choose_frame([there.projection], 2))


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("oversampling", [1, 2])
def test_few_exposures_without_dither_still_give_an_image(count, oversampling):
    sky = Sky(np.array([23.7]), np.array([24.2]), np.array([500.0]))
    reference = build(exposures_of(sky, [Pointing(0, 0)] * count), oversampling)
    assert np.isfinite(reference.image.data).all()
    assert all(member.refused is None for member in reference.members)
    x, y = (round(float(at[0])) for at in sky.in_frame(reference.frame))
    reach = 5 * oversampling
    light = reference.image.data[y - reach : y + reach + 1, x - reach : x + reach + 1].sum()
    assert light == pytest.approx(500, rel=0.02)


@pytest.mark.parametrize("extent", [0.0, 0.7, 1.3])
def test_without_dithers_the_reference_is_the_mean_of_the_pixels(extent):
    """Whatever the size of the frame: an exposure shifted by a pixel or so makes it odd or even."""
    exposures = exposures_of(stars(), [Pointing(0.3, -0.2)] * 12)
    larger = exposures_of(stars(), [Pointing(0.3 + extent, -0.2 + extent)])
    frame = choose_frame([one.projection for one in exposures + larger], 1)
    reference = build_reference(exposures.__getitem__, len(exposures), frame, ONE_THREAD)
    assert all(member.refused is None for member in reference.members)
    mean = np.mean([one.image.data for one in exposures], axis=0)
    corner = frame.projection.to_pixel(*exposures[0].projection.to_sky(np.zeros(1), np.zeros(1)))
    u, v = (int(np.rint(at[0])) for at in corner)
    left = (mean - reference.image.data[v : v + SIDE, u : u + SIDE])[3:-3, 3:-3]
    assert np.std(left) < 0.03 * np.std(mean)


def test_without_dithers_the_psf_is_that_of_the_exposures():
    """Fluxes on a mean of pixels are right with the PSF as pixels see it."""
    sky = stars()
    reference = build(exposures_of(sky, [Pointing(0.3, -0.2)] * 12), 1)
    assert dithered_on(reference.members, 1) == (False, False)
    flux, error, which = measured(reference, sky)
    pull = (flux - sky.flux[which]) / error
    bright = sky.flux[which] > 100
    assert bright.sum() >= 8
    for some in (bright, ~bright):
        assert abs(np.median(pull[some])) < 0.5
        assert np.median(np.abs(pull[some])) < 1.0


@pytest.mark.parametrize("how", ["masked", "nan"])
def test_an_exposure_without_pixels_is_refused_with_the_reason(how):
    exposures = exposures_of(stars(), dithers(10))
    if how == "nan":
        exposures[2].image.data[:] = np.nan
    else:
        exposures[2].image.usable[:] = False
    members = build(exposures).members
    assert "none of its 2304 pixels is usable" in members[2].refused
    assert sum(member.refused is None for member in members) == 9


def test_pixels_without_values_and_saturated_cores_are_holes_and_nothing_more():
    sky = Sky(np.array([24.0, 10.0]), np.array([24.0, 35.0]), np.array([1e5, 2000.0]))
    exposures = exposures_of(sky, dithers(20))
    rng = np.random.default_rng(3)
    for one in exposures:
        one.image.data[rng.random((SIDE, SIDE)) < 0.02] = np.nan
        one.image.usable[one.image.data > 3000] = False
    reference = build(exposures)
    assert np.isfinite(reference.image.data).all()
    x, y = (np.rint(at).astype(int) for at in sky.in_frame(reference.frame))
    assert not reference.image.usable[y[0], x[0]]
    assert reference.image.usable[y[1], x[1]]
    # What is made up in the hole stays between nothing and the star.
    assert 0 <= reference.image.data[y[0], x[0]] < 1.2 * expected(sky, reference.frame).max()
    flux, _, rows = measured(reference, sky)
    np.testing.assert_allclose(flux, sky.flux[rows], rtol=0.01)


@pytest.mark.heavy
def test_an_empty_sky_is_no_reason_to_refuse():
    sky = Sky(np.array([24.0]), np.array([24.0]), np.array([1e-3]))
    members = build(exposures_of(sky, dithers(20))).members
    assert all(member.refused is None for member in members)
    assert np.abs([member.shift for member in members]).max() < 0.5


@pytest.mark.heavy
def test_threads_change_nothing():
    exposures = exposures_of(stars(), dithers(10))
    one, two = (build(exposures, options=ReferenceOptions(threads=n)) for n in (1, 2))
    np.testing.assert_array_equal(one.image.data, two.image.data)
    for a, b in zip(one.members, two.members, strict=True):
        assert (a.shift, a.sky, a.scale) == (b.shift, b.sky, b.scale)
