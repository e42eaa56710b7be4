"""End of season: how often the posteriors of models cover the truth of simulated events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bench.record import Figure
from bench.season_models import Looked
from loaders.lens import parallax
from loaders.light_curve_simulation.simulate import SimulatedCurve

AREA = "season"

WANTED, MARGIN = 0.68, 0.05
"""Share of the truths that intervals of one standard error cover, and how far off it may be."""

NAMES = ("t_0", "u_0", "t_E", "rho", "s", "q")


def truth_of(curve: SimulatedCurve, t_0_par: float | None) -> dict[str, float]:
    """Parameters of a simulated event as models have them: in the geocentric frame of a time.

    The path of the source and that of the observer are the same in all frames: what is a straight line less
    the displacement of the observer in one is it, less another displacement, in the other (Gould 2004, ApJ
    606, 319). The axis of two lenses stays where it is on the sky, so that alpha turns as the path does.
    Origin and signs are those of models: the simulator's path is from the centre of mass, too.

    Parameters
    ----------
    curve
        The event; its truth is in the frame of an observer at L2.
    t_0_par
        Time of reference of the frame, BJD (TDB); None for the observer's own.
    """
    truth = dict(curve.truth)
    if t_0_par is None:
        return truth
    pi_e = np.array([truth["pi_E_N"], truth["pi_E_E"]])
    size = float(np.hypot(*pi_e))
    if size == 0:
        return truth
    along = pi_e / size
    across = np.array([-along[1], along[0]])
    times = t_0_par + np.array([0.0, 1.0])
    place = curve.ra, curve.dec
    seen = np.array(parallax.offsets(times, *place, truth["t_0_par"], "observer"))
    framed = np.array(parallax.offsets(times, *place, t_0_par, "earth"))
    line = np.outer(along, (times - truth["t_0"]) / truth["t_E"]) + truth["u_0"] * across[:, None]
    line = line + size * (seen - framed)
    first, velocity = line[:, 0], line[:, 1] - line[:, 0]
    speed = float(np.hypot(*velocity))
    ahead = velocity / speed
    moved = {
        "t_0": t_0_par - float(first @ ahead) / speed,
        "u_0": float(first[1] * ahead[0] - first[0] * ahead[1]),
        "t_E": 1 / speed,
        "pi_E_N": size * float(ahead[0]),
        "pi_E_E": size * float(ahead[1]),
    }
    if "alpha" in truth:
        turn = np.arctan2(ahead[1], ahead[0]) - np.arctan2(along[1], along[0])
        moved["alpha"] = float((truth["alpha"] + np.degrees(turn)) % 360)
    return truth | moved


def of_posteriors(events: Sequence[Looked], which: str) -> Iterator[Figure]:
    """Of the first models of events: how many have a posterior, and how often it covers the truth."""
    known = [event for event in events if event.best.posterior is not None]
    name = f"posteriors of {len(events)} {which}"
    yield Figure(AREA, f"{name}: sampled", len(known) / max(len(events), 1), "", 0.9, "max")
    inside: dict[str, list[bool]] = {name: [] for name in NAMES}
    for event in known:
        for parameter, is_covered in _covered(event).items():
            inside[parameter].append(is_covered)
    for parameter, covered in inside.items():
        if covered:
            share = float(np.mean(covered))
            text = f"{name}: {parameter} of {len(covered)} within 68 %"
            error = float(np.sqrt(share * (1 - share) / len(covered)))
            yield Figure(AREA, text, share, f"± {error:.2f}", None, "max")
            yield Figure(AREA, f"{text}, off {WANTED} by", abs(share - WANTED), "", MARGIN, "min")


def _covered(event: Looked) -> dict[str, bool]:
    """Whether the truth is within the interval, by parameter.

    Light curves hardly tell on which side a source passes: u_0 is taken to be on that of the posterior,
    unless that is on both.
    """
    posterior = event.best.posterior
    truth = truth_of(event.curve, event.best.t_0_par)
    covered = {}
    for name in NAMES:
        if posterior is None or name not in truth or name not in posterior.quantile:
            continue
        lower, _, upper = posterior.quantile[name]
        value = truth[name]
        if name == "u_0" and lower * upper > 0:
            value = np.copysign(value, lower)
        covered[name] = bool(lower <= value <= upper)
    return covered
