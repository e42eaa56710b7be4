"""One number for one detector image: when its exposure started and which detector took it.

``exposure_id = 32 * (milliseconds from 2020-01-01T00:00:00 UTC to the start) + detector number``.
Two runs give the same number to the same image, numbers ascend with time, and all detectors of one
exposure are neighbours. Milliseconds count the UTC calendar, 86,400,000 a day; 58 bits of them last for nine
million years, so the number fits a signed 64-bit integer.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
"""Start of the count."""

DETECTOR_BITS = 5
"""Bits that hold the number of the detector."""

_MICROSECOND = timedelta(microseconds=1)


def exposure_id(start: datetime, detector_number: int) -> int:
    """Number a detector image.

    Parameters
    ----------
    start
        Start of the exposure, with a time zone; rounded to the nearest millisecond.
    detector_number
        1 … 31; the Wide Field Instrument has 1 … 18.

    Returns
    -------
    int
        Between 0 and 2**63 - 1.

    Raises
    ------
    ValueError
        If the start has no time zone or lies before 2020, or the detector number does not fit.
    """
    if not 1 <= detector_number < 2**DETECTOR_BITS:
        raise ValueError(f"detector_number must be 1 to {2**DETECTOR_BITS - 1}, got {detector_number}")
    if start.tzinfo is None:
        raise ValueError(f"start must have a time zone, got {start}")
    milliseconds = ((start - EPOCH) // _MICROSECOND + 500) // 1000
    if milliseconds < 0:
        raise ValueError(f"start must not lie before {EPOCH}, got {start}")
    return (milliseconds << DETECTOR_BITS) | detector_number


def exposure_start_and_detector(identifier: int) -> tuple[datetime, int]:
    """Read the start of the exposure and the number of the detector off an identifier.

    Parameters
    ----------
    identifier
        As `exposure_id` makes it.

    Returns
    -------
    start : datetime
        In UTC, to the millisecond.
    detector_number : int
    """
    milliseconds, detector_number = divmod(identifier, 2**DETECTOR_BITS)
    return EPOCH + timedelta(milliseconds=milliseconds), detector_number


def detector_number(detector: str) -> int:
    """Read the number off the name of a detector.

    Parameters
    ----------
    detector
        ``WFI01`` … ``WFI18``.

    Raises
    ------
    ValueError
        If the name is not ``WFI`` and two digits.
    """
    digits = detector[3:]
    if detector[:3] != "WFI" or len(digits) != 2 or not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"detector must be WFI and two digits, got {detector!r}")
    return int(digits)
