"""Light curves as time series: what is asked, and the query for it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, partial

from roman_db.service_failure import BadRequest
from roman_db.tap.adql import OutputColumn, Translation, schema_catalog
from roman_db.tap.answer_rows import Answer
from roman_db.tap.formats.choice import VOTABLE, Format, chosen_format
from roman_db.tap.parameters import Limits, QueryRequest
from roman_db.tap.sending import Asked
from roman_db.vo.identifier import Product, read_identifier
from roman_db.vo.interval import ALL, Interval, in_tdb, read_interval
from roman_db.vo.parameters import Parameters, number
from roman_db.vo.stored import bound
from roman_db.vo.time_series_document import annotated
from roman_db.vo.time_series_rows import points_of

#: Most objects, and most places, of one request.
MOST = 10_000
#: Largest radius around a place, deg.
LARGEST_RADIUS = 0.1
#: Columns of the answer, and the table that describes each.
_COLUMNS = (
    ("object_id", "light_curve"), ("ra", "object"), ("dec", "object"), ("optical_element", "light_curve"),
    ("photometry_kind", "light_curve"), ("midpoint_bjd_tdb", "light_curve"),
    ("midpoint_mjd_tdb", "light_curve"), ("flux", "light_curve"), ("flux_err", "light_curve"),
    ("ab_mag", "light_curve"), ("ab_mag_err", "light_curve"), ("flags", "light_curve"),
    ("exposure_id", "light_curve"), ("detector", "light_curve"), ("catalog_version_id", "light_curve_block"),
    ("load_run_id", "light_curve_block"),
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """Whose light curves are wanted.

    Parameters
    ----------
    products
        Objects, or light curves in one optical element.
    places
        Right ascension and declination (ICRS, deg) of places whose objects are wanted.
    radius
        How far from a place an object may be, deg.
    kind
        Kind of photometry; empty for all.
    times
        Times of points, MJD (TDB) at the observatory.
    band
        Wavelengths of which an optical element must have some, m.
    """

    products: tuple[Product, ...]
    places: tuple[tuple[float, float], ...]
    radius: float
    kind: str
    times: Interval = ALL
    band: Interval = ALL


def time_series_query(wanted: Wanted, parameters: Parameters, limits: Limits, takes_gzip: bool) -> Asked:
    """Query for a request whose light curves are wanted.

    Raises
    ------
    BadRequest
        If a parameter makes no sense.
    """
    rows = parameters.whole("MAXREC", 0, limits.largest, limits.largest)
    asked_format = chosen_format(parameters.one("RESPONSEFORMAT") or parameters.one("FORMAT"))
    request = QueryRequest(_words(wanted), rows, _annotating(asked_format))
    translation = Translation(
        body=_sql(wanted), columns=_columns(), tables=frozenset(), top=None, offset=None, is_ordered=True,
        warnings=(),
    )  # fmt: skip
    expand = partial(points_of, names=[name for name, _ in _COLUMNS], times=wanted.times)
    return Asked(request, translation, takes_gzip, expand=expand)


def read_wanted(parameters: Parameters) -> Wanted:
    """Whose light curves a request wants.

    Raises
    ------
    BadRequest
        If a parameter makes no sense, or there is nothing that is wanted.
    """
    products = tuple(map(_product, _split(parameters.all("ID"), MOST, "ID")))
    places = tuple(map(_place, _split(parameters.all("POS"), MOST, "POS", ";")))
    if not products and not places:
        raise BadRequest(
            "ID (of objects or light curves) or POS (right ascension and declination) is missing"
        )
    radius = parameters.number("SR", 0, LARGEST_RADIUS) if places else 0.0
    kind = parameters.one("KIND") or ""
    if not all(one.isalnum() or one == "_" for one in kind):
        raise BadRequest(f"KIND must be a kind of photometry such as psf, got {kind[:60]!r}")
    times, band = in_tdb(read_interval(parameters, "TIME")), read_interval(parameters, "BAND")
    return Wanted(products, places, radius, kind, times, band)


def _split(values: list[str], most: int, name: str, separator: str = ",") -> list[str]:
    """Values of a parameter that is given often, or once with many values."""
    single = [part.strip() for value in values for part in value.split(separator) if part.strip()]
    if len(single) > most:
        raise BadRequest(f"{name} has {len(single)} values, at most {most} are taken")
    return single


def _product(text: str) -> Product:
    """Object or light curve."""
    product = read_identifier(text)
    if product is None or product.kind not in ("object", "light_curve"):
        raise BadRequest(f"ID must name an object or a light curve, got {text[:100]!r}")
    return product


def _place(text: str) -> tuple[float, float]:
    """Right ascension and declination."""
    parts = text.replace(",", " ").split()
    if len(parts) != 2:
        raise BadRequest(f"POS must be a right ascension and a declination, got {text[:60]!r}")
    ra, dec = number("POS", parts[0], -math.inf, math.inf), number("POS", parts[1], -90, 90)
    if not math.isfinite(ra):
        raise BadRequest(f"POS must be a right ascension and a declination, got {text[:60]!r}")
    return ra % 360, dec


def _sql(wanted: Wanted) -> str:
    return bound(
        "time_series",
        object_ids=[one.number for one in wanted.products],
        elements=[one.element or "" for one in wanted.products],
        ra=[ra for ra, _ in wanted.places],
        dec=[dec for _, dec in wanted.places],
        radius=wanted.radius,
        kind=wanted.kind,
        first=wanted.times.low,
        last=wanted.times.high,
        shortest=wanted.band.low,
        longest=wanted.band.high,
    )


def _words(wanted: Wanted) -> str:
    """What is asked, for the answer to say."""
    n_place = f"{len(wanted.places)} places within {wanted.radius:g} deg" if wanted.places else ""
    n_product = f"{len(wanted.products)} identifiers" if wanted.products else ""
    return "light curves of " + " and ".join(filter(None, (n_product, n_place)))


def _annotating(chosen: Format) -> Format:
    """Format whose VOTables say what times, places and fluxes are."""
    if not chosen.media_type.startswith(VOTABLE):
        return chosen
    return replace(chosen, write=partial(_annotated, chosen))


def _annotated(chosen: Format, answer: Answer) -> Iterator[bytes]:
    return annotated(chosen.write(answer))


@cache
def _columns() -> tuple[OutputColumn, ...]:
    """Columns of the answer, as the tables that have them describe them."""
    found = []
    for name, table in _COLUMNS:
        (described,) = schema_catalog().named(table)
        (column,) = (one for one in described.columns if one.name == name)
        kind = column.type
        found.append(
            OutputColumn(
                name,
                kind.datatype,
                kind.arraysize,
                kind.xtype,
                column.unit,
                column.ucd,
                column.description,
                f"{described.full_name}.{name}",
            )
        )
    return tuple(found)
