"""What a screen shows of many points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from roman_db.portal.curve import EXACT, Curve, seasons_of, shown, span_of, thinned_band
from roman_db.portal.decimation import column_of, extremes, highest, visible

SPAN = (0.0, 10.0)
points = st.integers(0, 200).flatmap(
    lambda n: st.tuples(
        arrays.arrays(np.float64, n, elements=st.floats(-1, 11)),
        arrays.arrays(np.float64, n, elements=st.floats(-1e6, 1e6) | st.just(np.nan)),
    )
)


def by_column(x, y, columns):
    """Lowest and highest of each column, one point after the other."""
    found: dict[int, list[float]] = {}
    for one, value in zip(x.tolist(), y.tolist(), strict=True):
        if SPAN[0] <= one <= SPAN[1] and value == value:
            column = min(int((one - SPAN[0]) / (SPAN[1] - SPAN[0]) * columns), columns - 1)
            found.setdefault(column, []).append(value)
    return {column: (min(values), max(values)) for column, values in found.items()}


@given(points, st.integers(1, 50))
def test_extremes_are_the_lowest_and_highest_of_each_column(some, columns):
    x, y = some
    kept = extremes(x, y, SPAN, columns)
    assert by_column(x[kept], y[kept], columns) == by_column(x, y, columns)
    assert kept.size <= 2 * columns
    assert (np.diff(kept) > 0).all()


@given(points, st.integers(1, 50))
def test_visible_points_hold_the_extremes_and_each_is_one_of_the_points(some, columns):
    x, y = some
    kept = visible(x, y, SPAN, columns)
    assert set(extremes(x, y, SPAN, columns)) <= set(kept.tolist())
    assert np.isfinite(y[kept]).all()
    assert (column_of(x[kept], SPAN, columns) >= 0).all()


def test_no_point_is_far_from_one_that_is_shown():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(*SPAN, 100_000), rng.normal(size=100_000)
    columns = 1000
    kept = visible(x, y, SPAN, columns)
    assert kept.size < 30_000
    # Within a cell of two columns and a hundredth of the height there is one that is shown.
    height = np.ptp(y) / 99
    for i in rng.integers(0, x.size, 300):
        near = (np.abs(x[kept] - x[i]) <= 2 * 10 / columns) & (np.abs(y[kept] - y[i]) <= height)
        assert near.any()


@given(arrays.arrays(np.float64, st.integers(1, 300), elements=st.floats(0, 1)), st.integers(1, 60))
def test_the_highest_of_a_spectrum_are_kept(y, columns):
    kept = highest(y, columns)
    assert kept.size <= max(columns, 1) or y.size <= columns
    assert y[kept].max() == y.max()
    assert (np.diff(kept) > 0).all()


def curve_of(n, flagged=()):
    rng = np.random.default_rng(2)
    flags = np.zeros(n, np.int32)
    flags[list(flagged)] = 4
    time = np.sort(rng.uniform(*SPAN, n))
    return Curve("F146", np.arange(n), time, rng.normal(100, 1, n), np.ones(n), flags)


def test_few_points_are_exact_and_many_are_thinned():
    few = shown(curve_of(EXACT), SPAN, 500)
    assert few.is_exact
    assert few.curve.time.size == few.n_point == EXACT
    whole = curve_of(50_000, flagged=(10, 20_000))
    many = shown(whole, SPAN, 500)
    assert not many.is_exact
    assert many.n_point == 50_000
    assert many.curve.time.size < 20_000
    # Flagged points are seen among the others.
    assert (many.curve.flags != 0).sum() == 2
    assert many.document()["exposure_id"] == []
    # Zoomed in they are all there, with their exposures.
    near = shown(whole, (1.0, 1.2), 500)
    inside = (whole.time >= 1.0) & (whole.time <= 1.2)
    assert near.is_exact
    assert near.document()["exposure_id"].tolist() == whole.exposure_id[inside].astype(str).tolist()


def test_what_a_model_leaves_is_thinned_with_its_points():
    rng = np.random.default_rng(3)
    n = 20_000
    band = {"optical_element": "F146", "time": np.linspace(*SPAN, n), "flux": rng.normal(size=n)}
    band |= {"flux_err": np.ones(n), "residual": rng.normal(size=n)}
    band["residual"][777] = 50.0
    found = thinned_band(band, SPAN, 300)
    assert not found["is_exact"]
    assert found["n_point"] == n
    assert 50.0 in found["residual"]
    assert found["time"].size == found["flux"].size == found["flux_err"].size < n


def test_the_span_is_that_of_points_with_a_flux():
    curve = curve_of(10)
    curve.flux[[0, 9]] = np.nan
    first, last = span_of([curve])
    assert curve.time[0] < first < curve.time[1]
    assert curve.time[8] < last < curve.time[9]
    curve.flux[:] = np.nan
    assert span_of([curve]) is None


def test_seasons_are_between_long_gaps_of_all_elements():
    times = np.concatenate([begin + np.linspace(0, 72, 50) for begin in (100.0, 280.0, 1000.0)])
    rng = np.random.default_rng(1)
    first = rng.random(times.size) < 0.6
    first[[0, -1]] = True
    curves = [curve_at(times[first]), curve_at(times[~first])]
    seasons = seasons_of(curves)
    assert len(seasons) == 3
    inside = [int(((times > low) & (times < high)).sum()) for low, high in seasons]
    assert inside == [50, 50, 50]
    assert [round(high - low, 2) for low, high in seasons] == [73.44] * 3
    assert seasons_of([curve_at(times[:50])]) == []
    assert seasons_of([]) == []


def curve_at(time):
    n = time.size
    return Curve("F146", np.arange(n), time, np.ones(n), np.ones(n), np.zeros(n, np.int32))


@pytest.mark.parametrize(("span", "columns"), [((1.0, 1.0), 10), ((0.0, 1.0), 0)])
def test_a_span_is_not_empty(span, columns):
    with pytest.raises(ValueError, match="need first < last"):
        column_of(np.zeros(1), span, columns)
