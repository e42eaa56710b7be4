"""An event as searches for companions see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from loaders.event_models.kinds import POINT, Kind, View
from loaders.event_models.lens_fit import LensFit
from loaders.event_models.rounds import Round, fit_round
from loaders.event_models.setting import Setting, condensed, residual_of, softened
from loaders.event_models.structure import Window
from loaders.stored_curve.band import Band, FloatArray

_FLOORS = (0.03, 0.02, 0.01, 0.005, 0.002, 0.001)
"""Shares of the excess that are tried for errors that smooth chi-square."""

PARTS = 40
"""Points in the time scales of last fits."""

_MOST_POINTS = 4000
"""Points that last fits have at most; a large source costs some milliseconds at each."""


@dataclass(frozen=True)
class Search:
    """An event, its lens without a companion, where that is off, and the usual radius of its source.

    The radius is in Einstein radii.
    """

    setting: Setting
    host: FloatArray
    left: Sequence[Window]
    rho: float

    @property
    def crossing(self) -> float:
        """Time (days) in which the source usually crosses its radius."""
        return self.rho * float(np.exp(self.host[2]))

    def again(self, kind: Kind, view: View, at: FloatArray) -> LensFit | None:
        """A fit that goes on from another: sources that grow without end cost most of the time."""
        sharp = replace(view, accuracy=self.setting.sharp)
        fits = fit_round([at], Round(sharp, 8, 1, 0.1, 10 * self.crossing, kind, sharp=True))
        return fits[0] if fits else None

    @cached_property
    def sharp(self) -> list[Band]:
        """Condensed light curves of last fits, joined where straight alone, or as others if too many stay."""
        kept = condensed(self.setting, self.host, self.left, PARTS, sharp=True)
        return kept if sum(map(len, kept)) <= _MOST_POINTS else self.few(PARTS)

    def few(self, parts: float, left: float = np.inf) -> list[Band]:
        """Condensed light curves, errors so large that the lens alone is off by ``left`` of chi-square."""
        few = condensed(self.setting, self.host, self.left, parts)
        for floor in _FLOORS:
            soft = softened(few, floor)
            residual = residual_of(POINT, self.setting.view(soft, self.setting.fine), self.host)
            if residual @ residual - residual.size > left:
                return soft
        return few
