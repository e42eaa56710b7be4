"""What is no light of the star: errors that a detector or the photometry adds to its flux."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Times = Mapping[str, FloatArray]
Truth = dict[str, float]
Added = dict[str, FloatArray]

_OUTLIERS = 0.002
"""Share of points that are off by far."""

MASKED = 2
"""Flag of a point of whose core a pixel was not used (`roman.photometry_flag`)."""


def draw_artefact(
    kind: str, times: Times, error: Mapping[str, FloatArray], rng: np.random.Generator
) -> tuple[Truth, Added]:
    """Draw an artefact.

    Parameters
    ----------
    kind
        One of `ARTEFACTS`.
    times, error
        By optical element, shape (n,) each: BJD (TDB), and standard errors of the flux, nJy.
    rng
        Random numbers.

    Returns
    -------
    truth
        Its parameters: times BJD, durations in days, strengths in standard errors.
    added
        By optical element, shape (n,): what it adds to the flux, nJy.
    """
    return ARTEFACTS[kind](times, error, rng)


def outliers(error: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, npt.NDArray[np.uint16]]:
    """Rare points that are off by 5 to 50 errors, three of four upwards; half of them are flagged.

    Parameters
    ----------
    error
        Shape (n,), nJy.

    Returns
    -------
    added
        Shape (n,), nJy.
    flags
        Shape (n,): `MASKED` or 0.
    """
    off = rng.uniform(size=error.size) < _OUTLIERS
    number = int(off.sum())
    size = 5.0 * 10 ** rng.uniform(size=number) * np.where(rng.uniform(size=number) < 0.75, 1, -1)
    added, flags = np.zeros(error.size), np.zeros(error.size, np.uint16)
    added[off] = size * error[off]
    flags[off] = np.where(rng.uniform(size=number) < 0.5, MASKED, 0)
    return added, flags


def _systematics(
    times: Times, error: Mapping[str, FloatArray], rng: np.random.Generator
) -> tuple[Truth, Added]:
    """An error that all exposures of some days share, as of a wrong PSF: a hump with steps at its ends."""
    length, strength = float(np.exp(rng.uniform(np.log(0.5), np.log(20)))), float(rng.uniform(1, 6))
    middle, step = _moment(times, rng), float(rng.uniform(-0.5, 1))
    added = {}
    for element, t in times.items():
        x = (t - middle) / length
        hump = np.where(np.abs(x) < 1, (1 - x**2) ** 2 + step, 0.0)
        added[element] = strength * float(np.median(error[element])) * hump
    return {"middle": middle, "length": length, "strength": strength}, added


def _hot_pixel(
    times: Times, error: Mapping[str, FloatArray], rng: np.random.Generator
) -> tuple[Truth, Added]:
    """A pixel of the core turns hot and back: a box, in those exposures whose dither puts the star on it."""
    begin, length = _moment(times, rng), float(np.exp(rng.uniform(np.log(0.5), np.log(40))))
    strength, share = float(np.exp(rng.uniform(np.log(2), np.log(30)))), float(rng.uniform(0.1, 1.0))
    added = {}
    for element, t in times.items():
        hit = (t > begin) & (t < begin + length) & (rng.uniform(size=t.size) < share)
        added[element] = np.where(hit, strength * float(np.median(error[element])), 0.0)
    return {"begin": begin, "length": length, "strength": strength, "share": share}, added


def _cosmic_rays(
    times: Times, error: Mapping[str, FloatArray], rng: np.random.Generator
) -> tuple[Truth, Added]:
    """Some points in a row that are too bright, as after hits that ramp fitting did not see: no event."""
    added = {element: np.zeros(t.size) for element, t in times.items()}
    runs = 1 + int(rng.poisson(2))
    for _ in range(runs):
        element = max(times, key=lambda e: times[e].size)
        first, number = int(rng.integers(times[element].size)), int(rng.integers(2, 6))
        some = slice(first, first + number)
        size = rng.exponential(15.0, added[element][some].size)
        added[element][some] += (5 + size) * error[element][some]
    return {"n_run": float(runs)}, added


def _moment(times: Times, rng: np.random.Generator) -> float:
    """A time at which there are points."""
    longest = max(times.values(), key=lambda t: t.size)
    return float(longest[int(rng.integers(longest.size))])


ARTEFACTS: dict[
    str, Callable[[Times, Mapping[str, FloatArray], np.random.Generator], tuple[Truth, Added]]
] = {"systematics": _systematics, "hot_pixel": _hot_pixel, "cosmic_rays": _cosmic_rays}
"""Classes of artefacts."""
