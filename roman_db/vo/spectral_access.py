"""Simple Spectral Access 1.1: spectra of ``ivoa.ssa`` that meet the parameters, by a query of TAP."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial

from roman_db.schema.view import read_views
from roman_db.service_failure import BadRequest
from roman_db.tap.adql import OutputColumn, Translation, schema_catalog, translate
from roman_db.tap.formats.choice import VOTABLE, Format, chosen_format
from roman_db.tap.parameters import Limits, QueryRequest
from roman_db.tap.sending import Asked
from roman_db.vo.link_document import link_descriptor
from roman_db.vo.parameters import Parameters, number
from roman_db.vo.spectral_document import written
from roman_db.vo.spectral_ranges import condition, date_in, number_in, read_bands, read_ranges
from roman_db.whole_number import whole_number

#: Diameter around a place, deg, unless SIZE says another.
USUAL_SIZE = 10 / 3600
_TABLE = "ivoa.ssa"
_VERSIONS = ("1.0", "1.00", "1.01", "1.02", "1.03", "1.04", "1.1")
#: What FORMAT may name, and what a spectrum then comes in; the first that a request names is taken.
_FORMATS = {
    "all": "votable", "compliant": "votable", "votable": "votable", "xml": "votable",
    "application/x-votable+xml": "votable", "text/xml": "votable", "fits": "fits", "application/fits": "fits",
    "image/fits": "fits",
}  # fmt: skip
#: Formats that the standard names and spectra do not have: they are met by no spectrum.
_NEVER = ("native", "graphic")
#: Parameters that are lists of ranges: how values are read, and the columns between which spectra lie.
_RANGES = {
    "TIME": (date_in, "t_min", "t_max"),
    "REDSHIFT": (number_in, "z", "z"),
    "SPECRP": (number_in, "em_res_power", "em_res_power"),
}
#: Those of which a value alone is the least.
_LEAST = ("SPECRP",)
#: Ends of a spectrum in the frame of the observer, and of the source; without a redshift there are none.
_SPECTRAL = {False: ("em_min", "em_max"), True: ("em_min / (1 + z)", "em_max / (1 + z)")}
#: Parameters that are lists of words, whatever their capitals, and their columns.
_WORDS = {"TARGETCLASS": "target_class", "FLUXCALIB": "flux_calibration", "COLLECTION": "collection"}
#: Calibration of the wavelengths of all spectra.
_WAVELENGTHS = "ABSOLUTE"
_SCORE = OutputColumn(
    "score", "double", None, None, None, "meta.number",
    "1 at the place that was asked for, 0 at the edge of the circle around it.", None, "ssa:Query.Score",
)  # fmt: skip


def is_metadata_query(parameters: Parameters) -> bool:
    """Whether a request asks what can be asked, and for no spectra.

    Raises
    ------
    BadRequest
        If it is no query, or one of another version.
    """
    if (asked := parameters.one("REQUEST") or "").lower() != "querydata":
        raise BadRequest(f"REQUEST must be queryData, got {asked[:60]!r}")
    if (version := parameters.one("VERSION")) is not None and version not in _VERSIONS:
        raise BadRequest(f"VERSION {version[:20]!r} is not supported: there is 1.1")
    return (parameters.one("FORMAT") or "").lower() == "metadata"


def spectral_query(parameters: Parameters, limits: Limits, takes_gzip: bool, address: str) -> Asked:
    """Query for a request of the protocol.

    Parameters
    ----------
    parameters
        Of the request.
    limits
        Rows that the answer may have.
    takes_gzip
        Whether the client takes gzip.
    address
        Address of the services.

    Raises
    ------
    BadRequest
        If a parameter makes no sense.
    """
    rows = parameters.whole("MAXREC", 0, limits.largest, min(limits.default, limits.largest))
    query = _query(parameters, limits, address)
    translation = _of_protocol(translate(query, schema_catalog()))
    request = QueryRequest(query, rows, _format(parameters))
    descriptor = link_descriptor(translation.columns, address)
    return Asked(request, translation, takes_gzip, descriptor=descriptor)


def read_place(parameters: Parameters) -> tuple[float, float, float] | None:
    """Place (ICRS) and radius around it that a request names, deg; None for the whole sky.

    Raises
    ------
    BadRequest
        If they make no sense.
    """
    text = parameters.one("POS")
    if text is None:
        return None
    place, _, frame = text.partition(";")
    parts = place.split(",")
    if len(parts) != 2 or frame.strip().upper() not in ("", "ICRS"):
        raise BadRequest(
            f"POS must be a right ascension and a declination in degrees, with a comma between, ICRS, "
            f"got {text[:60]!r}"
        )
    ra, dec = number("POS", parts[0], 0, 360), number("POS", parts[1], -90, 90)
    return ra, dec, parameters.number("SIZE", 0, 360, USUAL_SIZE) / 2


@cache
def columns() -> tuple[OutputColumn, ...]:
    """Columns of an answer, the score first."""
    query = f"SELECT {', '.join(_names())} FROM {_TABLE}"
    return (_SCORE, *translate(query, schema_catalog()).columns)


@cache
def _names() -> tuple[str, ...]:
    """Columns of the table."""
    return tuple(one.name for one in read_views()[_TABLE].columns)


def _query(parameters: Parameters, limits: Limits, address: str) -> str:
    """Query in ADQL."""
    place = read_place(parameters)
    distance = "" if place is None else f"DISTANCE(s_ra, s_dec, {place[0]!r}, {place[1]!r})"
    conditions = _conditions(parameters)
    score = "1.0"
    if place is not None:
        conditions.insert(0, f"{distance} <= {place[2]!r}")
        score = f"1 - {distance} / {place[2]!r}" if place[2] > 0 else score
    top = parameters.whole("TOP", 1, limits.largest, 0)
    selected = ", ".join([f"{score} AS score", *_selected(_chosen(parameters), address)])
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    selected = f"TOP {top} {selected}" if top else selected
    return f"SELECT {selected} FROM {_TABLE}{where} ORDER BY score DESC, spectrum_id"


def _selected(form: str | None, address: str) -> list[str]:
    """What is selected: columns as they stand, but for the address of a spectrum, and the format there."""
    asked, media_type = ("&RESPONSEFORMAT=fits", "application/fits") if form == "fits" else ("", VOTABLE)
    begin, end = _quoted(f"{address}/ssa/data?ID=spectrum/"), _quoted(asked)
    own = {
        "access_url": f"{begin} || CAST(spectrum_id AS VARCHAR) || {end} AS access_url",
        "access_format": f"{_quoted(media_type)} AS access_format",
    }
    return [own.get(name, name) for name in _names()]


def _conditions(parameters: Parameters) -> list[str]:
    """Conditions on other things than the place."""
    found = []
    for name, (read, low, high) in _RANGES.items():
        if (text := parameters.one(name)) is not None:
            found.append(condition(read_ranges(name, text, read, name in _LEAST), low, high))
    if (text := parameters.one("BAND")) is not None:
        ranges, is_of_source = read_bands(text)
        found.append(condition(ranges, *_SPECTRAL[is_of_source]))
    for name, column in _WORDS.items():
        if words := _listed(parameters, name):
            found.append(f"UPPER({column}) IN ({', '.join(_quoted(one.upper()) for one in words)})")
    if (words := _listed(parameters, "WAVECALIB")) and _WAVELENGTHS not in map(str.upper, words):
        found.append("1 = 0")
    if names := _listed(parameters, "TARGETNAME"):
        found.append(_of_targets(names))
    if identifiers := _listed(parameters, "PUBDID"):
        found.append(f"obs_publisher_did IN ({', '.join(map(_quoted, identifiers))})")
    return found if _chosen(parameters) else [*found, "1 = 0"]


def _of_targets(names: list[str]) -> str:
    """Condition that a spectrum has a name, whatever the capitals, or is of the object of a number."""
    numbers = [str(number) for one in names if (number := whole_number(one)) is not None]
    by_name = f"LOWER(target_name) IN ({', '.join(_quoted(one.lower()) for one in names)})"
    return f"({by_name} OR object_id IN ({', '.join(numbers)}))" if numbers else by_name


def _listed(parameters: Parameters, name: str) -> list[str]:
    """Words of a list."""
    return [one.strip() for one in (parameters.one(name) or "").split(",") if one.strip()]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _chosen(parameters: Parameters) -> str | None:
    """Format of the spectra; None where a request takes none that there is.

    Raises
    ------
    BadRequest
        If FORMAT names what is no format.
    """
    named = [one.lower() for one in _listed(parameters, "FORMAT")] or ["all"]
    for one in named:
        if one not in _FORMATS and one not in _NEVER and "/" not in one:
            raise BadRequest(
                f"FORMAT must be among {', '.join((*_FORMATS, *_NEVER, 'metadata'))}, got {one[:60]!r}"
            )
    return next((_FORMATS[one] for one in named if one in _FORMATS), None)


def _of_protocol(translation: Translation) -> Translation:
    """Translation whose columns say what they are also where they are computed."""
    known = {one.name: one for one in columns()}
    return replace(translation, columns=tuple(known[one.name] for one in translation.columns))


def _format(parameters: Parameters) -> Format:
    """Format of the answer: a VOTable with rows in words, unless another is asked for."""
    chosen = chosen_format(parameters.one("RESPONSEFORMAT") or "votable/td")
    return (
        replace(chosen, write=partial(written, chosen)) if chosen.media_type.startswith(VOTABLE) else chosen
    )
