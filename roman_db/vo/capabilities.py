"""What each service says of itself: VOSI 1.1, SimpleDALRegExt 1.2 (cone search), DataLink 1.1, SODA 1.0.

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
    is_cone_search: bool = False


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
        is_cone_search=True,
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
#: Table that cone search searches.
_SEARCHED = "roman.current_object"


def capabilities_of(name: str, address: str, chosen: Settings) -> str:
    """VOSI capabilities of one service."""
    return _OPENING + _elements([_SERVICES[name], *_of_vosi(name)], address, chosen) + _CLOSING


def all_capabilities(address: str, chosen: Settings) -> str:
    """VOSI capabilities of all services, TAP among them."""
    return vosi.capabilities(address, chosen, _elements(list(_SERVICES.values()), address, chosen))


def searched_table() -> str:
    """VOSI tables of the cone search."""
    return vosi.tables(True, (_SEARCHED,))


def _of_vosi(name: str) -> list[Capability]:
    """What each service says of itself."""
    found = [
        Capability("VOSI#capabilities", f"/{name}/capabilities"),
        Capability("VOSI#availability", f"/{name}/availability"),
    ]
    return [*found, Capability("VOSI#tables-1.1", "/scs/tables", "1.1")] if name == "scs" else found


def _elements(capabilities: list[Capability], address: str, chosen: Settings) -> str:
    """XML of capabilities."""
    return _template().render(
        capabilities=capabilities,
        address=address,
        methods=vosi.SECURITY_METHODS,
        largest_rows=chosen.tap_max_rows,
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
