"""Writes queries in ADQL at random: of the tables of the small sky, with values of types that fit."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from roman_db.schema.adql_words import delimited

from .sky import CATALOG

NUMBER, WHOLE, TEXT, TIME, POINT, ARRAY = "number", "whole", "text", "time", "point", "array"
Column = tuple[str, str]
"""A column as it is written, and the kind of its values."""


def _kind(column) -> str | None:
    if column.type.xtype == "timestamp":
        return TIME
    if column.type.is_integer:
        return WHOLE
    if column.type.datatype == "float" and column.type.arraysize:
        return ARRAY
    return {"double": NUMBER, "float": NUMBER}.get(column.type.datatype) or (
        TEXT if column.type.postgresql is None and column.type.datatype == "char" else None
    )


#: Columns of each table of the catalog, by the name that a query may call it.
TABLES: dict[str, list[Column]] = {
    table.full_name: [(delimited(c.name), kind) for c in table.columns if (kind := _kind(c))]
    for table in CATALOG
}
_OF_NUMBERS = ("ABS", "CEILING", "FLOOR", "DEGREES", "RADIANS", "EXP", "LOG", "LOG10", "SQRT", "ACOS", "ASIN",
               "ATAN", "COS", "SIN", "TAN", "COT", "ROUND", "TRUNCATE", "roman_ab_mag")  # fmt: skip
_OF_TWO = ("POWER", "ATAN2", "MOD", "roman_ab_mag_err")
_NUMBERS = ("0", "1", "-1", "2.5", ".5", "1e-300", "1E3", "0x1F", "9223372036854775807", "2147483648", "90",
            "-89.999", "359.9999", "1e300", "0.0", "1e-5")  # fmt: skip
_TEXTS = ("'a'", "''", "'F146'", "'%'", "'it''s'", "'1.5'", "'\\'", "'ü'", "'--'", "'Alpha_1%'", "'{0}'",
          "'$$'")  # fmt: skip
_TIMES = ("TIMESTAMP('2027-02-01T00:00:00')", "TIMESTAMP('2027-03-05 12:30:00.5')", "TIMESTAMP('1999-12-31')")


class Writer:
    """Draws one query; all that it writes should be accepted.

    Parameters
    ----------
    random
        Where its choices come from.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._columns: list[Column] = []
        self._named: dict[str, list[Column]] = {}
        self._depth = 0
        self._n_alias = 0

    def query(self) -> str:
        """A whole query."""
        names = []
        for _ in range(self._some(2) if self._chance(0.2) else 0):
            body, columns = self._select(self._some(3))
            alias = self._alias()
            names.append(f"{alias} AS ({body})")
            self._named[alias] = columns
        width = self._some(4)
        body = self._select(width)[0]
        if self._chance(0.1):
            kinds = [self._choice((NUMBER, TEXT)) for _ in range(width)]
            word = self._choice(("UNION", "UNION ALL", "EXCEPT", "INTERSECT", "EXCEPT ALL"))
            body = f"{self._select(width, kinds)[0]} {word} {self._select(width, kinds)[0]} ORDER BY 1"
        elif self._chance(0.3):
            body += f" ORDER BY {self._some(width)}{self._choice(('', ' DESC', ' ASC'))}"
            body += f" OFFSET {self._some(5)}" if self._chance(0.3) else ""
        return (f"WITH {', '.join(names)} " if names else "") + body

    def _select(
        self, width: int, kinds: list[str] | None = None, is_correlated: bool = False
    ) -> tuple[str, list[Column]]:
        """SELECT of so many columns, and what they are; its condition may be of columns around it."""
        outer, self._columns = self._columns, []
        tables = self._from()
        own = list(self._columns)
        self._columns += outer if is_correlated else []
        where = f" WHERE {self._condition()}" if is_correlated or self._chance(0.6) else ""
        self._columns = own
        chosen = kinds or [self._choice((NUMBER, WHOLE, TEXT, TIME, NUMBER)) for _ in range(width)]
        if kinds is None and self._chance(0.2):
            items, tail = self._grouped(width)
            chosen = [NUMBER] * width
        else:
            items, tail = [self._value(kind) for kind in chosen], ""
        aliases = [self._alias() for _ in items]
        first = self._choice(("", "", "DISTINCT ", "ALL ")) + self._choice(("", "", "TOP 7 ", "TOP 0 "))
        listed = ", ".join(f"{item} AS {alias}" for item, alias in zip(items, aliases, strict=True))
        self._columns = outer
        return f"SELECT {first}{listed} FROM {tables}{where}{tail}", list(zip(aliases, chosen, strict=True))

    def _grouped(self, width: int) -> tuple[list[str], str]:
        """Aggregates, and what they are grouped by."""
        names = ("COUNT", "SUM", "AVG", "MIN", "MAX")
        items = []
        for _ in range(width):
            distinct = self._choice(("", "", "DISTINCT "))
            items.append(f"{self._choice(names)}({distinct}{self._value(NUMBER)})")
        known = [name for name, kind in self._columns if kind in (NUMBER, WHOLE, TEXT)]
        if not known or self._chance(0.3):
            return items, ""
        having = f" HAVING COUNT(*) {self._sign()} {self._some(5)}" if self._chance(0.4) else ""
        return items, f" GROUP BY {self._choice(known)}{having}"

    def _from(self) -> str:
        """Tables after FROM; their columns are known from then on."""
        written = self._table()
        for _ in range(self._some(2) if self._chance(0.25) else 0):
            before = list(self._columns)
            other = self._table()
            if self._chance(0.2):
                written += f" CROSS JOIN {other}"
                continue
            kind = self._choice(("", "INNER ", "LEFT ", "LEFT OUTER ", "RIGHT ", "FULL "))
            left = self._choice([name for name, kind in before if kind in (NUMBER, WHOLE)] or ["1"])
            right = [name for name, kind in self._columns[len(before) :] if kind in (NUMBER, WHOLE)] or ["1"]
            written += f" {kind}JOIN {other} ON {left} = {self._choice(right)}"
        return f"{written}, {self._table()}" if self._chance(0.1) else written

    def _table(self) -> str:
        """A table, a query of WITH or a subquery, with an alias."""
        alias = self._alias()
        if self._depth < 2 and self._chance(0.2):
            with self._deeper():
                body, columns = self._select(self._some(3))
            written = f"({body})"
        else:
            written = self._choice([*TABLES, *self._named])
            columns = (TABLES | self._named)[written]
        self._columns += [(f"{alias}.{name}", kind) for name, kind in columns]
        return f"{written} {self._choice(('', 'AS '))}{alias}"

    def _value(self, kind: str) -> str:
        """Value of a kind."""
        known = [name for name, one in self._columns if one == kind or (one, kind) == (WHOLE, NUMBER)]
        if known and (self._depth > 3 or self._chance(0.4)):
            return self._choice(known)
        with self._deeper():
            return self._choice(self._makers[kind] if self._depth < 4 else self._makers[kind][:1])(self)

    def _condition(self) -> str:
        """Condition."""
        if self._depth > 3:
            return f"{self._value(NUMBER)} {self._sign()} {self._value(NUMBER)}"
        with self._deeper():
            return self._choice(self._conditions)(self)

    def _number(self) -> str:
        return self._choice(_NUMBERS)

    def _sum(self) -> str:
        return f"({self._value(NUMBER)} {self._choice('+-*/')} {self._value(NUMBER)})"

    def _of_number(self) -> str:
        return f"{self._choice(_OF_NUMBERS)}({self._value(NUMBER)})"

    def _of_two(self) -> str:
        return f"{self._choice(_OF_TWO)}({self._value(NUMBER)}, {self._value(NUMBER)})"

    def _either(self, kind: str) -> str:
        one, other = self._value(kind), self._value(kind)
        forms = (f"CASE WHEN {self._condition()} THEN {one} ELSE {other} END", f"COALESCE({one}, {other})",
                 f"NULLIF({one}, {other})")  # fmt: skip
        return self._choice(forms)

    def _cast(self) -> str:
        types = ("DOUBLE PRECISION", "REAL", "BIGINT", "INTEGER", "SMALLINT")
        return f"CAST({self._value(NUMBER)} AS {self._choice(types)})"

    def _scalar(self) -> str:
        body, columns = self._select(1, [NUMBER])
        return f"(SELECT MAX(q.{columns[0][0]}) FROM ({body}) AS q)"

    def _separation(self) -> str:
        return f"DISTANCE({self._value(POINT)}, {self._value(POINT)})"

    def _measured(self) -> str:
        return self._choice((f"AREA({self._shape()})", f"COORD1({self._value(POINT)})",
                             f"COORD2(CENTROID({self._shape()}))"))  # fmt: skip

    def _element(self) -> str:
        known = [name for name, kind in self._columns if kind == ARRAY]
        return f"roman_element({self._choice(known)}, {self._some(4) - 1})" if known else "PI()"

    def _whole(self) -> str:
        return self._choice([text for text in _NUMBERS if text.lstrip("-").isdecimal()])

    def _bits(self) -> str:
        return f"({self._value(WHOLE)} {self._choice('&|^+-')} {self._value(WHOLE)})"

    def _cell(self) -> str:
        return f"ivo_healpix_index({self._some(30) - 1}, {self._value(POINT)})"

    def _text(self) -> str:
        return self._choice(_TEXTS)

    def _of_text(self) -> str:
        return f"{self._choice(('LOWER', 'UPPER'))}({self._value(TEXT)})"

    def _joined(self) -> str:
        return f"({self._value(TEXT)} || {self._value(TEXT)})"

    def _as_text(self) -> str:
        kind = self._choice((NUMBER, TEXT, TIME))
        return f"CAST({self._value(kind)} AS {self._choice(('VARCHAR', 'VARCHAR(9)', 'CHAR(3)'))})"

    def _time(self) -> str:
        return self._choice(_TIMES)

    def _point(self) -> str:
        longitude = self._choice(("10.5", "-0.1", "359.99", "0", "720", self._value(NUMBER)))
        return f"POINT({longitude}, {self._choice(('89.9', '-90', '0', '-29.5'))})"

    def _centre(self) -> str:
        cell = f"ivo_healpix_center({self._some(6)}, {self._some(100)})"
        return self._choice((f"CENTROID({self._shape()})", cell))

    def _place(self) -> str:
        """Place of a star, where an index has it."""
        for name, _ in self._columns:
            alias, _, column = name.rpartition(".")
            if column == "ra" and (f"{alias}.dec", NUMBER) in self._columns:
                return f"POINT({alias}.ra, {alias}.dec)"
        return self._point()

    def _shape(self) -> str:
        forms = ("CIRCLE(10, 20, 3)", "CIRCLE(0, 90, 1e-5)", "CIRCLE(359, -89, 70)", "BOX(10, 20, 4, 4)",
                 "POLYGON(1, 1, 3, 1, 2, 3)", "POLYGON(POINT(359, 0), POINT(1, 0), POINT(0, 2))",
                 f"CIRCLE({self._place()}, {self._value(NUMBER)})",
                 f"CIRCLE({self._point()}, 0.5)")  # fmt: skip
        return self._choice(forms)

    def _compared(self) -> str:
        kind = self._choice((NUMBER, WHOLE, TEXT, TIME))
        return f"{self._value(kind)} {self._sign()} {self._value(kind)}"

    def _both(self) -> str:
        return f"({self._condition()} {self._choice(('AND', 'OR'))} {self._condition()})"

    def _negated(self) -> str:
        return f"NOT ({self._condition()})"

    def _between(self) -> str:
        kind = self._choice((NUMBER, TEXT, TIME))
        negated = self._choice(("", "NOT "))
        return f"{self._value(kind)} {negated}BETWEEN {self._value(kind)} AND {self._value(kind)}"

    def _within(self) -> str:
        first = f"{self._value(NUMBER)} {self._choice(('', 'NOT '))}IN "
        if self._chance(0.5):
            return f"{first}({self._select(1, [NUMBER])[0]})"
        return f"{first}({', '.join(self._value(NUMBER) for _ in range(self._some(4)))})"

    def _like(self) -> str:
        word = self._choice(("LIKE", "NOT LIKE", "ILIKE"))
        return f"{self._value(TEXT)} {word} {self._value(TEXT)}"

    def _empty(self) -> str:
        return f"{self._value(self._choice((NUMBER, TEXT, TIME)))} IS {self._choice(('', 'NOT '))}NULL"

    def _exists(self) -> str:
        return f"EXISTS ({self._select(1, is_correlated=True)[0]})"

    def _quantified(self) -> str:
        word = self._choice(("ANY", "SOME", "ALL"))
        return f"{self._value(NUMBER)} {self._sign()} {word} ({self._select(1, [NUMBER])[0]})"

    def _on_sky(self) -> str:
        forms = (f"CONTAINS({self._place()}, {self._shape()}) = 1",
                 f"0 = CONTAINS({self._point()}, {self._shape()})",
                 f"INTERSECTS({self._shape()}, {self._shape()}) = 1",
                 f"DISTANCE({self._place()}, {self._place()}) < {self._number()}")  # fmt: skip
        return self._choice(forms)

    _makers: dict[str, list[Callable[[Writer], str]]]
    _conditions: list[Callable[[Writer], str]]

    def _sign(self) -> str:
        return self._choice(("=", "<>", "!=", "<", "<=", ">", ">="))

    def _alias(self) -> str:
        self._n_alias += 1
        return self._choice((f"a{self._n_alias}", f'"A {self._n_alias}"', f'"x""{self._n_alias};--"'))

    def _choice(self, of):
        return of[self._random.randrange(len(of))]

    def _chance(self, probability: float) -> bool:
        return self._random.randrange(100) < 100 * probability

    def _some(self, most: int) -> int:
        return self._random.randint(1, most)

    def _deeper(self) -> _Deeper:
        return _Deeper(self)


class _Deeper:
    """One level of nesting."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def __enter__(self) -> None:
        self._writer._depth += 1

    def __exit__(self, *_: object) -> None:
        self._writer._depth -= 1


Writer._makers = {
    NUMBER: [
        Writer._number, Writer._sum, Writer._of_number, Writer._of_two, lambda w: w._either(NUMBER),
        Writer._cast, Writer._scalar, Writer._separation, Writer._measured, Writer._element,
    ],
    WHOLE: [Writer._whole, Writer._bits, Writer._cell, lambda w: w._either(WHOLE)],
    TEXT: [Writer._text, Writer._of_text, Writer._joined, Writer._as_text, lambda w: w._either(TEXT)],
    TIME: [Writer._time, lambda w: w._either(TIME)],
    POINT: [Writer._place, Writer._point, Writer._centre],
}  # fmt: skip
Writer._conditions = [
    Writer._compared, Writer._both, Writer._negated, Writer._between, Writer._within, Writer._like,
    Writer._empty, Writer._exists, Writer._quantified, Writer._on_sky,
]  # fmt: skip
