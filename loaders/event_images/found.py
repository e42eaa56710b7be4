"""What the search finds in light curves from images: the same code as in light curves with events put in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from loaders.event_efficiency.points import Points
from loaders.event_efficiency.trial import REFERENCE, Attempt, Trial, nothing, search, search_without


@dataclass(frozen=True)
class ImageTrial:
    """An event in images.

    Parameters
    ----------
    without
        The star, its light curves as images without the event give them, and the rules.
    curves
        Those that images with the event give.
    truth
        The event, as of `loaders.event_efficiency.trial.Attempt`.
    """

    without: Trial
    curves: Sequence[Points]
    truth: Mapping[str, float]


def attempt_images(trial: ImageTrial) -> list[Attempt]:
    """Search the light curves of a star with its event; without it, too, where that is to be done.

    The attempts are those of `loaders.event_efficiency.trial.attempt`, in the same order.
    """
    kind, flags = trial.without.setup.kind, trial.without.rules.excluding_flags
    baseline = {curve.name: curve.mean(flags) for curve in trial.without.curves}
    if not baseline.get(REFERENCE, np.nan) > 0:
        return [nothing(kind)]
    tried = [search(trial.without, kind, trial.truth, trial.curves)]
    return tried + search_without(trial.without, baseline) if trial.without.is_tried_without else tried
