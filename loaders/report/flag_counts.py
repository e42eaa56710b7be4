"""How many sources have each flag."""

from __future__ import annotations

import numpy as np

from loaders.photometry.flags import DESCRIPTION
from loaders.report.facts import FlagCount, IntArray


def count_flags(flags: IntArray) -> list[FlagCount]:
    """Count the sources with each flag, those that none has left out, the most frequent first.

    Parameters
    ----------
    flags
        Shape (n,): bits of `PhotometryFlag`.
    """
    found = [
        FlagCount(flag.name or "", description, int(np.sum((flags & int(flag)) != 0)))
        for flag, description in DESCRIPTION.items()
    ]
    return sorted((one for one in found if one.count), key=lambda one: -one.count)
