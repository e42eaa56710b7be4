"""Where residuals of a model hold together: what a model leaves out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.stored_curve.band import FloatArray

#: Errors by which the mean of a window must be off to count; of 50,000 points of noise none reaches 6.
LEAST_PULL = 6.0

_FEWEST = 3
"""Points of the shortest window."""

_CLIP = 5.0
"""Errors beyond which a point counts by the logarithm only: of outliers some are left."""


_LEAST_LEFT = 3.0
"""Errors by which the mean is to be off without the two points that are off the most."""


@dataclass(frozen=True)
class Window:
    """Neighbouring points that are off to one side.

    Parameters
    ----------
    begin, end
        Times of the first and the last, BJD.
    pull
        Mean off the model, in its errors; above zero where the points are.
    """

    begin: float
    end: float
    pull: float

    @property
    def middle(self) -> float:
        """Time of the middle, BJD."""
        return 0.5 * (self.begin + self.end)

    @property
    def length(self) -> float:
        """Days."""
        return self.end - self.begin


def windows(time: FloatArray, pull: FloatArray, most: int = 8) -> list[Window]:
    """The windows of a light curve that are off the most, none of which overlap.

    Parameters
    ----------
    time
        Shape (n,): ascending, BJD.
    pull
        Shape (n,): points less model, over their errors.
    most
        How many windows.

    Returns
    -------
    list of Window
        In order of their pulls, the strongest first, all of `LEAST_PULL` at least. None rests on two points:
        of 50,000, one of a hundred an outlier, some two stand side by side.
    """
    size = np.abs(pull)
    rest = np.sign(pull) * np.where(size > _CLIP, _CLIP * (1 + np.log(np.maximum(size / _CLIP, 1))), size)
    found: list[Window] = []
    while len(found) < most:
        first, last, value = _strongest(rest)
        if abs(value) < LEAST_PULL:
            break
        inside = rest[first : last + 1]
        two = np.argsort(np.sign(value) * inside)[-2:]
        if abs(float(np.delete(inside, two).sum())) < _LEAST_LEFT * np.sqrt(inside.size - 2):
            inside[two] = 0.0
            continue
        found.append(Window(float(time[first]), float(time[last]), value))
        inside[:] = 0.0
    return found


def _strongest(pull: FloatArray) -> tuple[int, int, float]:
    """First and last point of the window that is off the most, and by how much."""
    best, at, length = 0.0, (0, 0), _FEWEST
    total = np.concatenate([[0.0], np.cumsum(pull)])
    while length <= pull.size:
        mean = (total[length:] - total[:-length]) / np.sqrt(length)
        k = int(np.argmax(np.abs(mean)))
        if abs(mean[k]) > abs(best):
            best, at = float(mean[k]), (k, k + length - 1)
        length = max(length + 1, int(1.5 * length))
    return *at, best
