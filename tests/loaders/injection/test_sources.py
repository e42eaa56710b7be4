"""Sources as they are given: what is read, and what is refused."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, Table

from loaders.injection.catalog import flux_of_magnitude, read_sources
from loaders.injection.given import Layout, drawable, lay_out
from loaders.injection.layout import Population, grid_sources, random_sources
from loaders.injection.sources import ArtificialSources, check_sources
from loaders.rejection import Rejected
from tests.loaders.injection.scenes import DEC, RA, projection


def written(tmp_path, columns, name="sources.ecsv"):
    path = tmp_path / name
    Table(columns).write(path)
    return path


def test_a_table_of_stars_and_galaxies(tmp_path):
    columns = {
        "ra": np.array([RA, RA]) * u.deg,
        "dec": np.array([DEC, DEC]),
        "flux": [1.0, 2.0] * u.uJy,
        "sersic_n": MaskedColumn([2.0, 0.0], mask=[False, True]),
        "half_light_radius": MaskedColumn([300.0, 0.0], mask=[False, True], unit=u.mas),
        "axis_ratio": MaskedColumn([0.5, 0.0], mask=[False, True]),
        "position_angle": MaskedColumn([30.0, 0.0], mask=[False, True]),
    }
    found = read_sources(written(tmp_path, columns))
    assert found.is_galaxy.tolist() == [True, False]
    np.testing.assert_allclose(found.flux, [1000, 2000])
    assert found.half_light_radius[0] == pytest.approx(0.3)
    assert found.source_id.tolist() == [0, 1]
    assert check_sources(found)[0].all()


def test_magnitudes_are_ab(tmp_path):
    found = read_sources(written(tmp_path, {"ra": [RA], "dec": [DEC], "magnitude": [23.9], "source_id": [7]}))
    assert found.flux[0] == pytest.approx((23.9 * u.ABmag).to_value(u.nJy), rel=1e-4)
    assert found.source_id[0] == 7
    assert flux_of_magnitude(np.array([31.4]))[0] == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize(
    ("columns", "code", "said"),
    [
        ({"ra": [1.0], "dec": [1.0], "flux": [1.0], "colour": [1.0]}, "unknown_columns", "colour"),
        ({"ra": [1.0], "flux": [1.0]}, "missing_columns", "dec"),
        ({"ra": [1.0], "dec": [1.0]}, "missing_columns", "one of flux and magnitude"),
        ({"ra": [1.0], "dec": [1.0], "flux": [1.0], "magnitude": [1.0]}, "missing_columns", "one of flux"),
        ({"ra": ["here"], "dec": [1.0], "flux": [1.0]}, "not_numbers", "no numbers"),
        ({"ra": [1.0], "dec": [1.0], "flux": [1.0] * u.s}, "bad_unit", "s cannot be converted to nJy"),
        ({"ra": [1.0], "dec": [1.0], "flux": [1.0], "source_id": ["a"]}, "not_numbers", "whole number"),
        ({"ra": [], "dec": [], "flux": []}, "no_rows", "no rows"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_a_line(tmp_path, columns, code, said):
    path = written(tmp_path, columns)
    with pytest.raises(Rejected, match=said) as refused:
        read_sources(path)
    assert refused.value.code == code
    assert "\n" not in str(refused.value)
    assert str(path) in str(refused.value)


def test_each_source_that_cannot_be_is_refused_with_its_reason():
    nan = np.nan
    rows = np.array(
        [
            # ra, dec, flux, sersic_n, half_light_radius, axis_ratio, position_angle
            [RA, DEC, 1.0, nan, nan, nan, nan],
            [nan, DEC, 1.0, nan, nan, nan, nan],
            [RA, -91.0, 1.0, nan, nan, nan, nan],
            [RA, DEC, nan, nan, nan, nan, nan],
            [RA, DEC, -1.0, nan, nan, nan, nan],
            [RA, DEC, np.inf, nan, nan, nan, nan],
            [RA, DEC, 1.0, 0.1, 0.3, 0.5, 0.0],
            [RA, DEC, 1.0, 1.0, 9.0, 0.5, 0.0],
            [RA, DEC, 1.0, 1.0, 0.3, 1.5, 0.0],
            [RA, DEC, 1.0, 1.0, 0.3, 0.5, nan],
            [RA, DEC, 1.0, 1.0, 0.3, 0.5, 10.0],
            [RA + 1, DEC, 1.0, nan, nan, nan, nan],
            [RA, DEC, 1.0, nan, nan, nan, nan],
        ]
    )
    number = np.arange(13)
    number[12] = 0
    good, refused = drawable(ArtificialSources(number, *rows.T), [projection()])
    assert np.flatnonzero(good).tolist() == [0, 10]
    assert [one.code for one in refused] == (
        ["bad_position"] * 2 + ["bad_flux"] * 3 + ["bad_profile"] * 4 + ["off_image", "repeated_source_id"]
    )
    assert [one.row for one in refused] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12]
    assert refused[3].row_of("here")["reason"] == "flux -1 nJy"


def test_a_source_on_any_image_is_good():
    """Of two images that lie apart a source need be on one alone."""
    other = projection((20, 20))
    star = ArtificialSources.stars(*projection().to_sky(np.array([5.0]), np.array([5.0])), np.ones(1))
    assert not drawable(star, [other])[0].any()
    assert drawable(star, [other, projection()])[0].all()


def test_a_random_layout_fills_the_image():
    seen = projection()
    rng = np.random.default_rng(1)
    found = random_sources(seen, 4000, Population((18.0, 24.0), 0.25), rng)
    x, y = seen.to_pixel(found.ra, found.dec)
    assert seen.inside(x, y).all()
    counts = np.histogram2d(y, x, bins=4, range=[[-0.5, 159.5], [-0.5, 179.5]])[0]
    assert counts.min() > 180
    assert found.is_galaxy.mean() == pytest.approx(0.25, abs=0.03)
    magnitude = (found.flux * u.nJy).to_value(u.ABmag)
    assert (magnitude.min(), magnitude.max()) == (pytest.approx(18, abs=0.01), pytest.approx(24, abs=0.01))
    assert drawable(found, [seen])[0].all()


def test_a_grid_keeps_its_distances():
    seen = projection()
    found = grid_sources(seen, 20.0, Population((20.0, 20.0)), np.random.default_rng(1))
    x, y = seen.to_pixel(found.ra, found.dec)
    assert len(found) == 8 * 9
    distance = np.hypot(x[:, None] - x, y[:, None] - y)
    np.fill_diagonal(distance, np.inf)
    assert distance.min() > 18


@pytest.mark.parametrize("spacing", [0.5, 500.0])
def test_a_grid_that_does_not_fit_is_refused(spacing):
    layout = Layout(spacing=spacing, population=Population((20.0, 21.0)))
    with pytest.raises(Rejected, match="spacing must be in"):
        lay_out(layout, 1, projection())


@pytest.mark.parametrize("magnitudes", [(22.0, 20.0), (np.nan, 20.0)])
def test_magnitudes_ascend(magnitudes):
    with pytest.raises(ValueError, match="ascending"):
        Population(magnitudes)


def test_the_same_seed_gives_the_same_sources():
    layout = Layout(number=5, population=Population((20.0, 21.0)))
    first, second = (lay_out(layout, 3, projection()) for _ in range(2))
    np.testing.assert_array_equal(first.ra, second.ra)
    assert (lay_out(layout, 4, projection()).ra != first.ra).all()
