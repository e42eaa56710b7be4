"""Queries in ADQL give what numpy and astropy give."""

from __future__ import annotations

import math
from collections import Counter, namedtuple
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from statistics import fmean

import cdshealpix
import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Latitude, Longitude

from roman_db.resources import read_yaml

from .sky import sep

_HERE = Path(__file__).parent
VALUES = read_yaml(_HERE / "values.yaml")
QUERIES = read_yaml(_HERE / "queries.yaml")


def nested(ra, dec, order) -> int:
    """Nested HEALPix pixel, by an implementation that is not ours."""
    return int(cdshealpix.lonlat_to_healpix(Longitude(ra * u.deg), Latitude(dec * u.deg), order).item())


def vector(ra, dec) -> np.ndarray:
    a, d = np.radians(ra), np.radians(dec)
    return np.array([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])


def inside_at(ra, dec, corners) -> bool:
    """Whether a place is on one and the same side of all sides of a convex polygon that is written either
    way round."""
    vectors = [vector(*corner) for corner in corners]
    place = vector(ra, dec)
    sides = [np.cross(a, b) @ place for a, b in zip(vectors, vectors[1:] + vectors[:1], strict=True)]
    return bool(place @ sum(vectors) > 0 and (all(s >= 0 for s in sides) or all(s <= 0 for s in sides)))


def inside(star, corners) -> bool:
    return inside_at(star.ra, star.dec, corners)


def groups(rows, key) -> list[tuple]:
    return [(k, list(g)) for k, g in groupby(sorted(rows, key=key), key)]


def names(sky) -> dict[str, object]:
    """What the expectations may use."""
    tables = {}
    for table in ("star", "measure", "mine"):
        columns = getattr(sky, table)
        row = namedtuple(table, columns)
        tables[table] = [row(*one) for one in zip(*columns.values(), strict=True)]
    return {
        **tables, "m": math, "np": np, "u": u, "sep": sep, "nested": nested, "inside": inside,
        "groups": groups,
        "inside_at": inside_at, "Counter": Counter, "mean": fmean,
    }  # fmt: skip


def same(got: object, expected: object) -> bool:
    """Whether two values are the same to rounding."""
    if isinstance(expected, list | tuple):
        return len(got) == len(expected) and all(map(same, got, expected))
    if isinstance(expected, float) or isinstance(got, float):
        return (
            got is not None
            and expected is not None
            and math.isclose(got, expected, rel_tol=2e-9, abs_tol=2e-9)
        )
    return got == expected and type(got) is type(expected)


def key(row: tuple) -> list:
    return [(one is not None, round(one, 6) if isinstance(one, float) else one) for one in row]


@pytest.mark.parametrize(("value", "expected"), VALUES, ids=[value for value, _ in VALUES])
def test_values(ask, sky, value, expected):
    ((got,),) = ask(f"SELECT {value} AS v FROM sky.one")
    assert same(got, eval(expected, names(sky)))


@pytest.mark.parametrize("one", QUERIES, ids=[one["q"][:90] for one in QUERIES])
def test_queries(ask: Callable[[str], list[tuple]], sky, one):
    got = ask(one["q"])
    if "rows" in one:
        assert len(got) == one["rows"]
        return
    expected = [tuple(row) for row in eval(one["e"], names(sky))]
    if "ORDER BY" not in one["q"]:
        got, expected = sorted(got, key=key), sorted(expected, key=key)
    assert len(got) == len(expected)
    assert all(map(same, got, expected))


def test_the_corpus_is_large():
    assert len(VALUES) + len(QUERIES) >= 200
