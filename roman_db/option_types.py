"""Types of command-line options that more than one command has."""

from __future__ import annotations

import math
from typing import Any

import click

#: Days (MJD) of a mission: no exposure can be older, and none will be younger. The end is not one of them.
MISSION = (58_849, 88_069)

#: A day up to which, or from which on, something is done.
DAY = click.IntRange(*MISSION)

#: Where a calibration reference comes from, in RAD's words.
PEDIGREE = click.Choice(["GROUND", "MODEL", "DUMMY", "SIMULATION", "INFLIGHT"])


class FiniteRange(click.FloatRange):
    """A number in a range; click itself lets NaN pass, which is neither below nor above any limit."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number, or refuse it."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{number} is not in the range {self._describe_range()}.", param, ctx)
        return number
