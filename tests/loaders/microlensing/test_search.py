"""The binned search against sums over all points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.microlensing.search import EventSearch, SearchGrid
from loaders.stored_curve.band import Band, seasons_of, usable_band
from tests.loaders.microlensing.curves import SEASONS, event, times


def direct_gain(bands, t_0, t_eff):
    """Fall of chi-square by least squares over all points, the better of both curves of Kim et al. 2018."""
    q = [1 + ((band.time - t_0) / t_eff) ** 2 for band in bands]
    best = 0.0
    for curve in (lambda q: q**-0.5, lambda q: (1 - (q / 2 + 1) ** -2.0) ** -0.5):
        total = 0.0
        for band, one in zip(bands, q, strict=True):
            design = np.column_stack([curve(one), np.ones(one.size)]) / band.error[:, None]
            value = band.flux / band.error
            fluxes = np.linalg.lstsq(design, value, rcond=None)[0]
            constant = np.average(band.flux, weights=band.error**-2)
            fall = np.sum((value - constant / band.error) ** 2) - np.sum((value - design @ fluxes) ** 2)
            total += fall if fluxes[0] > 0 else 0.0
        best = max(best, total)
    return best


@pytest.mark.parametrize(
    ("t_0", "u_0", "t_e"),
    [(30.0, 0.3, 20.0), (200.0, 0.05, 5.0), (1500.0, 0.5, 0.1), (400.0, 0.8, 200.0), (40.0, 2.0, 0.3)],
)
def test_the_best_place_is_as_good_as_all_points_say(t_0, u_0, t_e):
    bands = event(t_0, u_0, t_e, error=2.0, rng=np.random.default_rng(1))
    best = EventSearch().best(bands)[0]
    assert best.gain == pytest.approx(direct_gain(bands, best.t_0, best.t_eff), rel=0.03)
    assert abs(best.t_0 - t_0) < max(best.t_eff, 0.1)


def test_places_around_the_best_agree_with_all_points_to_five_per_cent():
    bands = event(375.0, 0.4, 3.0, error=3.0, rng=np.random.default_rng(2))
    rng = np.random.default_rng(3)
    scans = EventSearch(SearchGrid(shortest=0.2)).scans(bands)
    top = max(scan.gain.max() for scan in scans)
    compared = 0
    for scan in scans:
        worth = np.flatnonzero(scan.gain > 0.3 * top)
        for k in rng.choice(worth, min(3, worth.size), replace=False):
            assert scan.gain[k] == pytest.approx(direct_gain(bands, scan.time[k], scan.scale), rel=0.05)
            compared += 1
    assert compared > 10


def test_noise_alone_does_not_reach_what_events_have_to():
    rng = np.random.default_rng(4)
    gains = []
    for _ in range(20):
        bands = [
            Band(band.name, band.time, rng.normal(size=len(band)), np.ones(len(band)))
            for band in event(0, 1, 1, interval=0.05)
        ]
        gains.append(EventSearch().best(bands)[0].gain)
    # Some 10^5 independent trials of one degree of freedom a star: 20 to 35.
    assert 8 < np.median(gains) < 35
    assert max(gains) < 50


def test_a_fading_star_is_no_event():
    time = times(0.05)
    flux = 100 - 50 * np.exp(-0.5 * ((time - 400) / 3) ** 2)
    scans = EventSearch().scans([Band("F146", time, flux, np.ones(time.size))])
    near = [np.abs(scan.time - 400) < scan.scale for scan in scans if scan.scale < 5]
    assert all(not scan.gain[mask].any() for scan, mask in zip(scans, near, strict=False))


def test_several_events_of_one_star_are_told_apart():
    first, second = event(20.0, 0.3, 2.0), event(1480.0, 0.5, 1.0)
    bands = [
        Band(a.name, a.time, a.flux + b.flux, np.full(len(a), 2.0))
        for a, b in zip(first, second, strict=True)
    ]
    places = sorted(one.t_0 for one in EventSearch().best(bands, count=2, apart=20.0))
    assert places == pytest.approx([20.0, 1480.0], abs=0.3)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_points_have_no_event(count):
    band = Band("F146", np.arange(float(count)), np.ones(count), np.ones(count))
    assert EventSearch().best([band]) == []


VALUES = st.lists(
    st.tuples(*3 * [st.one_of(st.floats(-10, 10), st.sampled_from([np.nan, np.inf, -np.inf, 0.0]))]),
    max_size=30,
)


@given(rows=VALUES)
def test_a_usable_band_is_finite_and_in_order_and_loses_no_time_that_is_usable(rows):
    columns = np.array(rows, dtype=float).reshape(-1, 3).T
    band = usable_band("F146", *columns)
    good = [row for row in rows if all(np.isfinite(row)) and row[2] > 0]
    assert (np.diff(band.time) > 0).all()
    assert set(band.time) == {row[0] for row in good}
    for time, error in zip(band.time, band.error, strict=True):
        assert error == min(row[2] for row in good if row[0] == time)


def test_arrays_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        usable_band("F146", [1, 2], [1], [1, 2])


def test_seasons_are_what_gaps_divide():
    found = seasons_of([Band("F146", time := times(0.5), time, time + 1)])
    assert found[:, 0] == pytest.approx(SEASONS)
    assert seasons_of([]).shape == (0, 2)
