"""What a plot shows, read off the drawn axes."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roman_db.query.error import QueryError
from roman_db.query.light_curve import CataloguedObject, LightCurve, Series
from roman_db.query.plot import draw, save_plot, split_at_gaps

T0 = 2461500.0


def series(element="F146", times=None, flux=3000.0, error=30.0, kind="psf", flags=None) -> Series:
    times = T0 + np.arange(60) / 120 if times is None else times
    noise = np.random.default_rng(3).standard_normal(times.size)
    flux = flux + error * noise
    flags = np.zeros(times.size, np.int32) if flags is None else flags
    return Series(element, kind, np.arange(times.size), times, flux, np.full(times.size, error), flags)


def light_curve(*all_series: Series) -> LightCurve:
    target = CataloguedObject(123, 267.5, -30.0, 2027.0, {"F146": 3100.0})
    return LightCurve(target, pa.table({}), all_series)


def grid(figure, n_row: int) -> np.ndarray:
    return np.array(figure.axes).reshape(n_row, -1)


def test_bright_objects_are_drawn_in_magnitudes_that_grow_downwards():
    (axes,) = draw(light_curve(series())).axes
    assert axes.get_ylabel() == "AB magnitude"
    low, high = axes.get_ylim()
    assert low > high
    good = axes.lines[1].get_ydata()
    assert len(good) == 60
    np.testing.assert_allclose(good, 22.7, atol=0.1)


@pytest.mark.parametrize(("one", "label"), [
    (series(flux=20.0, error=15.0), "flux [nJy]"),
    (series(flux=2e5, error=1e5), "flux [µJy]"),
    (series(flux=5e3, error=30.0, kind="dia"), "flux difference [nJy]"),
    (series(flux=-3e7, error=3e5, kind="dia"), "flux difference [mJy]"),
])  # fmt: skip
def test_faint_objects_and_differences_are_drawn_in_flux(one, label):
    (axes,) = draw(light_curve(one)).axes
    assert axes.get_ylabel() == label
    low, high = axes.get_ylim()
    assert low < high


def test_panels_follow_the_wavelength_and_share_the_time():
    figure = draw(light_curve(series("F213"), series("F146"), series("F087"), series("F146", kind="dia")))
    names = [axes.texts[0].get_text() for axes in figure.axes]
    assert names == ["F087", "F146", "F146 dia", "F213"] or names == ["F087", "F146 dia", "F146", "F213"]
    assert len({axes.get_xlim() for axes in figure.axes}) == 1


def test_the_catalog_is_a_line_and_flagged_points_are_open():
    flags = np.zeros(60, np.int32)
    flags[[3, 7]] = 4
    (axes,) = draw(light_curve(series(flags=flags))).axes
    catalog, good, flagged = axes.lines[:3]
    np.testing.assert_allclose(catalog.get_ydata(), -2.5 * np.log10(3100e-9 / 3631), atol=1e-9)
    assert (len(good.get_xdata()), len(flagged.get_xdata())) == (58, 2)
    assert good.get_markerfacecolor() != "white"
    assert flagged.get_markerfacecolor() == "white"
    assert "58 points, 2 flagged" in [text.get_text() for text in axes.texts]


@pytest.mark.parametrize(("flux", "shown"), [(3000.0, True), (9000.0, False)])
def test_the_legend_names_the_catalog_where_it_is_seen(flux, shown):
    figure = draw(light_curve(series(flux=flux)))
    (axes,), (legend,) = figure.axes, figure.legends
    assert ("catalog" in [text.get_text() for text in legend.get_texts()]) == shown
    catalog = -2.5 * np.log10(3100e-9 / 3631)
    assert (min(axes.get_ylim()) < catalog < max(axes.get_ylim())) == shown


def test_a_wild_flagged_point_does_not_set_the_scale():
    flags = np.zeros(60, np.int32)
    flags[5] = 1
    one = series(flags=flags)
    one.flux[5] = 1e6
    (axes,) = draw(light_curve(one)).axes
    assert max(axes.get_ylim()) - min(axes.get_ylim()) < 0.3
    assert "(1 beyond the axis)" in axes.texts[1].get_text()


def test_seasons_stand_side_by_side_on_a_broken_axis():
    times = np.concatenate([T0 + start + np.arange(0, 72, 0.5) for start in (0, 180, 360)])
    figure = draw(light_curve(series(times=times), series("F087", times=times[::12])))
    axes = grid(figure, 2)
    assert axes.shape == (2, 3)
    offset = float(figure.get_supxlabel().split("-")[1].split("$")[0])
    for column, start in zip(axes[1], (0, 180, 360), strict=True):
        first, last = column.get_xlim()
        assert first < T0 + start - offset < T0 + start + 71.5 - offset < last
        assert last - first < 90
    assert not axes[0, 0].spines.right.get_visible()
    assert not axes[0, 1].spines.left.get_visible()


def test_a_short_series_and_a_single_point_can_be_drawn(tmp_path):
    save_plot(light_curve(series(times=np.array([T0]))), tmp_path / "one.png")
    save_plot(light_curve(series(times=np.array([T0, T0 + 900.0]))), tmp_path / "two.svg")
    assert (tmp_path / "one.png").stat().st_size > 1000


def test_many_points_do_not_make_a_large_file(tmp_path):
    save_plot(light_curve(series(times=T0 + np.arange(40_000) / 119)), tmp_path / "many.pdf")
    assert (tmp_path / "many.pdf").stat().st_size < 300_000


def test_title_and_times_are_written(tmp_path):
    save_plot(light_curve(series()), tmp_path / "plot.svg")
    text = (tmp_path / "plot.svg").read_text()
    for words in ("Roman object 123", "17h50m00.00s -30d00m00.0s", "(267.500000, -30.000000)", "TDB"):
        assert words in text


def test_nothing_is_not_drawn():
    empty = Series(
        "F146", "psf", np.arange(2), np.array([T0, T0 + 1]), *np.full((2, 2), np.nan), np.array([128, 128])
    )
    with pytest.raises(QueryError, match="123 has no point with a flux"):
        draw(light_curve(empty))


@given(st.lists(st.floats(0, 3000), min_size=1, max_size=60))
def test_parts_of_the_time_axis_hold_all_times_and_no_season_gap(times):
    spans = split_at_gaps(np.array(times))
    assert all(any(start <= t <= end for start, end in spans) for t in times)
    assert all(a[1] < b[0] and b[0] - a[1] > 5 for a, b in itertools.pairwise(spans))
    for start, end in spans:
        inside = np.unique([t for t in times if start <= t <= end])
        assert not np.any(np.diff(inside) > 20)


def test_a_week_without_data_is_no_break_in_a_season():
    assert split_at_gaps(np.concatenate([np.arange(0, 30, 0.1), np.arange(37, 70, 0.1)])) == [
        (0.0, pytest.approx(69.9))
    ]
