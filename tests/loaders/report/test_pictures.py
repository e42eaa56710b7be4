"""What the pictures show, read off the drawn axes."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from loaders.report.difference_pictures import (
    HALF_CUT_OUT,
    draw_changes,
    draw_cut_outs,
    draw_histogram,
    draw_kernel,
    draw_significance,
    significance_histogram,
)
from loaders.report.exposure_pictures import draw_levels, draw_shifts, value_limits
from loaders.report.image_pictures import draw_coverage, draw_image, draw_psf, psf_profile
from loaders.report.psf_pictures import draw_psf_shape
from loaders.report.source_pictures import (
    draw_chi2,
    draw_errors,
    draw_magnitudes,
    draw_places,
    draw_sizes,
    magnitude_histogram,
)
from loaders.report_page.picture import draw_marks
from tests.loaders.report import made_up


def test_the_image_shows_what_does_not_count():
    picture = draw_image(made_up.pixels(), "p")
    (shown,) = picture.figure.axes[0].images
    assert np.ma.getmaskarray(shown.get_array())[:, 0].all()
    assert not np.ma.getmaskarray(shown.get_array())[:, 1:].any()
    assert shown.norm.vmin == pytest.approx(-2, abs=0.2)
    assert "1.67%" in picture.alt


def test_the_coverage_begins_at_zero():
    (shown,) = draw_coverage(made_up.pixels(), "p").figure.axes[0].images
    assert shown.get_clim() == (0, 5)


def test_the_profile_of_a_psf_is_its_mean_in_rings():
    radius, mean = psf_profile(made_up.pixels().psf, 4)
    assert radius[-1] == 5
    np.testing.assert_allclose(mean[:3] / mean[0], np.exp(-0.5 * radius[:3] ** 2), atol=0.02)
    (shown,) = draw_psf(made_up.pixels(), "p").figure.axes[0].images
    low, high = shown.get_clim()
    assert high / low == pytest.approx(1e6)


def test_the_shape_of_the_psf_is_drawn_over_the_image():
    psf = made_up.psf_over_the_image()
    picture = draw_psf_shape(psf, made_up.SHAPE, "p")
    width, fourth = (axes for axes in picture.figure.axes if axes.get_title())
    shown = [axes.images[0].get_array() for axes in (width, fourth)]
    np.testing.assert_allclose(np.ma.filled(shown[0], np.nan).ravel(), psf.fwhm)
    np.testing.assert_allclose(np.ma.filled(shown[1], np.nan).ravel(), psf.fourth)
    # Lines of the ellipticity lie along x, in the middle of each place but that which failed.
    (lines,) = width.collections
    segments = np.array(lines.get_segments())
    assert segments.shape == (24, 2, 2)
    np.testing.assert_allclose(segments.mean(axis=1), np.column_stack([psf.x, psf.y])[:24])
    assert np.ptp(segments[..., 1], axis=1) == pytest.approx(0.0, abs=1e-9)
    assert "0.1400 to 0.1440 arcsec" in picture.alt
    assert "1 of 25 places" in picture.alt


def test_a_psf_that_failed_everywhere_is_drawn():
    psf = made_up.psf_over_the_image()
    unknown = {name: np.full(25, np.nan) for name in ("fwhm", "e1", "e2", "third", "fourth")}
    picture = draw_psf_shape(replace(psf, **unknown, flags=np.full(25, 3)), made_up.SHAPE, "p")
    assert "25 of 25 places" in picture.alt


def test_shifts_are_drawn_against_time_and_each_other():
    exposures = made_up.exposures()
    east, north, scatter = draw_shifts(exposures, "p").figure.axes
    used = exposures.is_used
    np.testing.assert_allclose(east.lines[0].get_ydata(), exposures.east[used])
    np.testing.assert_allclose(north.lines[0].get_ydata(), exposures.north[used])
    np.testing.assert_allclose(east.lines[0].get_xdata(), exposures.time[used] - 61473)
    np.testing.assert_allclose(scatter.lines[0].get_xydata()[:, 1], exposures.north[used])


def test_shifts_that_were_not_measured_are_said_to_be_none():
    exposures = made_up.exposures()
    nothing = np.full(exposures.time.size, np.nan)
    unmeasured = replace(exposures, east=nothing, north=nothing)
    east, north, _ = draw_shifts(unmeasured, "p").figure.axes
    assert [text.get_text() for axes in (east, north) for text in axes.texts] == ["not measured"] * 2
    assert not any(axes.texts for axes in draw_shifts(exposures, "p").figure.axes)


def test_an_exposure_that_was_left_out_is_marked_within_the_axes():
    for axes in draw_levels(made_up.exposures(), "p").figure.axes:
        crosses = axes.lines[-1]
        assert crosses.get_marker() == "X"
        low, high = axes.get_ylim()
        assert low <= crosses.get_ydata()[0] <= high
        assert len(crosses.get_ydata()) == 1


def test_a_wild_value_does_not_squeeze_the_others():
    low, high = value_limits(np.linspace(-1, 1, 100), np.array([400.0, np.nan]))
    assert -2 < low < -1
    assert 1 < high < 2
    assert value_limits(np.array([]), np.array([np.nan])) == (0, 1)


def test_objects_are_counted_by_magnitude_and_state():
    edges, counts = magnitude_histogram(made_up.sources())
    assert (edges[0], edges[-1]) == (20.0, 24.5)
    assert {state: list(np.flatnonzero(n)) for state, n in counts.items()} == {
        "known": [0],
        "new": [4],
        "merged": [8],
        "missing": [8],
    }
    assert counts["known"][0] == 3
    picture = draw_magnitudes(made_up.sources(), "p")
    assert "3 known, 1 new, 1 merged, 1 missing" in picture.alt


def test_errors_fits_and_sizes_are_drawn_against_magnitude():
    sources = made_up.sources()
    known, _ = draw_errors(sources, "p").figure.axes[0].lines
    np.testing.assert_allclose(known.get_xdata(), 20.1)
    np.testing.assert_allclose(known.get_ydata(), 10.857, atol=1e-3)
    assert draw_chi2(sources, "p").figure.axes[0].get_yscale() == "log"
    stars, extended, _ = draw_sizes(sources, "p").figure.axes[0].lines
    assert list(stars.get_ydata()) == [0, 0.01, 0]
    assert list(extended.get_ydata()) == [0.5]


def test_objects_are_drawn_where_they_are():
    sources = made_up.sources()
    lines = draw_places(None, sources, made_up.SHAPE, "p").figure.axes[0].lines
    drawn = {line.get_label().split()[0]: line.get_xdata() for line in lines}
    np.testing.assert_allclose(drawn["known"], sources.x[:3])
    np.testing.assert_allclose(drawn["missing"], sources.x[5:])
    looks = {(line.get_marker(), line.get_markeredgecolor()) for line in lines}
    assert len(looks) == 4


@pytest.mark.parametrize(("count", "is_hollow"), [(5, True), (5000, False)])
def test_many_marks_are_dots(count, is_hollow):
    axes = Figure().subplots()
    shown = draw_marks(axes, np.arange(count), np.arange(count), ("#0072B2", "s"), "known")
    (line,) = axes.lines
    assert (line.get_markerfacecolor() == "none") is is_hollow
    assert len(line.get_xdata()) == count
    assert shown.get_marker() == "s"


def test_the_significance_is_compared_with_the_unit_normal():
    pixels = made_up.difference_pixels()
    middle, share, normal = significance_histogram(pixels)
    width = middle[1] - middle[0]
    assert share.sum() * width == pytest.approx(1)
    assert normal.sum() * width == pytest.approx(1)
    assert share[0] * width == pytest.approx(1 / pixels.usable.sum())
    np.testing.assert_allclose(share[np.abs(middle) < 1], normal[np.abs(middle) < 1], atol=0.08)
    assert "3.39e-04" in draw_histogram(pixels, "p").alt


def test_the_difference_is_drawn_about_zero():
    picture = draw_significance(made_up.difference_pixels(), "p")
    (shown,) = picture.figure.axes[0].images
    assert shown.get_clim() == (-5, 5)
    assert "1.0100" in draw_kernel(made_up.difference_pixels(), "p").alt


def test_changes_are_drawn_by_kind():
    lines = draw_changes(None, made_up.changes(), made_up.SHAPE, "p").figure.axes[0].lines
    drawn = {line.get_label(): list(line.get_xdata()) for line in lines}
    assert drawn == {
        "new (1)": [59], "variable (1)": [30], "dipole (1)": [10], "hit (0)": [], "edge (0)": []
    }  # fmt: skip


def test_cut_outs_are_of_what_is_new_or_variable():
    found = draw_cut_outs(made_up.difference_pixels(), made_up.changes(), 12, "p")
    assert [(one.number, one.kind, one.object_id) for one in found] == [
        (1, "variable", 2**60),
        (2, "new", None),
    ]
    assert found[0].significance == -50
    after, before, difference = (axes.images[0] for axes in found[0].picture.figure.axes)
    middle = difference.get_array()[HALF_CUT_OUT, HALF_CUT_OUT]
    assert middle == -50
    assert difference.get_clim() == (-50, 50)
    assert after.get_clim() == before.get_clim()
    assert len(draw_cut_outs(made_up.difference_pixels(), made_up.changes(), 1, "p")) == 1
