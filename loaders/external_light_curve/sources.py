"""Objects that come with light curves of others: a name and a place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.catalog.sources import Sources

_EPOCH = 2027.0
"""Epoch of positions that are given without one, Julian year."""


def sources_of(names: Sequence[str], place: npt.NDArray[np.float64]) -> Sources:
    """New objects of names and places, shape (n, 2), degrees ICRS; all else is not known."""
    number = len(names)
    unknown: dict[str, Any] = {
        name: np.full(number, np.nan)
        for name in (
            "ra_err",
            "dec_err",
            "pm_ra",
            "pm_dec",
            "pm_ra_err",
            "pm_dec_err",
            "parallax",
            "parallax_err",
        )
    }
    return Sources(
        np.arange(number),
        np.array(names, dtype=object),
        place[:, 0].copy(),
        place[:, 1].copy(),
        np.full(number, _EPOCH),
        **unknown,
    )
