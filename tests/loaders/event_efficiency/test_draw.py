"""Events are drawn as it is said, and those of one number are always the same."""

import numpy as np
import pytest
from scipy import stats

from loaders.event_efficiency.draw import (
    PLANET,
    POINT_LENS,
    Q_EDGES,
    S_EDGES,
    TIME_EDGES,
    Setup,
    draw,
    source_fraction,
)
from loaders.event_efficiency.strata import ConstantStar, star_of, strata

SEASONS = np.array([[2461448.5, 2461520.5], [2461636.5, 2461708.5]])


def events(kind: str, number: int, n_stratum: int = 1) -> list[dict]:
    setup = Setup(kind, 3, n_stratum)
    return [draw(setup, k, (20.0, SEASONS), np.random.default_rng([3, k])) for k in range(number)]


def test_cells_of_einstein_time_take_turns_after_the_strata():
    drawn = events(POINT_LENS, 42, n_stratum=2)
    cells = [np.searchsorted(TIME_EDGES, event["t_E"], side="right") - 1 for event in drawn]
    assert cells == [k // 2 % 7 for k in range(42)]


def test_planets_fill_all_cells_evenly():
    drawn = events(PLANET, 32)
    cells = {
        (int(np.digitize(event["s"], S_EDGES)), int(np.digitize(event["q"], Q_EDGES))) for event in drawn
    }
    assert cells == {(s, q) for s in range(1, 5) for q in range(1, 5)}


def test_u_0_and_t_0_are_uniform():
    drawn = events(POINT_LENS, 300)
    u_0 = np.array([event["u_0"] for event in drawn])
    assert stats.kstest(np.abs(u_0), "uniform").pvalue > 1e-3
    assert 100 < np.sum(u_0 < 0) < 200
    days = np.array([event["t_0"] for event in drawn])
    inside = [(days >= a) & (days <= b) for a, b in SEASONS]
    assert (inside[0] | inside[1]).all()
    assert 100 < inside[0].sum() < 200


def test_the_source_keeps_its_width_and_the_lens_its_mass():
    for event in events(POINT_LENS, 14):
        # θ_E = κ M π_E; stars of 20 mag have some tenths of a microarcsecond.
        parallax = np.hypot(event["pi_E_N"], event["pi_E_E"])
        if parallax < 1.99:
            assert event["theta_E"] == pytest.approx(8.144 * event["lens_mass"] * parallax)
        assert 1e-4 < event["rho"] * event["theta_E"] < 2e-3


def test_long_events_are_slow_and_short_ones_have_small_radii():
    drawn = events(POINT_LENS, 280)
    long = [event for event in drawn if event["t_E"] > 100]
    short = [event for event in drawn if event["t_E"] < 0.3]
    motion, parallax, radius = (
        [np.median([of(event) for event in some]) for some in (short, long)]
        for of in (
            lambda event: event["theta_E"] / event["t_E"] * 365.25,
            lambda event: np.hypot(event["pi_E_N"], event["pi_E_E"]),
            lambda event: event["theta_E"],
        )
    )
    # Medians of the bulge, mas a year, mas: parallaxes of 2 are of lenses within a few hundred parsecs.
    assert motion[0] > 3 > 1.5 > motion[1] > 0.1
    assert radius[0] < 0.05 < 0.2 < radius[1] < 1
    assert parallax[0] < 0.05 < parallax[1] < 0.5


def test_a_number_says_all():
    assert events(POINT_LENS, 5)[:3] == events(POINT_LENS, 3)


def test_a_part_of_the_light_is_magnified():
    rng = np.random.default_rng(1)
    bright, faint = (np.mean([source_fraction(flux, rng) for _ in range(50)]) for flux in (1e6, 100.0))
    assert 0 < faint < bright <= 1


def test_strata_take_turns_and_so_do_their_stars():
    stars = [
        ConstantStar(10 * cell + k, cell, field) for k in range(2) for cell in (20, 18) for field in (1,)
    ]
    stars.append(ConstantStar(1, 18, None))
    groups = strata(stars)
    assert [[star.object_id for star in group] for group in groups] == [[1], [180, 181], [200, 201]]
    turns = [star_of(k, groups) for k in range(9)]
    assert [star.object_id for star, _ in turns] == [1, 180, 200, 1, 181, 201, 1, 180, 200]
    assert [is_first for _, is_first in turns] == [True, True, True, False, True, True, False, False, False]
