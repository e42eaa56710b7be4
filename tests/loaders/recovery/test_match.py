"""What was found, what was there before, and what is neither."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from loaders.injection.sources import ArtificialSources
from loaders.recovery.match import NONE, MatchOptions, MeasuredSources, Origin, match

RA, DEC = 359.99999, -30.0
OPTIONS = MatchOptions()
NOTHING = MeasuredSources(*(np.empty(0) for _ in range(4)))


def place(east, north):
    """Places some arcsec from the middle, across right ascension 0."""
    east, north = np.atleast_1d(east).astype(float), np.atleast_1d(north).astype(float)
    return (RA + east / 3600 / np.cos(np.radians(DEC))) % 360, DEC + north / 3600


def injected(east, north, flux):
    return ArtificialSources.stars(*place(east, north), np.atleast_1d(flux).astype(float))


def measured(east, north, flux, error=1.0):
    flux = np.atleast_1d(flux).astype(float)
    return MeasuredSources(*place(east, north), flux, np.full(flux.size, error))


def test_a_source_alone_is_found():
    found = match(injected(0, 0, 100), measured(0.03, 0.04, 105), NOTHING, OPTIONS)
    assert found.measured.tolist() == [0]
    assert found.distance[0] == pytest.approx(50, rel=1e-6)
    assert found.origin.tolist() == [Origin.INJECTED]
    assert found.density.tolist() == [0]


def test_distances_are_those_of_astropy():
    rng = np.random.default_rng(1)
    east, north = rng.uniform(-60, 60, (2, 50))
    sources = injected(east, north, np.full(50, 100.0))
    list_ = measured(east + rng.normal(0, 0.02, 50), north + rng.normal(0, 0.02, 50), np.full(50, 100.0))
    found = match(sources, list_, NOTHING, OPTIONS)
    expected = SkyCoord(sources.ra, sources.dec, unit="deg").separation(
        SkyCoord(list_.ra, list_.dec, unit="deg")
    )
    np.testing.assert_allclose(found.distance[found.is_detected], expected.mas[found.is_detected], rtol=1e-4)
    assert found.is_detected.sum() >= 49


def test_a_source_too_far_or_of_another_brightness_is_not():
    sources = injected([0, 5, 10], [0, 0, 0], [100, 100, 100])
    after = measured([0.2, 5, 10], [0, 0, 0], [100, 250, 30])
    found = match(sources, after, NOTHING, OPTIONS)
    assert found.measured.tolist() == [NONE] * 3
    assert np.isnan(found.distance).all()
    assert (found.origin == Origin.SPURIOUS).all()


def test_faint_sources_may_differ_by_their_errors():
    assert match(injected(0, 0, 10), measured(0, 0, 25, 6.0), NOTHING, OPTIONS).is_detected.all()
    assert not match(injected(0, 0, 10), measured(0, 0, 25, 4.0), NOTHING, OPTIONS).is_detected.any()


def test_what_was_there_before_is_no_recovery():
    """A star that is injected onto a like star, or a brighter one, and leaves one detection."""
    before = measured([0, 5], [0, 0], [100, 1000])
    after = measured([0.01, 5], [0, 0], [150, 1070])
    found = match(injected([0.04, 5.05], [0, 0], [80, 70]), after, before, OPTIONS)
    assert not found.is_detected.any()
    assert (found.origin == Origin.BEFORE).all()


def test_a_star_that_outshines_the_one_before_is_found():
    found = match(injected(0.03, 0, 1000), measured(0.03, 0, 1020), measured(0, 0, 20), OPTIONS)
    assert found.is_detected.all()


def test_of_two_detections_each_has_its_origin():
    before = measured(0, 0, 100)
    after = measured([0, 0.09], [0, 0], [102, 97])
    found = match(injected(0.09, 0, 100), after, before, OPTIONS)
    assert found.measured.tolist() == [1]
    assert found.origin.tolist() == [Origin.BEFORE, Origin.INJECTED]


def test_a_detection_is_one_source_at_most():
    found = match(injected([0, 0.05], [0, 0], [100, 100]), measured(0.01, 0, 101), NOTHING, OPTIONS)
    assert found.measured.tolist() == [0, NONE]


def test_an_equal_claim_goes_to_what_was_there():
    found = match(injected(0, 0, 100), measured(0, 0, 100), measured(0, 0, 100), OPTIONS)
    assert found.origin.tolist() == [Origin.BEFORE]


def test_nothing_measured_and_nothing_injected():
    nobody = ArtificialSources.stars(*(np.empty(0),) * 3)
    assert not match(injected(0, 0, 1), NOTHING, NOTHING, OPTIONS).is_detected.any()
    assert match(nobody, measured(0, 0, 1), NOTHING, OPTIONS).origin.tolist() == [Origin.SPURIOUS]


def test_negative_and_unknown_fluxes_are_no_detections():
    sources = measured([0, 1, 2, 3], [0, 0, 0, 0], [-50, np.nan, 4.9, 5.0])
    assert sources.significant(5.0).tolist() == [False, False, False, True]


def test_density_counts_those_before():
    before = measured([0.5, 1.0, 2.9, 3.2], [0, 0, 0, 0], np.full(4, 10.0))
    found = match(injected(0, 0, 100), NOTHING, before, OPTIONS)
    assert found.density[0] == pytest.approx(3 / (np.pi * 0.05**2))


def test_many_sources_are_sorted_out():
    """A thousand on a grid, some of them missing, others spurious: the numbers are those that were made."""
    rng = np.random.default_rng(4)
    east, north = (axis.ravel() for axis in np.meshgrid(np.arange(40.0), np.arange(25.0)))
    flux = rng.uniform(50, 500, 1000)
    seen = rng.uniform(size=1000) < 0.7
    old = measured(east + 0.5, north, np.full(1000, 200.0))
    after = MeasuredSources(*(np.concatenate(pair) for pair in zip(
        *(vars(one).values() for one in (
            measured(east[seen] + rng.normal(0, 0.01, seen.sum()), north[seen], flux[seen]), old,
            measured(east[:100] + 0.25, north[:100], np.full(100, 90.0)),
        )), strict=True)))  # fmt: skip
    order = rng.permutation(after.ra.size)
    found = match(injected(east, north, flux), after.take(order), old, OPTIONS)
    np.testing.assert_array_equal(found.is_detected, seen)
    assert np.bincount(found.origin).tolist() == [100, seen.sum(), 1000]


@pytest.mark.parametrize("wrong", [{"radius": 0.0}, {"flux_factor": 1.0}, {"n_sigma": -1.0}])
def test_options_that_match_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match="must be above"):
        MatchOptions(**wrong)
