"""Which column of a table of light curves is which, and in what units and scales: options, or a YAML file.

::

    time: hjd                 # a column
    time_system: HJD_UTC
    time_offset: 2450000
    value: mag                # a column of magnitudes or of flux densities
    error: e_mag
    system: Vega              # flux, AB or Vega
    zero_point: {OGLE-I: 2416, OGLE-V: 3636}   # Jy of magnitude 0, one for all or by band
    band: OGLE-I              # a column, or the band of all rows
    object: BLG-0042          # a column, or the name of the one object
    ra: 268.0                 # a column, or degrees ICRS
    dec: -29.2
    file_name: phot.{object}.{band}.dat        # what the name of the file says
    bands: {W149: F146}       # names of bands here, by those of the file
    places: {file: events.txt, object: col2, ra: col3, dec: col4}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import yaml

from loaders.external_light_curve.naming import parts_of, pattern_of
from loaders.external_light_curve.times import TIME_SYSTEMS
from loaders.input_file import read_bytes
from loaders.rejection import Rejected

SYSTEMS = ("flux", "AB", "Vega")
"""What values are."""

VEGA_ZERO_POINTS = {"U": 1810.0, "B": 4260.0, "V": 3640.0, "R": 3080.0, "I": 2550.0}
VEGA_ZERO_POINTS |= {"J": 1594.0, "H": 1024.0, "K": 666.7, "Ks": 666.7}
"""Flux densities (Jy) of Vega magnitude 0: U to I of Bessell (1979, PASP 91, 589), J to Ks of 2MASS (Cohen et
al. 2003, AJ 126, 1090). For other bands a zero point has to be given."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "time": ("bjd_tdb", "bjd", "hjd", "jd", "mjd", "time", "date", "t", "col1"),
    "value": ("flux", "mag", "magnitude", "psf_flux", "col2"),
    "error": (
        *("flux_err", "flux_error", "mag_err", "magerr", "mag_error", "e_flux", "e_mag"),
        *("err", "error", "sigma", "uncertainty", "col3"),
    ),
    "band": ("optical_element", "band", "filter"),
    "object": ("object", "event", "name", "source_id", "star"),
    "ra": ("ra", "raj2000"),
    "dec": ("dec", "dej2000"),
    "flags": ("flags",),
}
"""By which names of columns each is recognised, the best first; colN are those of a table without names."""

_SCALES = {"bjd_tdb": "BJD_TDB", "bjd": "BJD_TDB", "hjd": "HJD_UTC", "jd": "JD_UTC", "mjd": "MJD_UTC"}
_REMEDY = "Correct the layout file or the options"


@dataclass(frozen=True)
class PlacesFile:
    """A table of places of objects: its file, and names of columns where they are not the usual ones."""

    file: str
    object: str | None = None
    ra: str | None = None
    dec: str | None = None


@dataclass(frozen=True)
class Layout:
    """What is known of a table; None where nothing is.

    Parameters
    ----------
    time, value, error
        Names of columns. There are errors in the unit of the values.
    band, object, ra, dec
        Names of columns or, where there is no column of that name, what holds for all rows; ``ra`` and
        ``dec`` in degrees ICRS.
    flags
        Name of a column of photometry flags, where the table has those of this database.
    time_system
        One of `loaders.external_light_curve.times.TIME_SYSTEMS`.
    time_offset
        Days that were subtracted from the times, such as 2450000.
    system
        One of `SYSTEMS`.
    unit
        Unit of flux densities, where the file states none.
    zero_point
        Flux density (Jy) of magnitude 0: one for all, or by band; for Vega.
    file_name
        How files are called, such as ``phot.{object}.{band}.dat``: `loaders.external_light_curve.naming`.
    bands
        Names that bands get, by those that the table has; others stay as they are.
    places
        Table of places for objects that have none in theirs.
    """

    time: str | None = None
    value: str | None = None
    error: str | None = None
    band: str | None = None
    object: str | None = None
    ra: str | None = None
    dec: str | None = None
    flags: str | None = None
    time_system: str | None = None
    time_offset: float = 0.0
    system: str | None = None
    unit: str | None = None
    zero_point: float | Mapping[str, float] | None = None
    file_name: str | None = None
    bands: Mapping[str, str] | None = None
    places: PlacesFile | None = None

    def __post_init__(self) -> None:
        if self.time_system is not None and self.time_system not in TIME_SYSTEMS:
            raise ValueError(f"time_system {self.time_system!r} is none of {', '.join(TIME_SYSTEMS)}")
        if self.system is not None and self.system not in SYSTEMS:
            raise ValueError(f"system {self.system!r} is none of {', '.join(SYSTEMS)}")
        points = self.zero_point.values() if isinstance(self.zero_point, Mapping) else [self.zero_point]
        if any(point is not None and not point > 0 for point in points):
            raise ValueError(f"zero_point must be above 0 Jy, got {self.zero_point}")
        if self.file_name is not None:
            pattern_of(self.file_name)

    def zero_point_of(self, band: str) -> float | None:
        """Flux density (Jy) of magnitude 0 in a band; None where it is not known."""
        if self.system == "AB":
            return 3631.0
        given = self.zero_point.get(band) if isinstance(self.zero_point, Mapping) else self.zero_point
        return VEGA_ZERO_POINTS.get(band) if given is None else given


def read_layout(path: Path) -> Layout:
    """Read a layout file.

    Raises
    ------
    Rejected
        Codes ``missing_file``, ``unreadable_file``, ``bad_layout``.
    """
    text = read_bytes(path, "a layout file in YAML")
    try:
        content = yaml.safe_load(text.decode("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        what = f"not YAML: {str(error).splitlines()[0]}"
        raise Rejected(str(path), what, _REMEDY, "bad_layout") from error
    if not isinstance(content, dict):
        raise Rejected(str(path), f"expected a YAML mapping, found {content!r}", _REMEDY, "bad_layout")
    return layout_of(content, str(path))


def layout_of(content: Mapping[Any, Any], where: str) -> Layout:
    """Layout of what was given by name.

    Raises
    ------
    Rejected
        Code ``bad_layout``: a name that means nothing, or a value that is none.
    """
    known = {item.name for item in fields(Layout)}
    if unknown := sorted(str(key) for key in content if key not in known):
        what = f"unknown key {', '.join(unknown)}; known are {', '.join(sorted(known))}"
        raise Rejected(where, what, _REMEDY, "bad_layout")
    try:
        return Layout(**{str(key): _value(str(key), value) for key, value in content.items()})  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise Rejected(where, str(error), _REMEDY, "bad_layout") from error


def _value(key: str, value: object) -> object:
    """A value of a layout file in its type."""
    if value is None:
        return 0.0 if key == "time_offset" else None
    if key == "zero_point" and isinstance(value, Mapping):
        return {str(band): float(point) for band, point in value.items()}
    if key == "bands" and isinstance(value, Mapping):
        return {str(name): str(band) for name, band in value.items()}
    if key == "places":
        return _places_file(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{key}: {value!r} is neither a text nor a number")
    return float(value) if key in ("time_offset", "zero_point") else str(value)


def _places_file(value: object) -> PlacesFile:
    """A table of places: its file, or that with names of columns."""
    if isinstance(value, PlacesFile):
        return value
    if isinstance(value, Mapping) and "file" in value:
        return PlacesFile(**{str(key): str(one) for key, one in value.items()})
    if isinstance(value, str):
        return PlacesFile(value)
    raise ValueError(f"places: {value!r} is neither a file nor a mapping with file, object, ra and dec")


def with_name(layout: Layout, path: Path) -> Layout:
    """Add to a layout what the name of a file says, if the layout has a template for it.

    Raises
    ------
    Rejected
        Code ``bad_file_name``: the name is not like the template.
    """
    if layout.file_name is None:
        return layout
    parts = parts_of(path.name, layout.file_name)
    if parts is None:
        what = f"the name {path.name} is not like {layout.file_name}"
        raise Rejected(str(path), what, "Give --file-name as this file is called", "bad_file_name")
    return replace(layout, **dict(parts))  # type: ignore[arg-type]


def recognised(layout: Layout, columns: Iterable[str], default_object: str, where: str) -> Layout:
    """Add to a layout what the names of the columns say.

    Parameters
    ----------
    layout
        What was given.
    columns
        Names of the table's columns.
    default_object
        Name of the object, if neither the layout nor a column has one.
    where
        File, for messages.

    Raises
    ------
    Rejected
        Codes ``missing_column``, ``no_time_column``, ``no_time_system``, ``no_photometric_system``,
        ``no_band``.
    """
    names = list(columns)
    found: dict[str, Any] = {part: getattr(layout, part) or recognise(part, names) for part in NAMES}
    found["object"] = found["object"] or default_object
    _check_columns(found, names, where)
    full = replace(layout, **found)
    full = replace(full, time_system=full.time_system or _SCALES.get(str(full.time).lower()))
    if full.time_system is None:
        what = f"it is not known in which system the times of column {full.time} are"
        remedy = f"Give --time-system, one of {', '.join(TIME_SYSTEMS)}"
        raise Rejected(where, what, remedy, "no_time_system")
    if full.band is None:
        remedy = "Give --band, the name of a band or of a column of bands, such as OGLE-I"
        raise Rejected(where, "it is not known in which band the values are", remedy, "no_band")
    return _with_system(full, where)


def _with_system(layout: Layout, where: str) -> Layout:
    """Say what the values are, where the name of their column says it."""
    if layout.system is not None:
        return layout
    if "flux" in str(layout.value).lower():
        return replace(layout, system="flux")
    what = f"it is not known whether column {layout.value} has flux densities or magnitudes"
    raise Rejected(where, what, f"Give --system, one of {', '.join(SYSTEMS)}", "no_photometric_system")


def recognise(part: str, names: list[str]) -> str | None:
    """Name of the column that is a part."""
    lower = {name.lower(): name for name in reversed(names)}
    return next((lower[name] for name in NAMES[part] if name in lower), None)


def _check_columns(found: Mapping[str, str | None], names: list[str], where: str) -> None:
    """Reject times, values and errors that are no columns."""
    for part in ("time", "value", "error", "flags"):
        name = found[part]
        if name is None and part != "flags":
            what = f"no column is known as that of the {part} among {', '.join(names)}"
            remedy = f"Name it with --{part}, or in a layout file"
            raise Rejected(where, what, remedy, "no_time_column" if part == "time" else "missing_column")
        if name is not None and name not in names:
            what = f"there is no column {name} for the {part} among {', '.join(names)}"
            raise Rejected(where, what, _REMEDY, "missing_column")
