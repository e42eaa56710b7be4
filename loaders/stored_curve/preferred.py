"""Which of the light curves of an object are searched: the refined ones where they are as complete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

#: Kind of the light curves of events whose neighbours were solved once from all exposures.
REFINED = "refined"

_COMPLETE = 0.9
"""Share of the exposures that a refined light curve must have to take the place of the other."""


class Curve(Protocol):
    """What is to be known of a light curve."""

    @property
    def optical_element(self) -> str:
        """Optical element."""

    @property
    def n_measured(self) -> int:
        """Points with a flux."""


AnyCurve = TypeVar("AnyCurve", bound=Curve)


def preferred(curves: list[AnyCurve], refined: Mapping[str, AnyCurve]) -> list[AnyCurve]:
    """The light curves of an object, refined ones in place of others.

    Parameters
    ----------
    curves
        One in each optical element.
    refined
        By optical element; not in all need there be one.
    """
    chosen = []
    for curve in curves:
        other = refined.get(curve.optical_element)
        is_complete = other is not None and other.n_measured >= _COMPLETE * curve.n_measured
        chosen.append(other if other is not None and is_complete else curve)
    return chosen
