"""Keywords of a Level-2 file to metadata: placeholders, time scales, and names where keywords fail."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from astropy.time import Time

from loaders.rejection import Rejected
from loaders.wfi.metadata import ExposureMetadata, keywords
from loaders.wfi.product_file import DECODING_ERRORS, one_line
from loaders.wfi.product_name import parse_product_name, visit_numbers

PLACEHOLDER_TEXT = "?"
PLACEHOLDER_NUMBER = -999_999
"""What roman_datamodels fills in for a required keyword that nobody set."""

PLACEHOLDER_TIME = datetime(2020, 1, 1, tzinfo=UTC)
"""The same for times."""

# romanisim adds a width to a placeholder (window_xstop = -999983); no integer of RAD is that small.
_LEAST_INTEGER = -999_000

_SCALES = ("utc", "tai", "tt", "tdb", "tcb", "tcg")
"""Time scales that convert to UTC without measured Earth rotation, which would have to be fetched."""

_REMEDY = "Correct the keyword"
_IDENTIFYING = ("visit_id", "exposure", "detector", "optical_element")


def exposure_metadata(meta: Mapping[str, object], path: Path) -> ExposureMetadata:
    """Read the metadata of an exposure.

    Parameters
    ----------
    meta
        The ``meta`` tree of a valid Level-2 file.
    path
        The file, for its name and for messages.

    Raises
    ------
    Rejected
        Codes ``bad_keyword``, ``unknown_visit``, ``name_contradicts_metadata``, ``bad_visit_id``,
        ``bad_time``.
    """
    values = {name: _read(meta, keyword, path) for name, keyword in keywords().items()}
    recorded_name = values["filename"]
    values |= _identity(values, path)
    values |= _visit_numbers(values, path)
    values |= _times(values, path)
    _check_exposure_time(meta, path)
    values["filename"] = recorded_name or path.name
    return ExposureMetadata(**values)  # type: ignore[arg-type]  # RAD has validated the types


def _read(meta: Mapping[str, object], keyword: str, path: Path) -> object:
    """Plain Python value of a keyword, None for a placeholder."""
    try:
        return _value(_look_up(meta, keyword), path, keyword)
    except Rejected:
        raise
    except DECODING_ERRORS as error:
        what = f"the value cannot be read: {one_line(error)}"
        raise Rejected(f"{path}: meta.{keyword}", what, _REMEDY, "bad_keyword") from error


def _look_up(meta: Mapping[str, object], keyword: str) -> object:
    """Value below ``meta``; None if any part of the way is missing."""
    node: object = meta
    for part in keyword.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return None
        node = node[part]
    return node


def _value(raw: object, path: Path, keyword: str) -> object:
    """Plain Python value of what the file holds."""
    if raw is None or isinstance(raw, bool):
        return raw
    if isinstance(raw, Time):
        return _utc(raw, path, keyword)
    if isinstance(raw, str):
        text = str(raw).strip()
        return None if text in ("", PLACEHOLDER_TEXT) else text
    if isinstance(raw, int):
        return None if raw <= _LEAST_INTEGER else int(raw)
    if isinstance(raw, float):
        return float(raw) if math.isfinite(raw) and raw != PLACEHOLDER_NUMBER else None
    items = list(raw) if isinstance(raw, list | tuple) or hasattr(raw, "__iter__") else [raw]
    return json.dumps([_plain(item) for item in items]) if items else None


def _plain(item: object) -> object:
    """List items as JSON has them."""
    if isinstance(item, str | int | float | bool) or item is None:
        return item
    return [_plain(inner) for inner in item] if hasattr(item, "__iter__") else str(item)


def _utc(time: Time, path: Path, keyword: str) -> datetime | None:
    """Convert a time in its own scale to UTC; None for the placeholder."""
    if time.scale not in _SCALES:
        what = f"time scale {time.scale!r} cannot be converted to UTC"
        raise Rejected(f"{path}: meta.{keyword}", what, f"Use one of {', '.join(_SCALES)}", "bad_time")
    moment: datetime = time.utc.to_datetime(timezone=UTC)
    return None if moment == PLACEHOLDER_TIME else moment


def _identity(values: Mapping[str, object], path: Path) -> dict[str, object]:
    """Visit, exposure number, detector and filter, from keywords or names; they must not contradict."""
    names = {
        said: parsed
        for said, name in _names(path.name, values["filename"])
        if isinstance(name, str) and (parsed := parse_product_name(name))
    }
    return {key: _agreed(key, values[key], names, path) for key in _IDENTIFYING}


def _names(name: str, recorded: object) -> list[tuple[str, object]]:
    """Names of the file with where they stand, the keyword's only if it is another."""
    found: list[tuple[str, object]] = [(f"the file name {name}", name)]
    return found if recorded == name else [*found, (f"the keyword meta.filename ({recorded})", recorded)]


def _agreed(key: str, keyword_value: object, names: Mapping[str, object], path: Path) -> object:
    """Take the one value that keyword and names give."""
    where = f"{path}: meta.{keywords()[key]}"
    said = {where_said: getattr(parsed, key) for where_said, parsed in names.items()}
    if keyword_value is not None:
        said = {"the keyword": keyword_value, **said}
    if not said:
        what = f"{key} is a placeholder and the file name does not give it"
        remedy = "Restore the file's name as the archive gave it, rPPPPPCCAAASSSOOOVVV_EEEE_wfiNN_…_cal.asdf"
        raise Rejected(where, what, remedy, "unknown_visit")
    if len(set(said.values())) > 1:
        what = "; ".join(f"{source} says {value!r}" for source, value in said.items())
        remedy = "Restore the file's name or correct the keyword"
        raise Rejected(where, what, remedy, "name_contradicts_metadata")
    return next(iter(said.values()))


def _visit_numbers(values: Mapping[str, object], path: Path) -> dict[str, object]:
    """Program, pass, … as the visit identifier has them; keywords must not contradict."""
    try:
        numbers = visit_numbers(str(values["visit_id"]))
    except ValueError as error:
        raise Rejected(f"{path}: meta.observation.visit_id", str(error), _REMEDY, "bad_visit_id") from error
    for name, number in numbers.items():
        if values[name] not in (None, number):
            where = f"{path}: meta.{keywords()[name]}"
            what = f"value {values[name]!r} contradicts visit_id {values['visit_id']}, which has {number}"
            raise Rejected(where, what, _REMEDY, "bad_visit_id")
    return dict(numbers)


def _times(values: Mapping[str, object], path: Path) -> dict[str, object]:
    """Start, middle and end of the exposure, in this order."""
    where = f"{path}: meta.exposure"
    start, middle, end = (values[f"exposure_{part}_time"] for part in ("start", "mid", "end"))
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        raise Rejected(where, "start_time or end_time is unknown", _REMEDY, "bad_time")
    if end <= start:
        what = f"end_time {end.isoformat()} is not after start_time {start.isoformat()}"
        raise Rejected(where, what, _REMEDY, "bad_time")
    if start < PLACEHOLDER_TIME:
        what = f"start_time {start.isoformat()} lies before the mission"
        raise Rejected(where, what, _REMEDY, "bad_time")
    if not isinstance(middle, datetime):
        return {"exposure_mid_time": _middle(start, end)}
    if not start <= middle <= end:
        what = f"mid_time {middle.isoformat()} is not between start_time and end_time"
        raise Rejected(where, what, _REMEDY, "bad_time")
    return {}


def _check_exposure_time(meta: Mapping[str, object], path: Path) -> None:
    """Reject an exposure time that is none; unknown, as the placeholder says, is not forbidden."""
    keyword = "exposure.exposure_time"
    value = _look_up(meta, keyword)
    if isinstance(value, int | float) and value != PLACEHOLDER_NUMBER and not 0 < value < math.inf:
        what = f"value {value} is not a time above 0 s"
        raise Rejected(f"{path}: meta.{keyword}", what, _REMEDY, "bad_keyword")


def _middle(start: datetime, end: datetime) -> datetime:
    """Half way between two times, to the microsecond."""
    return start + timedelta(microseconds=((end - start) // timedelta(microseconds=1)) // 2)
