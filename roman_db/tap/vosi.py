"""What the service says of itself: VOSI 1.1, TAPRegExt 1.0, VODataService 1.2, DALI 1.1 (examples)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache, lru_cache

from roman_db.resources import folder
from roman_db.schema.model import PUBLIC_SCHEMAS, Table, read_tables
from roman_db.schema.view import View, read_views
from roman_db.settings import Settings
from roman_db.tap.adql import USER_FUNCTIONS
from roman_db.tap.formats.choice import FORMATS
from roman_db.tap.listed_tables import listed_schemas, listed_state, listed_tables
from roman_db.tap.pages import template

_FEATURES = "ivo://ivoa.net/std/TAPRegExt#features-"
#: Optional features of ADQL 2.1 (appendix of the standard) by the identifier of their kind; COALESCE is there
#: as well, but validators do not know its kind.
_OPTIONAL = {
    "adqlgeo": (
        *("AREA", "BOX", "CENTROID", "CIRCLE", "CONTAINS", "COORD1", "COORD2", "COORDSYS", "DISTANCE"),
        *("INTERSECTS", "POINT", "POLYGON"),
    ),
    "adql-string": ("ILIKE", "LOWER", "UPPER"),
    "adql-sets": ("EXCEPT", "INTERSECT", "UNION"),
    "adql-common-table": ("WITH",),
    "adql-type": ("CAST",),
    "adql-unit": ("IN_UNIT",),
    "adql-offset": ("OFFSET",),
}


@dataclass(frozen=True)
class Feature:
    """One feature of the language: how it is written, and what it does."""

    form: str
    description: str = ""


@dataclass(frozen=True)
class Example:
    """A query to begin with."""

    identifier: str
    title: str
    query: str


def availability(problem: str | None) -> str:
    """VOSI availability; ``problem`` says why no query can be answered, None where they can."""
    return template("availability.xml").render(problem=problem)


#: How people sign in (VOResource 1.1, section 2.2.2): not at all, or with name and token (SSO 2.0, BasicAA).
SECURITY_METHODS = (None, "ivo://ivoa.net/sso#BasicAA")


def capabilities(address: str, chosen: Settings, further: str = "") -> str:
    """VOSI capabilities of the service at an address; ``further`` is XML of those of others."""
    return template("capabilities.xml").render(
        address=address,
        methods=SECURITY_METHODS,
        further=further,
        features=_language_features(),
        formats=FORMATS,
        default_rows=min(chosen.tap_rows, chosen.tap_max_rows),
        largest_rows=chosen.tap_max_rows,
        timeout_s=round(chosen.tap_timeout_s),
        retention_s=round(chosen.tap_job_days * 86_400),
        upload_size=chosen.tap_upload_mb * 2**20,
        fetches=chosen.tap_upload_fetch,
    )


def tables(with_columns: bool, names: Collection[str] | None = None) -> str:
    """VOSI tableset of tables by their full names; None for all, made anew when they have changed."""
    if names is not None:
        return _tableset(with_columns, frozenset(names), None)
    return _tableset(with_columns, None, listed_state())


@lru_cache(8)
def _tableset(with_columns: bool, names: frozenset[str] | None, _: tuple[object, ...] | None) -> str:
    """The same in a state of what is listed."""
    relations = [one for name, one in _relations().items() if names is None or name in names]
    schemas = PUBLIC_SCHEMAS
    if names is None:
        relations += listed_tables()
        schemas = PUBLIC_SCHEMAS | listed_schemas()
    shown = {one.schema for one in relations}
    return template("tables.xml").render(
        schemas={name: about for name, about in schemas.items() if name in shown},
        relations=relations,
        public=_relations(),
        with_columns=with_columns,
    )


def table(name: str) -> str | None:
    """VOSI description of one table; None where there is none of that name."""
    relation = _relations().get(name) or next(iter(listed_tables(name)), None)
    if relation is None:
        return None
    return template("table.xml").render(relation=relation, public=_relations(), with_columns=True)


def examples() -> str:
    """DALI examples."""
    return template("examples.xhtml").render(examples=read_examples())


@cache
def read_examples() -> tuple[Example, ...]:
    """Queries of ``queries/examples`` in ADQL; the comment at their head is the title."""
    found = []
    for path in sorted((folder("queries") / "examples").glob("*.adql")):
        title, _, query = path.read_text(encoding="utf-8").partition("\n")
        found.append(Example(path.stem, title.removeprefix("--").strip(), query.strip()))
    return tuple(found)


@cache
def _relations() -> dict[str, Table | View]:
    """Tables and views that scientists see, by full name."""
    stored = read_tables()
    everything: dict[str, Table | View] = {**stored, **read_views(stored)}
    public = {name: one for name, one in everything.items() if one.is_public}
    return dict(sorted(public.items()))


def _language_features() -> dict[str, list[Feature]]:
    """Features of the language by the identifier of their kind."""
    own = [
        Feature(form, function.description)
        for function in USER_FUNCTIONS.values()
        for form in function.signatures
    ]
    optional = {kind: list(map(Feature, names)) for kind, names in _OPTIONAL.items()}
    return {f"{_FEATURES}{kind}": features for kind, features in {"udf": own, **optional}.items()}
