"""Which light curves are searched; tests/loaders/event_efficiency/test_load.py compares with the database."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from loaders.event_efficiency.selection import Locus, connectedness, select, summary_of, variability_index

from .stars import FLUX, RULES, constant


def test_the_index_is_the_quantile_of_chi_square():
    star = constant(error=100.0)
    scattered = replace(star, error=(star.error / 1.05).astype(np.float32))
    summary = summary_of(scattered, 7)
    normal = stats.norm.isf(stats.chi2.sf(float(summary["weighted_m2"]), star.flux.size - 1))
    assert variability_index(summary, None) == pytest.approx(normal, abs=0.02)


def test_a_locus_takes_the_place_of_perfect_errors():
    summary = summary_of(constant(), 7)
    root = np.cbrt(summary["weighted_m2"] / (summary["n_point"] - 1))
    magnitude = 31.400066 - 2.5 * np.log10(float(summary["mean_flux"]))
    locus = Locus(magnitude + np.array([-0.5, 0.5]), np.array([0.8, 0.9]), np.array([0.1, 0.3]))
    assert variability_index(summary, locus) == pytest.approx((root - 0.85) / 0.2)
    beyond = Locus(magnitude + np.array([1.0, 2.0]), np.array([0.8, 0.9]), np.array([0.1, 0.3]))
    assert variability_index(summary, beyond) == pytest.approx((root - 0.8) / 0.1)


@pytest.mark.parametrize("bright", [0, 2, 3])
def test_three_points_in_a_row_are_searched_across_another_reference(bright):
    star = constant(error=100.0)
    flux = np.full_like(star.flux, FLUX)
    middle = star.flux.size // 2
    flux[middle - 1 : middle - 1 + bright] += 400
    reference = star.reference.copy()
    reference[middle:] += 50
    alone = replace(RULES, least_connection=np.inf)
    selection = select([replace(star, flux=flux, reference=reference)], alone)
    assert (selection.longest_run, selection.is_selected) == (bright, bright >= 3)


def test_one_element_suffices_and_none_says_nothing():
    star = constant()
    wild = replace(star, name="F087", error=star.error / 2)
    assert not select([star], RULES).is_selected
    assert select([star, wild], RULES).is_selected
    dead = replace(star, flux=np.full_like(star.flux, np.nan))
    nothing = select([dead], RULES)
    assert (nothing.longest_run, nothing.is_selected) == (0, False)
    assert np.isnan(nothing.variability_index)


@pytest.mark.parametrize("wrong", [0.3, 1.0, 3.0])
def test_successive_points_of_noise_have_nothing_to_do_with_each_other(wrong):
    """Whatever stated errors are, and with outliers: mean 0 and variance 1."""
    found = []
    for seed in range(200):
        star = constant(seed)
        flux = star.flux.copy()
        flux[100 :: flux.size // 5] += 800
        star = replace(star, flux=flux, error=(star.error * wrong).astype(np.float32))
        found.append(connectedness(summary_of(star, 7)))
    assert abs(np.mean(found)) < 4 / np.sqrt(200)
    assert np.std(found) == pytest.approx(1, abs=0.2)


def test_a_long_low_brightening_is_searched_where_errors_are_too_large():
    """Half an error for ten days: no point stands out, and chi-square is below that of right errors."""
    star = constant()
    flux = star.flux + np.where(np.abs(star.time - star.time.mean()) < 5, 100, 0).astype(np.float32)
    lit = replace(star, flux=flux, error=star.error * 2)
    selection = select([lit], RULES)
    assert selection.variability_index < 0
    assert selection.longest_run < 3
    assert connectedness(summary_of(lit, 7)) > 4
    assert selection.is_selected
    still = replace(star, flux=np.full_like(star.flux, FLUX))
    assert connectedness(summary_of(still, 7)) == 0
