"""What is to be known of a redshift before it is used, as bits; rows of roman.redshift_flag say the same."""

from __future__ import annotations

from enum import IntFlag


class WarningBit(IntFlag):
    """Bits of ``warning``; the first four say that nothing was fitted."""

    NO_PIXELS = 1 << 0
    FEW_PIXELS = 1 << 1
    NO_SIGNAL = 1 << 2
    NO_OVERLAP = 1 << 3
    BAD_ERRORS = 1 << 4
    NOT_FINITE = 1 << 5
    AMBIGUOUS = 1 << 6
    GRID_EDGE = 1 << 7
    POOR_FIT = 1 << 8
    CLASS_UNCERTAIN = 1 << 9
    ASSUMED_RESOLUTION = 1 << 10
    REBINNED = 1 << 11


NOT_FITTED = WarningBit.NO_PIXELS | WarningBit.FEW_PIXELS | WarningBit.NO_SIGNAL | WarningBit.NO_OVERLAP

REASONS = {
    WarningBit.NO_PIXELS: "no pixel is finite, not masked and has an error above 0",
    WarningBit.FEW_PIXELS: "fewer than 20 pixels can be used",
    WarningBit.NO_SIGNAL: "all fluxes are the same",
    WarningBit.NO_OVERLAP: "no template reaches the wavelengths of the spectrum",
}
"""Why nothing was fitted, for people."""


def reason_of(warning: WarningBit) -> str | None:
    """Reason why nothing was fitted; None where a redshift was."""
    said = [text for bit, text in REASONS.items() if bit & warning]
    return "; ".join(said) or None
