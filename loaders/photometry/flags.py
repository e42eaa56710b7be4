"""What a photometric flag means; the database stores each member as one row."""

from __future__ import annotations

from enum import IntFlag

import numpy as np


class PhotometryFlag(IntFlag):
    """Bits of the flags of one star in one exposure; 0 means that nothing is known against it."""

    SATURATED = 1 << 0
    MASKED = 1 << 1
    EDGE = 1 << 2
    OUTSIDE = 1 << 3
    NO_PIXELS = 1 << 4
    BLENDED = 1 << 5
    CROWDED = 1 << 6
    FIT_FAILED = 1 << 7
    NOT_CONVERGED = 1 << 8
    POOR_FIT = 1 << 9
    BAD_BACKGROUND = 1 << 10
    POSITION_FAILED = 1 << 11
    SHAPE_FAILED = 1 << 12

    @property
    def description(self) -> str:
        """One line for a reader of the database; of a single flag only."""
        return DESCRIPTION[self]


DESCRIPTION: dict[PhotometryFlag, str] = {
    PhotometryFlag.SATURATED: "A pixel of the core is saturated in the last resultant or before",
    PhotometryFlag.MASKED: "A pixel of the core was not used",
    PhotometryFlag.EDGE: "The core reaches beyond the edge of the image",
    PhotometryFlag.OUTSIDE: "The star lies beyond the edge of the image; nothing was measured",
    PhotometryFlag.NO_PIXELS: "No usable pixel carries light of the star; nothing was measured",
    PhotometryFlag.BLENDED: "Fitted as one with a star within the merging radius, flux split by catalog",
    PhotometryFlag.CROWDED: "Neighbours give more than the limit of the light, weighted by the PSF",
    PhotometryFlag.FIT_FAILED: "The flux cannot be told from that of its neighbours; nothing was measured",
    PhotometryFlag.NOT_CONVERGED: "The flux still moved by more than the tolerance in the last sweep",
    PhotometryFlag.POOR_FIT: "The reduced chi-square of the core is above the limit",
    PhotometryFlag.BAD_BACKGROUND: "No pixel near the star informs the background, which is extrapolated",
    PhotometryFlag.POSITION_FAILED: "Bright enough for a position, but none within the limit was found",
    PhotometryFlag.SHAPE_FAILED: "Bright enough for a shape, but none within the limit was found",
}
"""Description of each flag, one line each."""

EXCLUDING_FLAGS = int(PhotometryFlag.FIT_FAILED | PhotometryFlag.NO_PIXELS | PhotometryFlag.NOT_CONVERGED)
"""Points with any of these flags do not enter the summaries of light curves; the errors of others hold."""

NO_GUIDE = np.uint16(~PhotometryFlag.POOR_FIT & 0xFFFF)
"""Flags that keep a star from saying where an image lies; of an image that is off all are poor fits."""
