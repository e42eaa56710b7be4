"""Lenses whose light curves are nearly the same: close and wide pairs, and the other side of the lens.

A close pair is a lens with a quadrupole ``s² q / (1 + q)²``, one of a wide pair a lens in the tide
``q / d²`` of the other, d being in Einstein radii of the first one alone. Where both are the same the
caustics are to first order; to the next if ``s (1 - q) / (1 + q) = 1 / d``, too, so that mass ratios are
related by ``q_wide = q_close / (1 - q_close)²`` (Dominik 1999, A&A 349, 108; An 2005, MNRAS 356, 1409).
The Einstein radius of one of the wide pair is smaller than that of both, so that t_E, u_0, rho and the
parallax change.
Planets have twins whose caustics the source meets at the same place of the axis (Zhang, Gaudi & Bloom 2022,
Nature Astronomy 6, 782).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from loaders.event_models.kinds import BINARY
from loaders.event_models.seeds import about_centre_of_mass
from loaders.event_models.sides import other_side
from loaders.stored_curve.band import FloatArray

#: Mass ratio below which the second lens only disturbs the first.
PLANET = 0.1

_HEAVIEST = 5.0
"""Mass over that of the lens in whose tide the source is seen: heavier ones are as well farther away."""

_LEAST_D = 1.1
"""Separation, in Einstein radii of one, below which a pair is not wide."""


def twins(best: FloatArray) -> list[FloatArray]:
    """Places from which fits find lenses that a light curve hardly tells from one that is known.

    Parameters
    ----------
    best
        Shape (7,) or, with parallax, (9,): as `loaders.event_models.kinds.BINARY` has them, ln q of any sign.

    Returns
    -------
    list of ndarray
        Of the same shape.
    """
    plain = best.copy()
    plain[3] = -plain[3]
    found = [plain, *(_tidal(best) if best[3] > 0 else _quadrupolar(best))]
    if abs(best[4]) > -np.log(PLANET):
        found.append(_offset(best if best[4] < 0 else swapped(best)))
    if best.size > 7:
        # Smith, Mao & Paczyński (2003, MNRAS 339, 925).
        found.append(other_side(BINARY, best))
    return [twin for twin in found if np.isfinite(twin).all()]


def swapped(parameter: FloatArray) -> FloatArray:
    """The same lenses, the second one named first."""
    out = parameter.copy()
    out[4], out[5] = -out[4], out[5] + np.pi
    return out


def _tidal(wide: FloatArray) -> Iterator[FloatArray]:
    """Close pairs like a wide one: about the lens that the source passes nearer by, and about the other."""
    both = sorted((wide, swapped(wide)), key=lambda one: abs(float(_alone(one)[1])))
    for one in both:
        q = float(np.exp(one[4]))
        apart = float(np.exp(one[3])) * np.sqrt(1 + q)
        close = 1 + (1 - np.sqrt(1 + 4 * q)) / (2 * q)
        s = (1 + close) / (1 - close) / apart
        yield _rebuilt(_alone(one), (s, close, float(one[5])), 1 / np.sqrt(1 + q))


def _quadrupolar(close: FloatArray) -> Iterator[FloatArray]:
    """Wide pairs like a close one: with its octupole, too, and with equal masses on either side."""
    one = close if close[4] <= 0 else swapped(close)
    q, s, alpha = float(np.exp(one[4])), float(np.exp(one[3])), float(one[5])
    tide = (s / (1 + q)) ** 2 * q
    octupole = min(q / max(1 - q, 1e-9) ** 2, _HEAVIEST)
    for wide, turn in ((octupole, 0.0), (1.0, 0.0), (octupole, np.pi), (1.0, np.pi)):
        apart = np.sqrt(wide / tide)
        if apart > _LEAST_D:
            own = apart / np.sqrt(1 + wide), wide, alpha + turn
            yield _rebuilt(_alone(one), own, np.sqrt(1 + wide))


def _offset(best: FloatArray) -> FloatArray:
    """The planet on the other side of where the source crosses the axis."""
    own = beyond_crossing(best), float(np.exp(best[4])), float(best[5])
    return _rebuilt(_alone(best), own, 1.0)


def beyond_crossing(planet: FloatArray) -> float:
    """Separation of a planet whose caustics ``s - 1/s`` are as far beyond the crossing of the axis.

    Parameters
    ----------
    planet
        As of `twins`, ln q below zero.
    """
    s, sine = float(np.exp(planet[3])), float(np.sin(planet[5]))
    place = float(_alone(planet)[1]) / np.copysign(max(abs(sine), 1e-3), sine)
    other = 2 * place - (s - 1 / s)
    return float(other + np.sqrt(other**2 + 4)) / 2


def _alone(parameter: FloatArray) -> FloatArray:
    """The path as one lens alone has it, the inverse of `about_centre_of_mass`; shape as given."""
    shift = about_centre_of_mass(parameter[:3], parameter[3:7])[:2] - parameter[:2]
    out = parameter.copy()
    out[:2] -= shift
    return out


def _rebuilt(alone: FloatArray, own: tuple[float, float, float], longer: float) -> FloatArray:
    """Another companion (s, q, alpha) of a lens, t_E being longer by a factor, the path what it was."""
    s, q, alpha = own
    host = alone[:3] * [1, 1 / longer, 1] + [0, 0, np.log(longer)]
    rho = float(alone[6]) - np.log(longer)
    out = about_centre_of_mass(host, np.array([np.log(s), np.log(q), alpha, rho]))
    return np.concatenate([out, alone[7:] / longer])
