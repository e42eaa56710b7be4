"""Stars that vary without a lens: what their flux is multiplied by, in each optical element.

Periods and amplitudes are uniform in their logarithm in ranges as the OGLE collection of variable stars has
them in the bulge (Soszyński et al. 2014, AcA 64, 177: RR Lyrae; 2016, AcA 66, 405: eclipsing; 2013, AcA 63,
21: long-period), amplitudes in the infrared being about half of those in I.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from loaders.simulation.variability import SHAPES

FloatArray = npt.NDArray[np.float64]
Truth = dict[str, float]
Factors = dict[str, FloatArray]
Times = Mapping[str, FloatArray]

_PULSATION = {"F087": 1.5, "F146": 1.0, "F213": 0.75}
"""Amplitudes of pulsation over that in F146; the hotter, the bluer."""

_HOT = {"F087": 2.5, "F146": 1.0, "F213": 0.5}
"""Light of something much hotter than the star, relative to the star's, over that in F146."""

_GREY = {"F087": 1.0, "F146": 1.0, "F213": 1.0}


def draw_variable(kind: str, times: Times, rng: np.random.Generator) -> tuple[Truth, Factors]:
    """Draw a variable star.

    Parameters
    ----------
    kind
        One of `VARIABLES`.
    times
        By optical element, shape (n,) each: BJD (TDB).
    rng
        Random numbers.

    Returns
    -------
    truth
        Parameters: periods and time scales in days, amplitudes in magnitudes of F146, or parts of the flux.
    factors
        By optical element, shape (n,): flux over that of the quiet star.
    """
    return VARIABLES[kind](times, rng)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _periodic(
    shape: str, period: tuple[float, float], amplitude: tuple[float, float], scale: Mapping[str, float]
) -> Callable[[Times, np.random.Generator], tuple[Truth, Factors]]:
    """Strictly periodic stars of a shape."""

    def draw(times: Times, rng: np.random.Generator) -> tuple[Truth, Factors]:
        p, a, epoch = _log_uniform(rng, *period), _log_uniform(rng, *amplitude), float(rng.uniform())
        factors = {
            e: 10 ** (-0.4 * a * scale[e] * SHAPES[shape]((t / p + epoch) % 1.0)) for e, t in times.items()
        }
        return {"period": p, "amplitude": a, "phase": epoch}, factors

    return draw


def _long_period(times: Times, rng: np.random.Generator) -> tuple[Truth, Factors]:
    """Giants with two periods, from 20 to 600 days."""
    truth = {
        "period": _log_uniform(rng, 20, 600),
        "amplitude": _log_uniform(rng, 0.01, 1.0),
        "phase": float(rng.uniform()),
        "phase_2": float(rng.uniform()),
    }
    truth["period_2"] = truth["period"] * float(rng.uniform(0.4, 0.7))
    truth["amplitude_2"] = truth["amplitude"] * float(rng.uniform(0.1, 0.8))

    def magnitude(t: FloatArray) -> FloatArray:
        first = np.sin(2 * np.pi * (t / truth["period"] + truth["phase"]))
        second = np.sin(2 * np.pi * (t / truth["period_2"] + truth["phase_2"]))
        return np.asarray((truth["amplitude"] * first + truth["amplitude_2"] * second) / 2)

    return truth, {e: 10 ** (-0.4 * _PULSATION[e] * magnitude(t)) for e, t in times.items()}


def _spotted(times: Times, rng: np.random.Generator) -> tuple[Truth, Factors]:
    """Rotation with spots that come and go: two harmonics whose strength drifts over months."""
    truth = {
        "period": _log_uniform(rng, 0.5, 30),
        "amplitude": _log_uniform(rng, 0.003, 0.08),
        "drift": _log_uniform(rng, 40, 300),
        "phase": float(rng.uniform()),
        "phase_2": float(rng.uniform()),
    }

    def magnitude(t: FloatArray) -> FloatArray:
        """By how much a spotted star is fainter: two waves whose strengths change with the spots."""
        turn = 2 * np.pi * (t / truth["period"] + truth["phase"])
        slow = 2 * np.pi * (t / truth["drift"] + truth["phase_2"])
        return np.asarray(
            truth["amplitude"]
            / 2
            * ((1 + 0.5 * np.sin(slow)) * np.sin(turn) + 0.4 * np.cos(slow) * np.sin(2 * turn))
        )

    return truth, {e: 10 ** (-0.4 * _PULSATION[e] * magnitude(t)) for e, t in times.items()}


def _cataclysmic(times: Times, rng: np.random.Generator) -> tuple[Truth, Factors]:
    """Outbursts of dwarf novae: a rise of a day, days at the top, a decline by a magnitude in two days.

    Amplitudes 1 to 4 magnitudes, every 20 to 300 days (Mróz et al. 2015, AcA 65, 313).
    """
    every, amplitude, top = _log_uniform(rng, 20, 300), float(rng.uniform(1, 4)), float(rng.uniform(1, 12))
    first, last = _span(times)
    number = int((last - first) / every) + 2
    begin = np.sort(first + every * (np.arange(number) - rng.uniform() + rng.normal(0, 0.15, number)))

    def magnitude(t: FloatArray) -> FloatArray:
        at = np.clip(np.searchsorted(begin, t) - 1, 0, number - 1)
        since = t - begin[at]
        rise = amplitude * np.clip(since, 0, 1)
        return np.asarray(np.clip(np.minimum(rise, amplitude - (since - 1 - top) / 2), 0, None))

    factors = {e: 1 + _HOT[e] / 2 * (10 ** (0.4 * magnitude(t)) - 1) for e, t in times.items()}
    return {"recurrence": every, "amplitude": amplitude, "plateau": top}, factors


def _flares(times: Times, rng: np.random.Generator) -> tuple[Truth, Factors]:
    """Flares of dwarfs: a rise of minutes, two exponential declines (Davenport et al. 2014, ApJ 797, 122)."""
    rate, strongest = _log_uniform(rng, 0.02, 1.0), _log_uniform(rng, 0.01, 1.0)
    width = _log_uniform(rng, 0.005, 0.06)
    factors = {e: np.ones(t.size) for e, t in times.items()}
    first, last = _span(times)
    for peak in rng.uniform(first, last, rng.poisson(rate * (last - first))):
        # Energies follow dN/dE ~ E^-2.
        height = strongest * 0.02 / (0.02 + 0.98 * rng.uniform())
        for element, t in times.items():
            near = slice(*np.searchsorted(t, [peak - width, peak + 12 * width]))
            factors[element][near] += _HOT[element] * height * _flare((t[near] - peak) / width)
    return {"rate": rate, "amplitude": strongest, "width": width}, factors


def _span(times: Times) -> tuple[float, float]:
    """First and last time."""
    some = [t for t in times.values() if t.size]
    return min(float(t[0]) for t in some), max(float(t[-1]) for t in some)


def _flare(x: FloatArray) -> FloatArray:
    """Shape of a flare with its peak at 0, in units of its width at half its height."""
    rise = np.clip(1 + x, 0, 1) ** 2
    decline = 0.6890 * np.exp(-1.600 * np.maximum(x, 0)) + 0.3030 * np.exp(-0.2783 * np.maximum(x, 0))
    return np.asarray(np.where(x < 0, rise, decline))


def _moving(times: Times, rng: np.random.Generator) -> tuple[Truth, Factors]:
    """A star that moves away from its catalogued place, or a neighbour that does: a trend over the years."""
    slope, bend = rng.normal(0, 0.01), rng.normal(0, 0.002)
    middle = float(np.mean([t.mean() for t in times.values() if t.size]))

    def factor(t: FloatArray) -> FloatArray:
        year = (t - middle) / 365.25
        return np.asarray(np.maximum(1 + slope * year + bend * year**2, 0.05))

    return {"slope": float(slope), "bend": float(bend)}, {e: factor(t) for e, t in times.items()}


VARIABLES: dict[str, Callable[[Times, np.random.Generator], tuple[Truth, Factors]]] = {
    "sinusoid": _periodic("sinusoid", (0.1, 30.0), (0.005, 0.3), _PULSATION),
    "rr_lyrae": _periodic("sawtooth", (0.3, 0.8), (0.15, 0.6), _PULSATION),
    "eclipsing": _periodic("eclipsing", (0.2, 30.0), (0.02, 0.7), _GREY),
    "long_period": _long_period,
    "spotted": _spotted,
    "cataclysmic": _cataclysmic,
    "flares": _flares,
    "moving": _moving,
}
"""Classes of variables."""
