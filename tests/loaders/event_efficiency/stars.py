"""Light curves of constant stars, and rules of the search, made up."""

from __future__ import annotations

import numpy as np

from loaders.event_efficiency.draw import POINT_LENS, Setup
from loaders.event_efficiency.points import Points
from loaders.event_efficiency.selection import Rules
from loaders.event_efficiency.trial import Trial

BEGIN, DAYS = 2461448.5, 60
FLUX = 20_000.0
RULES = Rules(3.0, 3, 4.0, 7, {})
PLACE = (268.0, -29.3)


def constant(seed: int = 1, error: float = 100.0, element: str = "F146", step: float = 0.02) -> Points:
    """A constant star with right errors, one point in half an hour."""
    rng = np.random.default_rng(seed)
    time = BEGIN + np.arange(0, DAYS, step)
    flux = FLUX + error * rng.standard_normal(time.size)
    return Points(
        element,
        time,
        flux.astype(np.float32),
        np.full(time.size, error, np.float32),
        np.zeros(time.size, np.uint16),
        np.full(time.size, FLUX),
    )


def trial(number: int = 0, kind: str = POINT_LENS, **more) -> Trial:
    return Trial(number, 1, PLACE, [constant(number + 1, **more)], Setup(kind, 5, 1), RULES)
