"""A cell has its clump, or the reason why not."""

import numpy as np
import pytest

from loaders.extinction.cell import Surroundings, element_columns, measure_cell
from loaders.extinction.stars import Stars, stars_from_fluxes
from tests.loaders.extinction.diagram import CLUMP, RATIO, Recipe, draw
from tests.loaders.extinction.sky import ROOT, bands, configuration

ELEMENTS = ("F087", "F146", "F213")


def around(**changes):
    return Surroundings(configuration(**changes), bands(), 0.0)


def stars_of(recipe, dust, rng, **missing):
    """Stars of a cell behind even dust; elements may be missing."""
    magnitude = draw(recipe, lambda n: np.full(n, dust), rng)
    magnitude |= {name: np.full_like(magnitude["F146"], np.nan) for name in missing}
    return Stars(np.arange(magnitude["F146"].size) + ROOT.first, magnitude)


def statuses(stars, **changes):
    result = measure_cell(stars, around(**changes))
    return {name: result.elements[name].status for name in ELEMENTS}


@pytest.mark.heavy
@pytest.mark.parametrize("dust", [0.6, 1.3, 2.4])
def test_the_clump_is_found_wherever_dust_has_moved_it(dust):
    rng = np.random.default_rng(3)
    pulls = []
    for _ in range(40):
        found = measure_cell(stars_of(Recipe(), dust, rng), around()).elements
        off = {name: found[name].magnitude - CLUMP[name] - RATIO[name] * dust for name in ELEMENTS}
        pulls.append([off[name] / found[name].error for name in ELEMENTS])
    np.testing.assert_allclose(np.std(pulls, axis=0), 1.0, atol=0.35)
    np.testing.assert_allclose(np.mean(pulls, axis=0), 0.0, atol=0.5)


@pytest.mark.heavy
def test_elements_share_their_errors_as_they_say():
    """The error of a colour excess follows from the covariance, and is that which is made."""
    rng = np.random.default_rng(6)
    off, errors = [], []
    for _ in range(60):
        one = measure_cell(stars_of(Recipe(), 0.8, rng), around()).elements
        for name in ("F087", "F213"):
            variance = one[name].error ** 2 + one["F146"].error ** 2 - 2 * one[name].covariance
            errors.append(np.sqrt(variance))
            truth = CLUMP[name] - CLUMP["F146"] + (RATIO[name] - 1.0) * 0.8
            off.append(one[name].magnitude - one["F146"].magnitude - truth)
    assert np.std(np.array(off) / errors) == pytest.approx(1.0, abs=0.2)
    # Which is far better than if they were independent.
    assert np.median(errors) < 0.3 * np.median([one["F146"].error])


def test_columns_add_what_all_cells_share():
    place = around()
    result = measure_cell(stars_of(Recipe(), 0.8, np.random.default_rng(1)), place)
    rows = {row["optical_element"]: row for row in element_columns(result, place)}
    values, modulus = place.configuration.clump.magnitude_err, place.configuration.distance.modulus_err
    for name, row in rows.items():
        assert row["clump_mag_intrinsic"] == pytest.approx(CLUMP[name])
        assert row["extinction"] == pytest.approx(row["clump_mag"] - CLUMP[name])
        whole = np.sqrt(row["clump_mag_err"] ** 2 + values[name] ** 2 + modulus**2)
        assert row["extinction_err"] == pytest.approx(whole)
    f146, f087 = rows["F146"], rows["F087"]
    assert f146["extinction_covariance_f146"] == pytest.approx(f146["extinction_err"] ** 2)
    # Both know the distance no better: that part is common to them.
    common = f087["extinction_covariance_f146"] - result.elements["F087"].covariance
    assert common == pytest.approx(modulus**2)


def test_no_stars():
    nothing = np.zeros(0)
    empty = Stars(np.zeros(0, np.int64), dict.fromkeys(ELEMENTS, nothing))
    assert set(statuses(empty).values()) == {"no_stars"}


def test_too_few_stars():
    some = stars_of(Recipe(clump=10, giants=30, front=5), 0.8, np.random.default_rng(1))
    assert set(statuses(some).values()) == {"too_few_stars"}


def test_stars_in_front_alone_have_no_clump():
    rng = np.random.default_rng(2)
    for _ in range(10):
        found = set(statuses(stars_of(Recipe(0, 0, 900), 0.8, rng)).values())
        assert found <= {"no_clump", "not_converged"}


def test_giants_without_a_clump_have_none():
    rng = np.random.default_rng(2)
    found = [set(statuses(stars_of(Recipe(0, 900, 60), 1.2, rng)).values()) for _ in range(10)]
    assert all("fitted" not in one for one in found)


def test_one_element_alone_has_no_colour():
    some = stars_of(Recipe(), 0.8, np.random.default_rng(1), F087=None, F213=None)
    assert statuses(some) == {"F146": "no_colour", "F087": "not_measured", "F213": "not_measured"}


@pytest.mark.parametrize("missing", ["F087", "F213"])
def test_without_one_colour_the_other_does(missing):
    some = stars_of(Recipe(), 0.8, np.random.default_rng(1), **{missing: None})
    found = statuses(some)
    assert found.pop(missing) == "not_measured"
    assert set(found.values()) == {"fitted"}


def test_a_clump_that_saturates_is_none():
    """Brighter than the limit, at it, or near enough for half of it to be missing."""
    rng = np.random.default_rng(4)
    for limit in (15.4, 15.8, 16.4):
        some = stars_of(Recipe(), 0.8, rng)
        found = statuses(some, limits={"bright": {"F146": limit}})
        assert set(found.values()) == {"saturated"}, limit


def test_a_clump_beyond_the_faint_limit_is_incomplete():
    some = stars_of(Recipe(), 1.8, np.random.default_rng(4))
    found = statuses(some, limits={"faint": {"F146": 16.5}})
    assert "fitted" not in found.values()
    one = statuses(some, limits={"faint": {"F087": 18.5}})
    assert one == {"F146": "fitted", "F213": "fitted", "F087": "incomplete"}
    one = statuses(some, limits={"bright": {"F213": 15.7}})
    assert one == {"F146": "fitted", "F087": "fitted", "F213": "saturated"}


def test_what_is_not_fitted_has_no_numbers():
    lost = measure_cell(stars_of(Recipe(0, 0, 900), 0.8, np.random.default_rng(2)), around())
    for row in element_columns(lost, around()):
        known = {name for name, value in row.items() if isinstance(value, float) and np.isfinite(value)}
        assert known == {"clump_mag_intrinsic"}


def test_magnitudes_are_ab_and_rows_in_order():
    flux = {"F146": np.array([3631.0, np.nan, -5.0, 0.0])}
    some = stars_from_fluxes(np.array([7, 3, 5, 1]), flux)
    assert some.pixel.tolist() == [1, 3, 5, 7]
    np.testing.assert_allclose(some.magnitude["F146"], [np.nan, np.nan, np.nan, 22.5])


def test_uneven_dust_is_told_and_does_not_mislead():
    """Colours spread beyond the window that is laid first: it is laid wider.

    The clump comes out brighter by about its error, as the page says.
    """
    rng = np.random.default_rng(9)
    pulls, spreads = [], []
    for _ in range(25):
        magnitude = draw(Recipe(), lambda n: 1.6 + 0.3 * rng.standard_normal(n), rng)
        some = Stars(np.arange(magnitude["F146"].size) + ROOT.first, magnitude)
        result = measure_cell(some, around())
        one = result.elements["F146"]
        pulls.append((one.magnitude - CLUMP["F146"] - 1.6) / one.error)
        spreads.append(result.spread)
        assert all(np.isfinite(e.error) for e in result.elements.values() if e.status == "fitted")
    assert np.isfinite(pulls).mean() > 0.9
    assert np.nanstd(pulls) == pytest.approx(1.0, abs=0.5)
    assert np.nanmean(pulls) == pytest.approx(-0.7, abs=0.7)
    assert np.median(spreads) == pytest.approx(0.3, abs=0.06)
