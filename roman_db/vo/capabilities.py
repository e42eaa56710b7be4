"""What services say of themselves: VOSI 1.1, SimpleDALRegExt 1.2 (cone search, SSA), DataLink 1.1, SODA 1.0.

A registry wants a document for each service; the one at the root has them all, beside TAP.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2

from roman_db.resources import folder
from roman_db.settings import Settings
from roman_db.tap import vosi
from roman_db.templates import environment

_OPENING = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<vosi:capabilities xmlns:vosi="http://www.ivoa.net/xml/VOSICapabilities/v1.0"\n'
    '    xmlns:vs="http://www.ivoa.net/xml/VODataService/v1.1"\n'
    '    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
)
_CLOSING = "</vosi:capabilities>\n"
_VOTABLE = "application/x-votable+xml"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a service, in the words of VODataService."""

    name: str
    description: str
    ucd: str
    unit: str | None = None
    datatype: str = "real"
    is_required: bool = False


@dataclass(frozen=True)
class Capability:
    """One thing that a service does, by the identifier of its standard, and at which address."""

    standard: str
    path: str
    version: str | None = None
    result: str = ""
    parameters: tuple[Parameter, ...] = ()
    extension: str | None = None


_IDENTIFIER = Parameter("ID", "Identifier of a product.", "meta.id;meta.main", None, "string", True)
_SERVICES = {
    "scs": Capability(
        "ConeSearch", "/scs?", "1.03", _VOTABLE,
        (
            Parameter("RA", "Right ascension (ICRS) of the middle.", "pos.eq.ra", "deg", is_required=True),
            Parameter("DEC", "Declination (ICRS) of the middle.", "pos.eq.dec", "deg", is_required=True),
            Parameter("SR", "Radius.", "pos.angDistance", "deg", is_required=True),
            Parameter("VERB", "1 for few columns, 2, or 3 for all.", "meta.code", None, "integer"),
            Parameter("MAXREC", "Most rows.", "meta.number", None, "integer"),
            Parameter("RESPONSEFORMAT", "Format of the answer.", "meta.code.mime", None, "string"),
        ),
        extension="cone_search",
    ),
    "ssa": Capability(
        "SSA", "/ssa?", "1.1", _VOTABLE, (
            Parameter("REQUEST", "queryData.", "meta.code", None, "string", True),
            Parameter("VERSION", "1.1, or 1.0 to 1.04.", "meta.version", None, "string"),
            Parameter("POS", "Right ascension, a comma, declination (ICRS).", "pos.eq", "deg", "string"),
            Parameter("SIZE", "Diameter around POS; 10 arcsec unless said.", "phys.angSize", "deg"),
            Parameter("BAND", "Ranges of wavelengths: 1e-6/2e-6;observer.", "em.wl", "m", "string"),
            Parameter("TIME", "Ranges of dates (UTC): 2027-03/2027-05.", "time.epoch", None, "string"),
            Parameter("FORMAT", "votable, fits, all; or metadata.", "meta.code.mime", None, "string"),
            Parameter("REDSHIFT", "Ranges of redshifts.", "src.redshift", None, "string"),
            Parameter("SPECRP", "Least resolving power, or ranges.", "spect.resolution", None, "string"),
            Parameter("TARGETNAME", "Names, or numbers of objects.", "meta.id;src", None, "string"),
            Parameter("TARGETCLASS", "GALAXY, STAR or QSO.", "src.class", None, "string"),
            Parameter("FLUXCALIB", "absolute or uncalibrated.", "meta.code.qual", None, "string"),
            Parameter("WAVECALIB", "absolute: all spectra are.", "meta.code.qual", None, "string"),
            Parameter("COLLECTION", "roman_wfi or external.", "meta.id", None, "string"),
            Parameter("PUBDID", "Identifiers of spectra.", "meta.ref.ivoid", None, "string"),
            Parameter("TOP", "So many, the nearest to POS.", "meta.number", None, "integer"),
            Parameter("MAXREC", "Most rows.", "meta.number", None, "integer"),
            Parameter("RESPONSEFORMAT", "Format of the answer.", "meta.code.mime", None, "string"),
        ),
        extension="spectra",
    ),
    "datalink": Capability(
        "DataLink#links-1.1", "/datalink", "1.1", f"{_VOTABLE};content=datalink", (_IDENTIFIER,)
    ),
    "soda": Capability(
        "SODA#sync-1.0", "/soda/sync", "1.0", "application/fits",
        (
            _IDENTIFIER,
            Parameter("CIRCLE", "Longitude, latitude, radius.", "pos.outline;obs", "deg", "string"),
            Parameter("POLYGON", "Longitudes and latitudes.", "pos.outline;obs", "deg", "string"),
            Parameter("POS", "CIRCLE, RANGE or POLYGON and numbers.", "pos.outline;obs", "deg", "string"),
            Parameter("BAND", "Shortest and longest wavelength.", "em.wl;stat.interval", "m", "string"),
            Parameter("TIME", "First and last MJD (UTC).", "time.interval;obs.exposure", "d", "string"),
        ),
    ),
}  # fmt: skip
#: Services that have documents of their own.
NAMES = tuple(_SERVICES)
#: Tables that services search.
SEARCHED = {"scs": "roman.current_object", "ssa": "ivoa.ssa"}


def capabilities_of(name: str, address: str, chosen: Settings) -> str:
    """VOSI capabilities of one service."""
    return _OPENING + _elements([_SERVICES[name], *_of_vosi(name)], address, chosen) + _CLOSING


def all_capabilities(address: str, chosen: Settings) -> str:
    """VOSI capabilities of all services, TAP among them."""
    return vosi.capabilities(address, chosen, _elements(list(_SERVICES.values()), address, chosen))


def searched_table(name: str) -> str:
    """VOSI tables of a service: the one that it searches."""
    return vosi.tables(True, (SEARCHED[name],))


def parameters_of(name: str) -> tuple[Parameter, ...]:
    """Parameters that a service takes."""
    return _SERVICES[name].parameters


def _of_vosi(name: str) -> list[Capability]:
    """What each service says of itself."""
    found = [
        Capability("VOSI#capabilities", f"/{name}/capabilities"),
        Capability("VOSI#availability", f"/{name}/availability"),
    ]
    tables = Capability("VOSI#tables-1.1", f"/{name}/tables", "1.1")
    return [*found, tables] if name in SEARCHED else found


def _elements(capabilities: list[Capability], address: str, chosen: Settings) -> str:
    """XML of capabilities."""
    return _template().render(
        capabilities=capabilities,
        address=address,
        methods=vosi.SECURITY_METHODS,
        largest_rows=chosen.tap_max_rows,
        usual_rows=min(chosen.tap_rows, chosen.tap_max_rows),
        test_place=_first_field(),
    )


@cache
def _first_field() -> tuple[str, str]:
    """Right ascension and declination of the first field, where a service can be tried."""
    path = folder("schema") / "rows" / "roman.field.csv"
    with path.open(newline="", encoding="utf-8") as file:
        row = next(csv.DictReader(file))
    return row["ra"], row["dec"]


@cache
def _template() -> jinja2.Template:
    """Template of the elements, which escapes what is put in."""
    return environment(Path(__file__).parent / "templates").get_template("capabilities.xml")
