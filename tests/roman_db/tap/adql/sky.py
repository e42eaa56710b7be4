"""A small sky of our own, in numpy and in PostgreSQL: stars at random, at longitude 0 and at both poles."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import cdshealpix
import numpy as np
from astropy import units as u
from astropy.coordinates import Latitude, Longitude, angular_separation

from roman_db.tap.adql import Catalog, CatalogColumn, CatalogTable, Type

LONG, INT, SHORT = Type("long"), Type("int"), Type("short")
DOUBLE, FLOAT, BOOLEAN = Type("double"), Type("float"), Type("boolean")
TEXT, TIMESTAMP = Type("char", "*"), Type("char", "*", "timestamp")
MOC = Type("char", "*", None, "int8multirange")

_STAR = (
    CatalogColumn("star_id", LONG, None, "meta.id;meta.main", "Number of the star."),
    CatalogColumn("ra", DOUBLE, "deg", "pos.eq.ra;meta.main", "Right ascension."),
    CatalogColumn("dec", DOUBLE, "deg", "pos.eq.dec;meta.main", "Declination."),
    CatalogColumn("pm", FLOAT, "mas.yr**-1", "pos.pm", "Proper motion; empty where unknown."),
    CatalogColumn("name", TEXT, None, "meta.id", "Name."),
    CatalogColumn("kind", SHORT, None, "src.class", "Kind, 0 to 4."),
    CatalogColumn("quality", INT, None, "meta.code.qual", "Bits of quality."),
    CatalogColumn("seen_at", TIMESTAMP, None, "time.epoch", "When it was seen."),
    CatalogColumn("is_good", BOOLEAN, None, "meta.code", "Whether it is good."),
    CatalogColumn("Mixed", INT, None, None, "A name with capitals."),
    CatalogColumn("size", DOUBLE, "arcsec", "phys.angSize", "A reserved word."),
    CatalogColumn("series", Type("float", "*"), "nJy", "phot.flux.density", "Three fluxes."),
    CatalogColumn("coverage", MOC, None, "pos.outline", "Pixels around it."),
)
_MEASURE = (
    CatalogColumn("star_id", LONG, None, "meta.id", "Star; some are not in the other table."),
    CatalogColumn("band", TEXT, None, "instr.filter", "Optical element."),
    CatalogColumn("flux", DOUBLE, "nJy", "phot.flux.density", "Flux; some are negative or empty."),
    CatalogColumn("flux_err", DOUBLE, "nJy", "stat.error;phot.flux.density", "Its error."),
    CatalogColumn("mjd", DOUBLE, "d", "time.epoch", "When."),
)
_TARGET = (
    CatalogColumn("target", INT, None, "meta.id", "Number."),
    CatalogColumn("RA", DOUBLE, "deg", "pos.eq.ra", "As its author spells it."),
    CatalogColumn("DEC", DOUBLE, "deg", "pos.eq.dec", "As its author spells it."),
    CatalogColumn("radius", DOUBLE, "deg", None, "How far to look."),
)
#: Not in the catalog, though they are in the database.
HIDDEN = ("hidden_column", "secret")

CATALOG = Catalog(
    (
        CatalogTable("sky", "star", _STAR, sky_index=(("ra", "dec"),), primary_key=("star_id",)),
        CatalogTable("sky", "measure", _MEASURE),
        CatalogTable("sky", "one", (CatalogColumn("x", INT),)),
        CatalogTable("TAP_UPLOAD", "mine", _TARGET, stored_schema="sky", stored_name="upload_17"),
    )
)
_TYPES = {
    "long": "bigint", "int": "integer", "short": "smallint", "double": "double precision", "float": "real",
    "boolean": "boolean", "char": "text",
}  # fmt: skip


def make() -> SimpleNamespace:
    """Tables as columns of numpy arrays; None stands for NULL in lists."""
    rng = np.random.default_rng(11)
    n = 400
    ra = rng.uniform(0, 360, n)
    dec = np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    ra[250:300] = rng.uniform(-0.5, 0.5, 50) % 360
    dec[250:300] = rng.uniform(-0.5, 0.5, 50)
    dec[300:350] = 90 - rng.uniform(0, 1, 50)
    dec[350:] = rng.uniform(0, 1, 50) - 90
    start = datetime(2027, 2, 1, tzinfo=UTC)
    star = {
        "star_id": list(range(1, n + 1)),
        "ra": ra.tolist(),
        "dec": dec.tolist(),
        "pm": [None if i % 9 == 0 else float(np.float32(x)) for i, x in enumerate(rng.normal(0, 5, n))],
        "name": [f"{'Alpha' if i % 2 else 'beta'}_{i % 13}%" for i in range(n)],
        "kind": rng.integers(0, 5, n).tolist(),
        "quality": rng.integers(0, 256, n).tolist(),
        "seen_at": [start + timedelta(hours=6 * i) for i in range(n)],
        "is_good": [bool(i % 3) for i in range(n)],
        "Mixed": [i * i for i in range(n)],
        "size": rng.uniform(0.1, 2, n).tolist(),
        "series": [[float(i), i + 0.5, float("nan")] for i in range(n)],
        "coverage": [around(*place) for place in zip(ra, dec, strict=True)],
    }
    return SimpleNamespace(star=star, measure=_measures(rng), one={"x": [1]}, mine=_targets(rng, star))


def _measures(rng: np.random.Generator) -> dict[str, list]:
    ids = [i for i in range(1, 421) for _ in range(3) if i % 7]
    flux = [None if k % 17 == 0 else float(x) for k, x in enumerate(rng.normal(100, 80, len(ids)))]
    return {
        "star_id": ids,
        "band": [("F087", "F146", "F213")[k % 3] for k in range(len(ids))],
        "flux": flux,
        "flux_err": rng.uniform(1, 9, len(ids)).tolist(),
        "mjd": (61450 + rng.uniform(0, 100, len(ids))).tolist(),
    }


def _targets(rng: np.random.Generator, star: dict[str, list]) -> dict[str, list]:
    """Places near stars, and some that are near none."""
    chosen = [5, 17, 120, 260, 270, 310, 349, 360, 399]
    return {
        "target": list(range(12)),
        "RA": [*(star["ra"][i] for i in chosen), 10.0, 200.0, 359.9999],
        "DEC": [*(star["dec"][i] * (1 - 1e-7) for i in chosen), -40.0, 33.0, 0.0],
        "radius": [float(x) for x in rng.uniform(0.2, 3, 12)],
    }


def around(ra: float, dec: float) -> str:
    """Pixel of order 6 with the place, as a multirange of order 29."""
    lon, lat = Longitude(ra * u.deg), Latitude(dec * u.deg)
    pixel = int(cdshealpix.lonlat_to_healpix(lon, lat, 6).item())
    return f"{{[{pixel << 46},{(pixel + 1) << 46})}}"


def sep(ra1, dec1, ra2, dec2) -> np.ndarray:
    """Angle between places, deg, by astropy."""
    return np.degrees(angular_separation(*(np.radians(np.asarray(x, float)) for x in (ra1, dec1, ra2, dec2))))


def statements(sky: SimpleNamespace) -> list[str]:
    """SQL that makes and fills the tables."""
    made = ["CREATE SCHEMA sky"]
    for table in CATALOG:
        stored = f"sky.{table.stored_name or table.name}"
        columns = ", ".join(f'"{column.name}" {_stored_type(column)}' for column in table.columns)
        made.append(f"CREATE TABLE {stored} ({columns}, {HIDDEN[0]} integer DEFAULT 7)")
        rows = json.dumps(_rows(getattr(sky, table.name)), default=lambda one: one.isoformat())
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        text = rows.replace("NaN", "null").replace("'", "''")
        made.append(
            f"INSERT INTO {stored} ({names}) SELECT {names} FROM "
            f"json_populate_recordset(NULL::{stored}, '{text}')"
        )
    made += [
        "UPDATE sky.star SET series[3] = 'NaN'",
        f"CREATE TABLE sky.{HIDDEN[1]} (password text)",
        "ALTER TABLE sky.star ADD PRIMARY KEY (star_id)",
        "CREATE INDEX star_q3c_idx ON sky.star (q3c_ang2ipix(ra, dec))",
        "CREATE INDEX star_coverage_idx ON sky.star USING gist (coverage)",
        "GRANT USAGE ON SCHEMA sky TO roman_reader",
        *(_grant(table) for table in CATALOG),
        "ANALYZE",
    ]
    return made


def _grant(table: CatalogTable) -> str:
    """Let readers have the columns of the catalog: PostgreSQL itself then refuses all others."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    return f"GRANT SELECT ({names}) ON sky.{table.stored_name or table.name} TO roman_reader"


def _stored_type(column: CatalogColumn) -> str:
    if column.type.postgresql:
        return column.type.postgresql
    if column.type.xtype == "timestamp":
        return "timestamp with time zone"
    base = _TYPES[column.type.datatype]
    return f"{base}[]" if column.type.datatype != "char" and column.type.arraysize else base


def _rows(columns: dict[str, list]) -> list[dict]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
