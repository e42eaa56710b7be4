"""A reference without one of its exposures: exactly the others, and none of that one's light."""

from dataclasses import replace

import numpy as np
import pytest

from loaders.difference.exposure import compare_exposure, template_of
from loaders.difference.forced import forced_fluxes
from loaders.difference.matching import MatchingOptions
from loaders.difference.sources import DifferenceOptions
from loaders.photometry.parallel import Workers
from loaders.reference.members import pixels_of
from loaders.reference.normal import NormalEquations
from loaders.reference.others import FineImage, KnownPlace, OtherExposures, base_of_image, place_on_reference
from loaders.reference.stored_sums import Parts
from loaders.rejection import Rejected
from tests.loaders.photometry.scenes import POISSON, gaussian_psf, star_pixels
from tests.loaders.reference.scenes import SIDE, SIGMA, Pointing, build, dithers, image_of, stars

COUNT, LEFT_OUT = 16, 3
BRIGHT = 400.0
PSF = gaussian_psf(SIGMA, half_width=6, oversampling=8)
OPTIONS = (MatchingOptions(threads=1), DifferenceOptions(threads=1))
IN_PARTS = (MatchingOptions(threads=1, memory=1), DifferenceOptions(threads=1, side=24))
"""A row of cells at a time, and the search in four parts: the flare is beside a seam."""
PLACE = (21.3, 24.8)
"""Pixels of the exposure that is left out at which a star flares in it, and nowhere else."""


@pytest.fixture(scope="module")
def scene():
    """Exposures, one of them with a flare, and the sky."""
    sky = stars(0.02)
    pointings = dithers(COUNT, error=0.02)
    exposures = [sky.exposure(pointing, seed=50 + k) for k, pointing in enumerate(pointings)]
    flare = BRIGHT * star_pixels((SIDE, SIDE), *(np.array([p]) for p in PLACE), SIGMA).reshape(SIDE, SIDE)
    image = exposures[LEFT_OUT].image
    exposures[LEFT_OUT] = replace(exposures[LEFT_OUT], image=replace(image, data=image.data + flare))
    return sky, exposures


@pytest.fixture(scope="module")
def reference(scene):
    return build(scene[1])


@pytest.fixture(scope="module")
def others(scene, reference):
    known = [KnownPlace(m.shift, m.sky, m.scale) for m in reference.members]
    return OtherExposures(scene[1].__getitem__, known, reference.frame, image_of(reference), Workers(1))


def flux_at_flare(template, scene, others, options=OPTIONS):
    """Flux of the flare in the difference of its exposure from a template, and its error."""
    _, exposures = scene
    image, place = exposures[LEFT_OUT].image, others.members[LEFT_OUT].place
    compared = compare_exposure(image, place, PSF, template_of(template), (np.empty(0), np.empty(0)), options)
    where = tuple(np.array([p]) for p in PLACE)
    found = forced_fluxes(compared.difference, PSF, (0.0, 0.0), where, POISSON)
    return float(found.flux[0]), float(found.flux_err[0]), compared.sources


def test_without_one_it_is_the_least_squares_of_the_others(scene, others, reference):
    """Against sums that never held the exposure, solved from nothing to the last digit."""
    alone = NormalEquations(reference.frame.shape, Workers(1))
    for number in range(COUNT):
        if number != LEFT_OUT:
            alone.add(others._pixels(number))
    expected = alone.solve(tolerance=1e-8, steps=2000)
    found = others.without(LEFT_OUT)
    inside = np.isfinite(found.noise.scale)
    changed = float(np.std((others._sums.image().coefficient - expected)[inside]))
    assert float(np.std((found.coefficient - expected)[inside])) < 0.25 * changed
    weight = others._sums.image().weight.sum()
    np.testing.assert_allclose(weight, alone.weight.sum() * COUNT / (COUNT - 1), rtol=0.2)


def test_taking_one_out_leaves_the_sums_as_they_were(others):
    before = others._sums.image()
    first = others.without(LEFT_OUT).coefficient
    others.without(5)
    np.testing.assert_array_equal(others.without(LEFT_OUT).coefficient, first)
    np.testing.assert_array_equal(others._sums.image().weight, before.weight)
    np.testing.assert_array_equal(others._sums.image().coefficient, before.coefficient)


@pytest.mark.heavy
@pytest.mark.parametrize("number", [2, 4])
def test_strips_are_the_whole(scene, others, reference, number):
    """Templates that are made in strips, and what changed against them, are those of the whole."""
    known = [KnownPlace(m.shift, m.sky, m.scale) for m in reference.members]
    given = scene[1].__getitem__, known, reference.frame, image_of(reference), Workers(1)
    pixels = -(-reference.frame.shape[0] * reference.frame.shape[1] // number)
    # Steps end where little is left, in strips elsewhere than in the whole: here hardly anything is left.
    whole = OtherExposures(*given, Parts(exact=1e-8, change=1e-4))
    strips = OtherExposures(*given, Parts(pixels, exact=1e-8, change=1e-4))
    for left_out in (LEFT_OUT, 7):
        one, other = whole.without(left_out), strips.without(left_out)
        seen = np.isfinite(one.noise.scale)
        np.testing.assert_array_equal(np.isfinite(other.noise.scale), seen)
        np.testing.assert_allclose(other.noise.scale[seen], one.noise.scale[seen], rtol=1e-4)
        sigma = np.sqrt(template_of(one).variance[0] * one.noise.scale[seen])
        change = np.abs(other.coefficient - one.coefficient)[seen] / sigma
        assert change.max() < 0.02
        assert np.percentile(change, 95) < 0.005
    flux, error, sources = flux_at_flare(whole.without(LEFT_OUT), scene, whole)
    again, error_again, sources_again = flux_at_flare(strips.without(LEFT_OUT), scene, strips, IN_PARTS)
    assert again == pytest.approx(flux, abs=0.02 * error)
    assert error_again == pytest.approx(error, rel=1e-3)
    np.testing.assert_array_equal(sources_again.kind, sources.kind)
    np.testing.assert_allclose(sources_again.x, sources.x, atol=0.01)
    np.testing.assert_allclose(sources_again.y, sources.y, atol=0.01)
    np.testing.assert_allclose((sources_again.flux - sources.flux) / sources.flux_err, 0, atol=0.2)


def test_the_sums_leave_no_file_behind(scene, reference, tmp_path):
    """The file of the sums has no name, so that nothing is left of it, however the process ends."""
    known = [KnownPlace(m.shift, m.sky, m.scale) for m in reference.members]
    given = scene[1].__getitem__, known, reference.frame, image_of(reference), Workers(1)
    sums = OtherExposures(*given, Parts(4000, tmp_path))
    assert list(tmp_path.iterdir()) == []
    first = sums.without(0).coefficient
    assert np.isfinite(first).all()


def test_a_folder_that_takes_no_file_is_said_in_a_line(scene, reference, tmp_path):
    known = [KnownPlace(m.shift, m.sky, m.scale) for m in reference.members]
    given = scene[1].__getitem__, known, reference.frame, image_of(reference), Workers(1)
    with pytest.raises(Rejected) as refused:
        OtherExposures(*given, Parts(folder=tmp_path / "missing"))
    assert refused.value.code == "unwritable_folder"


def test_a_flare_is_seen_in_full_without_its_exposure_and_diluted_with_it(scene, others, reference):
    flux, error, sources = flux_at_flare(others.without(LEFT_OUT), scene, others)
    assert abs(flux - BRIGHT) < 4 * error
    assert error < 0.02 * BRIGHT
    (k,) = np.flatnonzero(np.hypot(sources.x - PLACE[0], sources.y - PLACE[1]) < 0.5)
    assert sources.kind[k] == "new"
    assert sources.flux[k] == pytest.approx(BRIGHT, rel=0.05)
    # In that of all, nothing rejected, a share of 1 / n of the flare would be if exposures were well sampled,
    # and there is more where one exposure alone says what is between the pixels of the others.
    everything = NormalEquations(reference.frame.shape, Workers(1))
    for number, member in enumerate(others.members):
        everything.add(pixels_of(scene[1][number], member))
    mean = FineImage(everything.solve(tolerance=1e-7, steps=2000), others.without(0).noise, 2)
    diluted, _, _ = flux_at_flare(mean, scene, others)
    assert 0.3 < diluted / flux < 1 - 1 / COUNT


def test_the_noise_of_the_exposure_is_not_in_its_template(scene, others):
    """Differences are as wide as both noises together; from a mean with the exposure they are narrower."""
    _, exposures = scene
    widths = {True: [], False: []}
    for number in (0, 1, 2, 4):
        for leave, width in widths.items():
            image = others.without(number if leave else 8)
            place = others.members[number].place
            compared = compare_exposure(
                exposures[number].image, place, PSF, template_of(image), (np.empty(0), np.empty(0)), OPTIONS
            )
            d = compared.difference
            width.append(np.std((d.data / np.sqrt(d.variance))[d.usable]))
    # The kernel has 150 parameters for 2304 pixels; the noise of the template is stated for stars, which is
    # more than that of single pixels.
    assert 0.86 < np.mean(widths[True]) < 1.03
    assert np.mean(widths[False]) < 0.9 * np.mean(widths[True])


def test_members_lie_where_they_were(others, reference):
    for again, before in zip(others.members, reference.members, strict=True):
        assert again.refused is None
        np.testing.assert_allclose(again.shift, before.shift, atol=0.02)
        assert again.scale == pytest.approx(before.scale, rel=5e-3)


def test_an_exposure_that_does_not_fit_is_refused(scene, reference):
    """Its light is a third of that of the others, whatever is stored of it."""
    exposures = list(scene[1])
    image = exposures[2].image
    sky = float(np.median(image.data))
    exposures[2] = replace(exposures[2], image=replace(image, data=sky + (image.data - sky) / 3))
    known = [KnownPlace(m.shift, m.sky, m.scale) for m in reference.members]
    some = OtherExposures(exposures.__getitem__, known, reference.frame, image_of(reference), Workers(1))
    assert some.members[1].refused is None
    with pytest.raises(Rejected) as refused:
        some.without(2)
    assert refused.value.code == "misfit"


def test_an_exposure_of_another_time_is_placed_by_its_stars(scene, reference):
    sky, _ = scene
    off = Pointing(1.3, -0.7, error=(0.2, -0.15))
    base = base_of_image(image_of(reference), Workers(1))
    member = place_on_reference(sky.exposure(off, 99), reference.frame, base, Workers(1))
    # What its WCS claims too much is what it has to be shifted back by.
    np.testing.assert_allclose(member.shift, [-0.4, 0.3], atol=0.05)
    x, y = off.to_detector(sky.x, sky.y)
    inside = (np.abs(x - SIDE / 2) < 18) & (np.abs(y - SIDE / 2) < 18)
    u, v = sky.in_frame(reference.frame)
    np.testing.assert_allclose(member.place(x[inside], y[inside]), [u[inside], v[inside]], atol=0.06)


@pytest.mark.parametrize(
    ("pointing", "code"),
    [(Pointing(0, 0, error=(1.0, 0.0)), "misfit"), (Pointing(300, 0), "no_overlap")],
)
def test_an_exposure_that_lies_elsewhere_is_refused(scene, reference, pointing, code):
    exposure = scene[0].exposure(pointing, 99)
    with pytest.raises(Rejected) as refused:
        place_on_reference(
            exposure, reference.frame, base_of_image(image_of(reference), Workers(1)), Workers(1)
        )
    assert refused.value.code == code
