"""User-defined functions: one table, from which calls are checked and translated, and capabilities declared.

Those that begin with ``ivo_`` are defined by the IVOA's catalogue of user-defined functions (Endorsed Note
1.2), those with ``roman_`` are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from roman_db.tap.adql.call import Call
from roman_db.tap.adql.constant import check_time
from roman_db.tap.adql.error import error_at
from roman_db.tap.adql.geometry import point_of
from roman_db.tap.adql.value import Value, derived
from roman_db.tap.adql.value_type import DOUBLE, DOUBLE_ARRAY, INT, LONG, POINT, TEXT, Family, Type

#: What parameters are called in a signature, and what a value must be for them.
_KINDS: dict[str, tuple[Family, ...]] = {
    "INTEGER": (Family.NUMBER,),
    "BIGINT": (Family.NUMBER,),
    "DOUBLE PRECISION": (Family.NUMBER,),
    "VARCHAR": (Family.TEXT,),
    "TIMESTAMP": (Family.TIME, Family.TEXT),
    "POINT": (Family.GEOMETRY,),
    "REAL[]": (Family.ARRAY,),
}
_CAST = {"INTEGER": "integer", "BIGINT": "bigint", "DOUBLE PRECISION": "double precision", "VARCHAR": "text",
         "TIMESTAMP": "timestamp with time zone"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """One way to call a function.

    Parameters
    ----------
    parameters
        Name and type of each, as the signature says them.
    sql
        SQL with a place for each; two for a point.
    """

    parameters: tuple[tuple[str, str], ...]
    sql: str


@dataclass(frozen=True, slots=True)
class UserFunction:
    """A function that ADQL itself does not have.

    Parameters
    ----------
    name
        Its name.
    forms
        The ways to call it.
    type, type_name
        Type of what it gives, and how a signature calls it.
    description
        What it does, for capabilities.
    unit, ucd
        Of what it gives.
    is_aggregate
        Whether it takes the values of many rows together.
    keeps_unit
        Whether the result has unit and type of an element of the first argument.
    """

    name: str
    forms: tuple[Form, ...]
    type: Type
    type_name: str
    description: str
    unit: str | None = None
    ucd: str | None = None
    is_aggregate: bool = False
    keeps_unit: bool = False

    @property
    def signatures(self) -> tuple[str, ...]:
        """Signature of each form, as TAPRegExt declares it."""
        return tuple(
            f"{self.name}({', '.join(f'{name} {kind}' for name, kind in form.parameters)}) -> "
            f"{self.type_name}"
            for form in self.forms
        )

    def translate(self, call: Call) -> Value:
        """Value of a call.

        Raises
        ------
        AdqlError
            If no form takes these arguments.
        """
        given = call.arguments
        for form in self.forms:
            if len(form.parameters) == len(given) and all(
                map(_fits, given, (kind for _, kind in form.parameters))
            ):
                for one, (_, kind) in zip(given, form.parameters, strict=True):
                    if kind == "TIMESTAMP":
                        check_time(call.node, one)
                value = derived(_filled(form, given), self.type, *given, unit=self.unit, ucd=self.ucd)
                if self.keeps_unit:
                    element = Type(given[0].type.datatype)
                    value = replace(value, type=element, unit=given[0].unit, ucd=given[0].ucd)
                return replace(value, uses=frozenset(), aggregate=True) if self.is_aggregate else value
        raise error_at(call.node, f"expected {' or '.join(self.signatures)}", self.signatures)


def _fits(value: Value, kind: str) -> bool:
    if kind == "POINT":
        return value.type.xtype == "point"
    if kind in ("INTEGER", "BIGINT") and value.type.family is Family.NUMBER:
        return value.type.is_integer
    if kind == "REAL[]":
        return value.type.family is Family.ARRAY
    return value.type.family in (*_KINDS[kind], Family.NULL)


def _filled(form: Form, given: Sequence[Value]) -> str:
    """SQL of a call with each argument in its place."""
    parts: list[str] = []
    for value, (_, kind) in zip(given, form.parameters, strict=True):
        if kind == "POINT":
            place = point_of(value)
            parts += [place.lon.sql, place.lat.sql]
        else:
            parts.append(f"CAST({value.sql} AS {_CAST[kind]})" if kind in _CAST else value.sql)
    return form.sql.format(*parts)


_MOTION = (
    ("ra", "DOUBLE PRECISION"), ("dec", "DOUBLE PRECISION"), ("parallax", "DOUBLE PRECISION"),
    ("pmra", "DOUBLE PRECISION"), ("pmdec", "DOUBLE PRECISION"), ("radial_velocity", "DOUBLE PRECISION"),
    ("ref_epoch", "DOUBLE PRECISION"), ("out_epoch", "DOUBLE PRECISION"),
)  # fmt: skip
_MOTION_SQL = "adql.epoch_prop({}, {}, {}, {}, {}, {}, {}, {})"


def _form(sql: str, **parameters: str) -> Form:
    return Form(tuple(parameters.items()), sql)


_ALL = (
    UserFunction(
        "ivo_healpix_index",
        (
            _form("adql.healpix_index({}, {}, {})", hpxOrder="INTEGER", long="DOUBLE PRECISION",
            lat="DOUBLE PRECISION"),
            _form("adql.healpix_index({}, {}, {})", hpxOrder="INTEGER", point="POINT"),
        ),
        LONG, "BIGINT",
        "Index of the HEALPix cell, in nested numbering, that contains a place in degrees; orders 0 to 29.",
        ucd="pos.healpix",
    ),
    UserFunction(
        "ivo_healpix_center", (_form("adql.healpix_center({}, {})", hpxOrder="INTEGER", hpxIndex="BIGINT"),),
        POINT, "POINT", "Centre of a HEALPix cell in nested numbering.", unit="deg", ucd="pos.eq",
    ),
    UserFunction(
        "ivo_epoch_prop_pos", (Form(_MOTION, f"({_MOTION_SQL})[1:2]"),), POINT, "POINT",
        "Place of a star at out_epoch (Julian years) by straight motion from what is known at "
        "ref_epoch: degrees, mas, "
        "mas/yr (pmra with cos(dec)) and km/s. A NULL parallax, motion or velocity is taken as zero.",
        unit="deg", ucd="pos.eq",
    ),
    UserFunction(
        "ivo_epoch_prop", (Form(_MOTION, _MOTION_SQL),), DOUBLE_ARRAY, "DOUBLE PRECISION[6]",
        "Place (deg), parallax (mas), proper motion (mas/yr, that in longitude with cos(lat)) and "
        "radial velocity (km/s) of "
        "a star at out_epoch by straight motion. What is NULL at ref_epoch is NULL in the result.",
    ),
    UserFunction(
        "ivo_hasword", (_form("adql.hasword({}, {})", haystack="VARCHAR", needle="VARCHAR"),), INT, "INTEGER",
        "1 if all words of needle are in haystack, by their English stems and whatever their capitals; "
        "else 0.",
    ),
    UserFunction(
        "ivo_hashlist_has", (_form("adql.hashlist_has({}, {})", hashlist="VARCHAR", item="VARCHAR"),), INT,
        "INTEGER",
        "1 if item is one of the words between the hash signs of hashlist, whatever the capitals; else 0.",
    ),
    UserFunction(
        "ivo_nocasematch", (_form("CAST({} ILIKE {} ESCAPE '' AS integer)", value="VARCHAR",
        pattern="VARCHAR"),),
        INT, "INTEGER", "1 if value matches the pattern of LIKE whatever the capitals; else 0.",
    ),
    UserFunction(
        "ivo_interval_overlaps",
        (_form("adql.interval_overlaps({}, {}, {}, {})", **dict.fromkeys(("a1", "b1", "a2", "b2"),
        "DOUBLE PRECISION")),),
        INT, "INTEGER", "1 if the intervals [a1, b1] and [a2, b2] have a number in common; else 0.",
    ),
    UserFunction(
        "ivo_string_agg", (_form("string_agg({}, {})", expression="VARCHAR", delimiter="VARCHAR"),), TEXT,
        "VARCHAR",
        "All values of expression that are not NULL, with delimiter between them.", is_aggregate=True,
    ),
    UserFunction(
        "ivo_to_jd", (_form("adql.julian_date({})", d="TIMESTAMP"),), DOUBLE, "DOUBLE PRECISION",
        "Julian date of a timestamp, without regard to time scales.", unit="d", ucd="time.epoch",
    ),
    UserFunction(
        "ivo_to_mjd", (_form("adql.modified_julian_date({})", d="TIMESTAMP"),), DOUBLE, "DOUBLE PRECISION",
        "Modified Julian date of a timestamp, without regard to time scales.", unit="d", ucd="time.epoch",
    ),
    UserFunction(
        "roman_ab_mag", (_form("roman.ab_magnitude({})", flux="DOUBLE PRECISION"),), DOUBLE,
        "DOUBLE PRECISION",
        "AB magnitude of a flux density in nJy; NULL where it is not positive.", unit="mag", ucd="phot.mag",
    ),
    UserFunction(
        "roman_ab_mag_err",
        (_form("adql.ab_magnitude_error({}, {})", flux="DOUBLE PRECISION", flux_err="DOUBLE PRECISION"),),
        DOUBLE, "DOUBLE PRECISION", "Standard error of the AB magnitude of a flux density, to first order.",
        unit="mag", ucd="stat.error;phot.mag",
    ),
    UserFunction(
        "roman_element", (_form("({})[{}]", array="REAL[]", n="INTEGER"),), DOUBLE, "DOUBLE PRECISION",
        "Element n of an array, such as the flux of a light-curve segment in exposure n; the first is "
        "1, NULL beyond the "
        "last.", keeps_unit=True,
    ),
    UserFunction(
        "roman_array_length", (_form("cardinality({})", array="REAL[]"),), INT, "INTEGER",
        "Number of elements of an array.", ucd="meta.number",
    ),
)  # fmt: skip

#: All user-defined functions by name.
USER_FUNCTIONS: dict[str, UserFunction] = {one.name: one for one in _ALL}
