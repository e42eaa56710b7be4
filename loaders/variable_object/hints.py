"""A hint of what kind of variable a star is, from its statistics, its period and its trend."""

from __future__ import annotations

from dataclasses import dataclass

#: Decimal logarithm of the false-alarm probability, and share explained, that a period needs.
FALSE_ALARM, EXPLAINED = -6.0, 0.5

#: Cycles that a light curve must hold for its period to be more than what happened once.
FEWEST_CYCLES = 3.0

#: Share of the excess over noise that a straight line must explain to be a trend.
BY_A_LINE = 0.7

#: Von Neumann's ratio above which successive points have nothing to do with each other.
UNCONNECTED = 1.5

#: Skewness of fluxes beyond which a star mostly brightens or fades.
LOPSIDED = 1.0


@dataclass(frozen=True)
class Traits:
    """What a hint is made of; NaN where unknown.

    Parameters
    ----------
    log_false_alarm, explained
        Of the best period: `loaders.variable_object.periods.Period`.
    cycles
        How many of its cycles the light curves span.
    by_a_line
        Share of the excess over noise that a straight line explains.
    skewness, von_neumann
        Of the fluxes in the element with most points.
    """

    log_false_alarm: float
    explained: float
    cycles: float
    by_a_line: float
    skewness: float
    von_neumann: float


def hint(traits: Traits) -> str:
    """Name the first of these that holds.

    ``eclipsing``: periodic, and mostly fading; ``periodic``; ``trend``: a straight line explains most of it;
    ``scatter``: successive points have nothing to do with each other; ``brightening`` and ``fading``: rare
    bright or faint points in a row, as in outbursts, lenses and occultations; else ``irregular``.
    """
    certain = traits.log_false_alarm < FALSE_ALARM and traits.explained > EXPLAINED
    if certain and traits.cycles >= FEWEST_CYCLES:
        return "eclipsing" if traits.skewness < -LOPSIDED else "periodic"
    if traits.by_a_line > BY_A_LINE:
        return "trend"
    if traits.von_neumann > UNCONNECTED:
        return "scatter"
    if abs(traits.skewness) > LOPSIDED:
        return "brightening" if traits.skewness > 0 else "fading"
    return "irregular"
