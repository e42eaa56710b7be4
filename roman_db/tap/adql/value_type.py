"""Types of values: what they are in a VOTable, in PostgreSQL, and what may be asked of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum


class Family(Enum):
    """What a value can be compared and computed with."""

    NUMBER = "a number"
    TEXT = "text"
    BOOLEAN = "a condition"
    TIME = "a timestamp"
    GEOMETRY = "a geometry"
    COVERAGE = "a coverage map"
    ARRAY = "an array"
    OPAQUE = "a document"
    NULL = "NULL"


#: Types of PostgreSQL for which VOTable has none.
OPAQUE = ("jsonb", "interval", "int8multirange")


@dataclass(frozen=True, slots=True)
class Type:
    """Type of a value.

    Parameters
    ----------
    datatype, arraysize, xtype
        As in a VOTable and in TAP_SCHEMA; ``datatype`` is ``null`` for NULL alone.
    postgresql
        Type of PostgreSQL, where VOTable has none for it: ``jsonb``, ``interval``, ``int8multirange``.
    family
        What the value can be compared and computed with; follows from the others.
    """

    datatype: str
    arraysize: str | None = None
    xtype: str | None = None
    postgresql: str | None = None
    family: Family = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Note the family once, since it is asked for again and again."""
        object.__setattr__(self, "family", self._family())

    def _family(self) -> Family:
        if self.postgresql is not None or self.datatype == "unsignedByte":
            return Family.COVERAGE if self.postgresql == "int8multirange" else Family.OPAQUE
        if self.xtype in _GEOMETRY:
            return Family.GEOMETRY
        if self.xtype == "timestamp":
            return Family.TIME
        if self.datatype in ("char", "unicodeChar"):
            return Family.TEXT
        if self.arraysize not in (None, "1"):
            return Family.ARRAY
        return _SCALAR[self.datatype]

    @property
    def words(self) -> str:
        """Return what a message calls the type."""
        if self.family is Family.GEOMETRY:
            return f"a {self.xtype}"
        return str(self.family.value)

    @property
    def is_integer(self) -> bool:
        """Whether the value is a whole number."""
        return self.family is Family.NUMBER and self.datatype in _INTEGERS


_GEOMETRY = ("point", "circle", "polygon")
_INTEGERS = ("short", "int", "long")
_NUMBERS = (*_INTEGERS, "float", "double")
_SCALAR = dict.fromkeys(_NUMBERS, Family.NUMBER) | {"boolean": Family.BOOLEAN, "null": Family.NULL}

SHORT, INT, LONG, FLOAT, DOUBLE, BOOLEAN, NULL = map(Type, (*_NUMBERS, "boolean", "null"))
#: Text of ASCII, and of any characters.
TEXT, UNICODE = Type("char", "*"), Type("unicodeChar", "*")
TIMESTAMP = Type("char", "*", "timestamp")
COVERAGE = Type("char", "*", postgresql="int8multirange")
POINT = Type("double", "2", "point")
CIRCLE = Type("double", "3", "circle")
POLYGON = Type("double", "*", "polygon")
DOUBLE_ARRAY = Type("double", "*")

#: Types of CAST: what ADQL calls them, their type, and what PostgreSQL calls them.
CAST_TYPES = {
    "SMALLINT": (SHORT, "smallint"),
    "INTEGER": (INT, "integer"),
    "BIGINT": (LONG, "bigint"),
    "REAL": (FLOAT, "real"),
    "DOUBLE PRECISION": (DOUBLE, "double precision"),
    "CHAR": (TEXT, "char"),
    "VARCHAR": (TEXT, "varchar"),
    "TIMESTAMP": (TIMESTAMP, "timestamp with time zone"),
}


def arithmetic(left: Type, right: Type) -> Type:
    """Type of a sum or product of two numbers, as PostgreSQL has it: whole numbers stay such."""
    if left.datatype == right.datatype:
        return Type(left.datatype)
    if left.is_integer and right.is_integer:
        return Type(max(left.datatype, right.datatype, key=_NUMBERS.index))
    return DOUBLE


def text_of(types: Iterable[Type]) -> Type:
    """Type of a text that is made of values: of any characters where one of them is."""
    return UNICODE if any(one.datatype == "unicodeChar" for one in types) else TEXT


def common(types: Iterable[Type]) -> Type | None:
    """Type that values have together in CASE, COALESCE or a set operation; None where there is none."""
    known = [one for one in types if one.datatype != "null"]
    if not known:
        return NULL
    families = {one.family for one in known}
    if len(families) > 1:
        return None
    if families == {Family.NUMBER}:
        return Type(max((one.datatype for one in known), key=_NUMBERS.index))
    first = known[0]
    if families == {Family.TEXT}:
        return first if all(one == first for one in known) else text_of(known)
    return first if all(one == first for one in known) else None
