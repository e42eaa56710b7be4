"""Summaries: against numpy and scipy, and merged against taken of the whole."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from loaders.light_curve.summary import RUN_THRESHOLD, SegmentMatrix, merge_summaries, summarise
from tests.loaders.light_curve import strategies

_ADDITIVE_MOMENTS = (
    "weighted_m2",
    "unweighted_m2",
    "unweighted_m3",
    "unweighted_m4",
    "sum_squared_difference",
)
_EXACT = ("n_point", "n_flagged", "min_flux", "max_flux", "first_flux", "last_flux", "first_mjd_tdb",
          "last_mjd_tdb", "longest_run", "leading_run", "trailing_run")  # fmt: skip


_any_flux = st.floats(-1e4, 1e4, width=32) | st.just(np.nan)


@st.composite
def light_curves(draw, fluxes=_any_flux):
    """Segments of some objects with times and a reference near the fluxes."""
    shape = draw(strategies.shapes)
    errors = st.floats(0.0625, 100, width=32)
    segments = SegmentMatrix(
        draw(strategies.reals(shape, fluxes)),
        draw(strategies.reals(shape, errors)),
        draw(strategies.flags(shape)),
    )
    return segments, np.arange(shape[1]) + 61520.5, draw(strategies.reals(shape[:1], fluxes)).astype("f8")


def part(segments, columns):
    return SegmentMatrix(
        *(np.ascontiguousarray(m[:, columns]) for m in (segments.flux, segments.flux_err, segments.flags))
    )


def longest(above):
    return max((len(list(group)) for value, group in itertools.groupby(above) if value), default=0)


@pytest.mark.filterwarnings("ignore:Precision loss occurred in moment:RuntimeWarning")  # of equal fluxes
@settings(deadline=None)
@given(light_curves())
def test_against_numpy_and_scipy(drawn):
    segments, mjd, reference = drawn
    summary = summarise(segments, mjd, reference, 4)
    for i, one in enumerate(summary):
        counts = (segments.flags[i] & 4 == 0) & np.isfinite(segments.flux[i])
        flux, err, when = (
            segments.flux[i][counts].astype("f8"),
            segments.flux_err[i][counts].astype("f8"),
            mjd[counts],
        )
        assert one["n_point"] == flux.size
        assert one["n_flagged"] == np.count_nonzero(segments.flags[i])
        if flux.size == 0:
            assert np.isnan(
                [one["mean_flux"], one["unweighted_mean"], one["min_flux"], one["first_flux"]]
            ).all()
            assert one["sum_weight"] == one["weighted_m2"] == one["longest_run"] == 0
            continue
        scale = np.abs(flux).max() + 1
        assert one["mean_flux"] == pytest.approx(np.average(flux, weights=err**-2), abs=1e-12 * scale)
        assert one["unweighted_mean"] == pytest.approx(flux.mean(), abs=1e-12 * scale)
        for order in (2, 3, 4):
            moment = flux.size * stats.moment(flux, order, center=flux.mean())
            assert one[f"unweighted_m{order}"] == pytest.approx(moment, abs=1e-9 * scale**order)
        chi2 = np.sum(((flux - np.average(flux, weights=err**-2)) / err) ** 2)
        assert one["weighted_m2"] == pytest.approx(chi2, rel=1e-9, abs=1e-9 * (scale / err.min()) ** 2)
        assert one["sum_squared_difference"] == pytest.approx(
            np.sum(np.diff(flux) ** 2), abs=1e-12 * scale**2
        )
        assert (one["min_flux"], one["max_flux"]) == (flux.min(), flux.max())
        assert (one["first_flux"], one["last_flux"]) == (flux[0], flux[-1])
        assert (one["first_mjd_tdb"], one["last_mjd_tdb"]) == (when[0], when[-1])
        above = flux - reference[i] > RUN_THRESHOLD * err
        assert one["longest_run"] == longest(above)
        assert one["leading_run"] == len(list(itertools.takewhile(bool, above)))
        assert one["trailing_run"] == len(list(itertools.takewhile(bool, above[::-1])))


@settings(deadline=None)
@given(light_curves(fluxes=strategies.any_real))
def test_what_is_not_finite_never_enters(drawn):
    """Fluxes of any size, infinite ones among them, and errors that are zero, negative, NaN or infinite."""
    segments, mjd, reference = drawn
    errors = np.resize(np.array([1, 0, -1, np.nan, np.inf, 2], "f4"), segments.flux.shape)
    summary = summarise(SegmentMatrix(segments.flux, errors, segments.flags), mjd, reference, 0)
    counted = np.isfinite(segments.flux) & np.isin(errors, [1, 2])
    np.testing.assert_array_equal(summary["n_point"], counted.sum(axis=1))
    some = summary["n_point"] > 0
    for name in ("mean_flux", "sum_weight", "unweighted_m4", "sum_squared_difference"):
        assert np.isfinite(summary[name][some]).all()


def assert_same(found, expected, segments):
    scale = np.nanmax(np.abs(np.where(np.isfinite(segments.flux), segments.flux, 0)), axis=1).astype("f8") + 1
    least = np.where(segments.flux_err > 0, segments.flux_err, np.inf).min(axis=1).astype("f8")
    for name in _EXACT:
        np.testing.assert_array_equal(found[name], expected[name], name)
    for name in ("mean_flux", "unweighted_mean"):
        np.testing.assert_allclose(found[name] / scale, expected[name] / scale, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(found["sum_weight"], expected["sum_weight"], rtol=1e-12)
    sizes = (scale / least) ** 2, scale**2, scale**3, scale**4, scale**2
    for name, size in zip(_ADDITIVE_MOMENTS, sizes, strict=True):
        np.testing.assert_allclose(found[name] / size, expected[name] / size, atol=1e-10, err_msg=name)


@settings(deadline=None)
@given(light_curves(), st.data())
def test_merged_parts_are_the_whole_however_they_are_merged(drawn, data):
    segments, mjd, reference = drawn
    n = mjd.size
    cuts = sorted(data.draw(st.lists(st.integers(0, n), min_size=2, max_size=2)))
    parts = [slice(0, cuts[0]), slice(cuts[0], cuts[1]), slice(cuts[1], n)]
    a, b, c = (summarise(part(segments, columns), mjd[columns], reference, 4) for columns in parts)
    whole = summarise(segments, mjd, reference, 4)
    assert_same(merge_summaries(merge_summaries(a, b), c), whole, segments)
    assert_same(merge_summaries(a, merge_summaries(b, c)), whole, segments)


def test_a_faint_signal_on_a_bright_star_survives_merging():
    """Where raw sums would cancel: 50,000 epochs of 1e7 nJy with a scatter of 100."""
    rng = np.random.default_rng(7)
    flux = rng.normal(1e7, 100, (1, 50_000)).astype("f4")
    segments = SegmentMatrix(flux, np.full_like(flux, 100), np.zeros(flux.shape, "u2"))
    merged = None
    for columns in np.array_split(np.arange(flux.shape[1]), 400):
        one = summarise(part(segments, columns), columns.astype("f8"), np.array([0.0]), 0)
        merged = one if merged is None else merge_summaries(merged, one)
    exact = flux[0].astype("f8")
    assert merged["unweighted_m2"][0] == pytest.approx(exact.size * exact.var(), rel=1e-10)
    assert merged["unweighted_m4"][0] == pytest.approx(np.sum((exact - exact.mean()) ** 4), rel=1e-9)
    assert merged["longest_run"][0] == 50_000
