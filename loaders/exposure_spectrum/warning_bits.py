"""What is to be known of a spectrum of an exposure, as bits; rows of roman.spectrum_flag say the same."""

from __future__ import annotations

from enum import IntFlag


class SpectrumBit(IntFlag):
    """Bits of ``warning``."""

    OFF_DETECTOR = 1 << 0
    TRUNCATED = 1 << 1
    DIRECT_OFF_IMAGE = 1 << 2
    ASSUMED_SHAPE = 1 << 3
    NO_LIGHT = 1 << 4
    NO_DIRECT_IMAGE = 1 << 5
    NO_REFERENCE = 1 << 6
    SATURATED = 1 << 7
    ALL_MASKED = 1 << 8
    CONTAMINATED = 1 << 9
    NO_FLAT = 1 << 10
    SKY_BESIDE_TRACES = 1 << 11
    NO_POSITION = 1 << 12


REASONS = {
    SpectrumBit.NO_REFERENCE: "no valid reference of the geometry or the sensitivity",
    SpectrumBit.NO_DIRECT_IMAGE: "no direct exposure of this sky",
    SpectrumBit.NO_POSITION: "its place on the exposure is not known",
    SpectrumBit.OFF_DETECTOR: "the first order is off the detector",
    SpectrumBit.NO_LIGHT: "neither the direct image nor the catalog says how bright it is",
    SpectrumBit.SATURATED: "its trace is saturated",
    SpectrumBit.ALL_MASKED: "no usable pixel of the first order",
}
"""Why there is no spectrum, for people; of several the first counts."""


def reason_of(warning: SpectrumBit) -> str:
    """Why there is no spectrum, by its bits."""
    return next((text for bit, text in REASONS.items() if bit & warning), REASONS[SpectrumBit.ALL_MASKED])
