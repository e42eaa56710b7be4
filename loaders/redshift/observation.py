"""When, for how long and with what a spectrum was observed, by the keywords of its file."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.time import Time
from erfa import ErfaWarning

_FACILITY, _INSTRUMENT = ("TELESCOP", "FACILITY", "OBSERVATORY"), ("INSTRUME", "INSTRUMENT")
_EXPOSURE_TIME = ("EXPTIME", "EXPOSURE", "TEXPTIME", "XPOSURE")
#: MJD or dates of begin and end (FITS 4.0, section 9.5; MJDs of HST under names of their own).
_BEGIN, _END = ("MJD-BEG", "MJD-OBS", "EXPSTART", "DATE-BEG", "DATE-OBS"), ("MJD-END", "EXPEND", "DATE-END")
#: Scales of TIMESYS; what is none of them is taken for UTC.
_SCALES = ("utc", "tai", "tt", "tdb", "tcb", "tcg", "ut1")
_DAY_S = 86_400.0
#: The least that is read, 1960, is when UTC began.
_EARLIEST, _LATEST = 36_934.0, 100_000.0


@dataclass(frozen=True)
class Observation:
    """What a file states of the observation; None where it does not.

    Parameters
    ----------
    facility, instrument
        Names of telescope and instrument.
    start_mjd_utc, end_mjd_utc
        Begin and end, MJD (UTC); the end is the begin and the exposure time where no end is stated.
    exposure_time
        Seconds.
    """

    facility: str | None = None
    instrument: str | None = None
    start_mjd_utc: float | None = None
    end_mjd_utc: float | None = None
    exposure_time: float | None = None


#: Of a file that states nothing.
UNKNOWN = Observation()


def observation_of(header: Mapping[str, Any]) -> Observation:
    """What keywords, in capitals, state; a time that cannot be read, or ends before it begins, is none."""
    begin, end = _time(header, _BEGIN), _time(header, _END)
    exposure = _positive(first_of(header, _EXPOSURE_TIME))
    if begin is not None and end is None:
        end = begin + (exposure or 0.0) / _DAY_S
    if begin is None or end is None or end < begin:
        begin = end = None
    return Observation(_text(header, _FACILITY), _text(header, _INSTRUMENT), begin, end, exposure)


def first_of(header: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The first of some keywords that has a value."""
    return next((header[name] for name in names if header.get(name) not in (None, "")), None)


def _text(header: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    """A name, without blanks around it."""
    value = first_of(header, names)
    return (str(value).strip() or None) if value is not None else None


def _positive(value: Any) -> float | None:
    """A number above 0; None where it is none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) and number > 0 else None


def _time(header: Mapping[str, Any], names: tuple[str, ...]) -> float | None:
    """MJD (UTC) of the first keyword that has a time, in the scale that TIMESYS names."""
    scale = str(header.get("TIMESYS", "utc")).strip().lower()
    scale = scale if scale in _SCALES else "utc"
    for name in names:
        if header.get(name) in (None, ""):
            continue
        with suppress(TypeError, ValueError), warnings.catch_warnings():
            # Leap seconds of years to come are not known.
            warnings.simplefilter("ignore", ErfaWarning)
            mjd = _read(header, name, scale)
            if _EARLIEST <= mjd <= _LATEST:
                return mjd
    return None


def _read(header: Mapping[str, Any], name: str, scale: str) -> float:
    """MJD (UTC) of a keyword; ValueError where it is no time."""
    if name.startswith("DATE"):
        return float(Time(_date(header, name), format="isot", scale=scale).utc.mjd)
    return float(Time(float(header[name]), format="mjd", scale=scale).utc.mjd)


def _date(header: Mapping[str, Any], name: str) -> str:
    """Date and time of a keyword; older files have the time in one of its own."""
    date = str(header[name]).strip().rstrip("Z")
    of_day = str(header.get(name.replace("DATE", "TIME"), "")).strip()
    return f"{date}T{of_day}" if "T" not in date and of_day else date
