"""Which solutions are better: hand-made cases, and what it does to errors of places."""

import dataclasses

import numpy as np
import pytest

from loaders.adopted_astrometry.rule import AdoptionLimits, is_better, with_zero_points
from loaders.astrometric_solution.catalogued import Catalogued
from loaders.astrometry.place import CatalogAstrometry


def one(error, epoch=2028.0):
    """An object with errors of ra, dec, parallax, pm_ra, pm_dec."""
    zero = np.zeros(1)
    return Catalogued(
        CatalogAstrometry(zero, zero, np.full(1, epoch), zero, zero, zero), np.array([error], float)
    )


GOOD = (0.1, 0.1, 0.05, 0.1, 0.1)
UNKNOWN = (np.nan,) * 5


@pytest.mark.parametrize(
    ("solution", "known", "better"),
    [
        (GOOD, UNKNOWN, True),
        (GOOD, GOOD, False),
        (GOOD, (0.1, 0.1, 0.05, 0.2, 0.2), True),
        # Of both components, by three tenths.
        (GOOD, (0.1, 0.1, 0.05, 0.2, 0.13), False),
        # A parallax, or a place, that would be worse.
        (GOOD, (0.1, 0.1, 0.04, 0.2, 0.2), False),
        (GOOD, (0.1, 0.09, 0.05, 0.2, 0.2), False),
        # What is not catalogued is taken to be zero, and is off by what stars have.
        ((0.1, 0.1, 0.05, 2.2, 0.1), UNKNOWN, False),
        ((0.1, 0.1, 0.35, 0.1, 0.1), UNKNOWN, False),
        ((0.1, 0.1, 0.29, 2.0, 2.0), (0.5, 0.5, np.nan, np.nan, np.nan), True),
    ],
)
def test_all_of_a_solution_has_to_be_better(solution, known, better):
    assert is_better(one(solution), np.zeros(1), one(known)).tolist() == [better]


def test_places_are_compared_when_the_solution_is():
    # A catalog of 2016 with 0.2 mas/yr does not know to 2.4 mas where its stars are in 2028.
    old = one((0.1, 0.1, 0.05, 0.2, 0.2), epoch=2016.0)
    assert is_better(one((2.4, 2.4, 0.05, 0.1, 0.1)), np.zeros(1), old).all()
    assert not is_better(one((2.5, 2.4, 0.05, 0.1, 0.1)), np.zeros(1), old).any()


def test_stars_whose_epochs_disagree_are_left():
    assert is_better(one(GOOD), np.array([0.25]), one(UNKNOWN)).all()
    assert not is_better(one(GOOD), np.array([0.3]), one(UNKNOWN)).any()


def test_zero_points_count_where_they_are_known():
    got = with_zero_points(one((3.0, 3.0, 3.0, 3.0, 3.0)), np.array([[4.0, 0.0]]))
    np.testing.assert_allclose(got.error, [[3, 3, 5, 3, 3]])
    got = with_zero_points(one((3.0, 3.0, 3.0, 3.0, 3.0)), np.array([[np.nan, 4.0]]))
    np.testing.assert_allclose(got.error, [[3, 3, 3, 5, 5]])


def test_what_is_adopted_is_not_worse_where_it_is_used():
    rng = np.random.default_rng(1)
    n = 4000
    solution, known = (
        Catalogued(
            CatalogAstrometry(
                *(np.zeros(n) for _ in range(2)), rng.uniform(2016, 2030, n), *np.zeros((3, n))
            ),
            np.where(rng.random((n, 5)) < empty, np.nan, 10 ** rng.uniform(-2, 1, (n, 5))),
        )
        for empty in (0.0, 0.2)
    )
    better = is_better(solution, np.zeros(n), known)
    assert 50 < better.sum() < n / 2
    limits = AdoptionLimits()
    truth = rng.standard_normal((2, n, 5))
    width = np.array([1e3, 1e3, limits.parallax, limits.motion, limits.motion])
    off = [truth[0] * np.where(np.isnan(known.error), width, known.error), truth[1] * solution.error]
    # A catalog's place some years after the solution, and that of the solution, by drawing both.
    for years in (0.0, 3.0, 10.0):
        ages = years + solution.astrometry.ref_epoch - known.astrometry.ref_epoch
        later = better & (ages >= years)
        before = off[0][:, 1] + ages * off[0][:, 4]
        after = off[1][:, 1] + years * off[1][:, 4]
        assert np.median(np.abs(after[later])) < np.median(np.abs(before[later]))
    again = is_better(solution, np.zeros(n), dataclasses.replace(solution))
    assert not again.any()
