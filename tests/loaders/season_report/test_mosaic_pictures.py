"""The picture of a mosaic: light where it is, detectors where they are, east on the left."""

import numpy as np
import pytest

from loaders.report_page.picture import save_picture, styled
from loaders.season_report.facts import MosaicFacts
from loaders.season_report.mosaic_pictures import draw_mosaic, stretched
from loaders.season_report.page import season_page
from tests.loaders.season_report import made_up

SIDE, SCALE = 10, 0.11


def facts():
    """Two detectors, a gap between them, a star on the second."""
    small = np.full((40, 60), np.nan)
    small[5:35, 3:27], small[5:35, 33:57] = 1.0, 1.2
    small[20, 45] = 50.0
    small[~np.isnan(small)] += np.random.default_rng(1).normal(size=int(np.isfinite(small).sum())) * 0.05
    outlines = {
        name: (np.array([low, high, high, low]) * SIDE, np.array([5, 5, 35, 35]) * SIDE)
        for name, low, high in (("WFI01", 3, 27), ("WFI02", 33, 57))
    }
    shape = (small.shape[0] * SIDE, small.shape[1] * SIDE)
    of_row = 7, "GBTDS_01", 1, "F146", 1234, 0.6, "/products/m.asdf"
    return MosaicFacts(*of_row, shape, SCALE, 300, 200, small, SIDE, outlines)


def test_detectors_are_outlined_where_their_light_is(tmp_path):
    one = facts()
    with styled():
        picture = draw_mosaic(one)
        saved = save_picture(picture, tmp_path)
    assert (tmp_path / saved.file).stat().st_size > 1000
    (axes,) = picture.figure.axes
    (image,) = axes.images
    left, right, bottom, top = image.get_extent()
    # The centre of the field is pixel (300, 200): the middle of the picture but for half a pixel.
    assert (left, bottom) == pytest.approx((-300.5 * SCALE / 60, -200.5 * SCALE / 60))
    assert (right - left, top - bottom) == pytest.approx((600 * SCALE / 60, 400 * SCALE / 60))
    shown = np.ma.filled(image.get_array(), np.nan)
    assert len(axes.lines) == 2
    for line in axes.lines:
        columns = (line.get_xdata() - left) / (right - left) * shown.shape[1]
        inside = shown[5:35, round(columns.min()) : round(columns.max())]
        assert np.isfinite(inside).all()
    assert np.isnan(shown[:, 27:33]).all()
    assert {text.get_text() for text in axes.texts} == {"WFI01", "WFI02"}
    assert "2 detectors" in picture.alt
    assert "1,234 exposures" in picture.caption


def test_stars_are_light_and_the_sky_is_dark():
    small = facts().small
    shown = stretched(small)
    assert np.nanmax(shown) == shown[20, 45] == 1
    assert np.nanmedian(shown) < 0.8
    assert np.nanmin(shown) == 0
    np.testing.assert_array_equal(np.isnan(shown), np.isnan(small))
    order = np.argsort(small[np.isfinite(small)])
    assert (np.diff(shown[np.isfinite(small)][order]) >= 0).all()


def test_empty_and_flat_images_can_be_drawn():
    assert np.isnan(stretched(np.full((3, 3), np.nan))).all()
    assert np.isfinite(stretched(np.full((3, 3), 2.0))).all()


@pytest.mark.heavy
def test_the_page_of_a_season_has_it(tmp_path):
    page = season_page(made_up.season(mosaics=[facts()]), [], 6.0, tmp_path)
    (saved,) = page.mosaics
    assert (tmp_path / saved.file).is_file()
    assert "Mosaic of GBTDS_01 in F146, season 1" in saved.title
