"""Whether objects are there, by the images that showed them and those that should have and did not.

Every image is a trial. It shows an object that is there with a probability p, which follows from the
signal-to-noise ratio that its flux promises, and one that is none with a probability q: what a wrong PSF
leaves of bright stars lies at the same place again and again. So the odds that it is there grow by
``p / q`` with each image that shows it, and by ``(1 - p) / (1 - q)`` with each that does not. The logarithm
is kept within bounds, as in a cumulative sum (Page 1954, Biometrika 41, 100), so that a star that was seen
for years and has gone is dropped too, and one that comes back is an object again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

HALF, WIDTH = 7.0, 1.5
"""Promised signal-to-noise ratio at which half of all stars are found, and how gradually more are."""

COMPLETE, COMPLETE_BESIDE = 0.9, 0.7
"""Largest probability that a star is found, and that of one within a pixel of another that was found."""

AGAIN = 0.15
"""Probability that an image shows again what is none."""

DROP, RESTORE = -3.0, 0.0
"""Logarithm of the odds below which an object is dropped, and from which one that was is back."""

LEAST, MOST = -4.0, 6.0
"""Bounds of the logarithm of the odds."""


@dataclass(frozen=True)
class Trials:
    """Images that looked for objects; all arrays have shape (n,), those of an object in order of time.

    Parameters
    ----------
    object_id
        Identifiers, in order.
    is_seen
        Whether the image shows it.
    is_beside
        Whether the image shows another object within a pixel, which would take its light.
    snr
        Signal-to-noise ratio that it has there or, where it was not seen, that its flux promised.
    """

    object_id: npt.NDArray[np.int64]
    is_seen: BoolArray
    is_beside: BoolArray
    snr: FloatArray


@dataclass(frozen=True)
class Presence:
    """What the trials say of each object; all arrays have shape (m,).

    Parameters
    ----------
    object_id
        Identifiers, in order, each once.
    is_dropped
        Whether it is to be taken for none.
    log_odds
        Natural logarithm of the odds that it is there.
    n_seen, n_absent
        Images that showed it, and that did not.
    is_merged
        Whether most of those that did not showed another object at its place.
    """

    object_id: npt.NDArray[np.int64]
    is_dropped: BoolArray
    log_odds: FloatArray
    n_seen: npt.NDArray[np.int64]
    n_absent: npt.NDArray[np.int64]
    is_merged: BoolArray


def found_probability(snr: FloatArray, is_beside: BoolArray) -> FloatArray:
    """Probability that an image shows a star that is there, shape (n,).

    Parameters
    ----------
    snr
        Signal-to-noise ratio that its flux promises.
    is_beside
        Whether another one within a pixel of it was found.
    """
    most = np.where(is_beside, COMPLETE_BESIDE, COMPLETE)
    return np.asarray(most * ndtr((snr - HALF) / WIDTH))


def steps(trials: Trials) -> FloatArray:
    """By how much each trial moves the logarithm of the odds, shape (n,).

    An absence never speaks for an object, nor a sighting against it.
    """
    found = found_probability(trials.snr, trials.is_beside)
    absent = np.minimum(np.log((1 - found) / (1 - AGAIN)), 0.0)
    return np.where(trials.is_seen, np.log(COMPLETE / AGAIN), absent)


def presence(trials: Trials) -> Presence:
    """What all trials together say of each object.

    An object begins as one, with even odds; it is dropped below `DROP`, and back from `RESTORE` on.

    Parameters
    ----------
    trials
        Images that looked for the objects.

    Returns
    -------
    Presence
        One row an object.
    """
    objects, first, count = np.unique(trials.object_id, return_index=True, return_counts=True)
    step = steps(trials)
    odds, dropped = np.zeros(objects.size), np.zeros(objects.size, dtype=bool)
    # The objects with the most trials come first, so that the k-th of each is that of the first few.
    order = np.argsort(-count, kind="stable")
    for k in range(int(count.max(initial=0))):
        here = order[: np.searchsorted(-count[order], -k, side="left")]
        odds[here] = np.clip(odds[here] + step[first[here] + k], LEAST, MOST)
        dropped[here] = np.where(dropped[here], odds[here] < RESTORE, odds[here] <= DROP)
    number = np.repeat(np.arange(objects.size), count)
    seen = np.bincount(number, trials.is_seen, objects.size).astype(np.int64)
    beside = np.bincount(number, ~trials.is_seen & trials.is_beside, objects.size)
    absent = count - seen
    return Presence(objects, dropped, odds, seen, absent, 2 * beside > absent)
