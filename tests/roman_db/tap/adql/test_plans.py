"""Geometry ends in the index of the sky or of coverage maps, and light curves in lists of objects."""

from __future__ import annotations

import json

import pytest

from roman_db.tap.adql import Catalog, CatalogColumn, CatalogTable, schema_catalog, translate
from roman_db.tap.adql.schema_catalog import sky_indexes

from .conftest import translation
from .sky import DOUBLE, LONG

CONE = "SELECT star_id FROM sky.star WHERE "
JOIN = "SELECT m.target, s.star_id FROM TAP_UPLOAD.mine AS m JOIN sky.star AS s ON "


def indexes(rows_of, sql: str) -> set[str]:
    """Names of the indexes that a plan reads, where reading whole tables is dear."""
    rows_of("SET enable_seqscan = off")
    try:
        ((plan,),) = rows_of(f"EXPLAIN (FORMAT json) {sql}")
    finally:
        rows_of("RESET enable_seqscan")
    return set(named(plan if isinstance(plan, list) else json.loads(plan)))


def named(plan):
    if isinstance(plan, list):
        for one in plan:
            yield from named(one)
    elif isinstance(plan, dict):
        if "Index Name" in plan:
            yield plan["Index Name"]
        for one in plan.values():
            yield from named(one)


@pytest.fixture
def rows_of(reader):
    def rows(sql: str):
        with reader.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    return rows


@pytest.mark.parametrize(
    "query",
    [
        CONE + "CONTAINS(POINT(ra, dec), CIRCLE(10, 20, 0.5)) = 1",
        CONE + "1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 10, 20, 0.5))",
        CONE + "CONTAINS(POINT(ra, dec), CIRCLE(POINT(10, 20), 1800/3600.)) = 1 AND kind = 2",
        CONE + "CONTAINS(POINT(ra, dec), CIRCLE(10, 20, 1e-6)) = 1",
        CONE + "CONTAINS(POINT(10, 20), CIRCLE(ra, dec, 0.5)) = 1",
        CONE + "0 <> CONTAINS(POINT(ra, dec), CIRCLE(10, 20, 0.5))",
        CONE + "INTERSECTS(POINT(ra, dec), CIRCLE(10, 20, 0.5)) = 1",
        CONE + "INTERSECTS(CIRCLE(ra, dec, 0.1), CIRCLE(10, 20, 0.5)) = 1",
        CONE + "DISTANCE(POINT(ra, dec), POINT(10, 20)) < 0.5",
        CONE + "DISTANCE(10, 20, ra, dec) <= 0.5",
        CONE + "0.5 > DISTANCE(10, 20, ra, dec)",
        CONE + "CONTAINS(POINT(ra, dec), POLYGON(10, 20, 12, 20, 11, 22)) = 1",
        CONE + "CONTAINS(POINT(ra, dec), BOX(10, 20, 1, 1)) = 1",
        CONE + "CONTAINS(POINT(ra, dec), POLYGON(0, 0, 60, 0, 30, 50)) = 1",
        CONE + "CONTAINS(POINT(ra, dec), CIRCLE(10, 20, 0.5)) = 1 OR DISTANCE(ra, dec, 50, 50) < 1",
        "SELECT t.star_id FROM (SELECT * FROM sky.star) AS t WHERE DISTANCE(t.ra, t.dec, 10, 20) < 1",
        "WITH t AS (SELECT star_id, ra, dec FROM sky.star) SELECT star_id FROM t WHERE DISTANCE(ra, "
        "dec, 10, 20) < 1",
        JOIN + "1 = CONTAINS(POINT(s.ra, s.dec), CIRCLE(m.ra, m.dec, 0.01))",
        JOIN + "1 = CONTAINS(POINT(m.ra, m.dec), CIRCLE(s.ra, s.dec, 0.01))",
        JOIN + "DISTANCE(POINT(s.ra, s.dec), POINT(m.ra, m.dec)) < 2. / 3600",
        JOIN + "DISTANCE(m.ra, m.dec, s.ra, s.dec) < 0.01",
        JOIN + "1 = CONTAINS(POINT(s.ra, s.dec), CIRCLE(m.ra, m.dec, m.radius))",
        "SELECT m.target FROM TAP_UPLOAD.mine m LEFT JOIN sky.star s ON DISTANCE(m.ra, m.dec, s.ra, "
        "s.dec) < 0.01",
        "SELECT target FROM TAP_UPLOAD.mine m WHERE EXISTS "
        "(SELECT 1 FROM sky.star s WHERE DISTANCE(m.ra, m.dec, s.ra, s.dec) < 0.01)",
        "SELECT a.star_id FROM sky.star a, sky.star b WHERE DISTANCE(a.ra, a.dec, b.ra, b.dec) < 0.1",
    ],
)
def test_places_are_found_by_the_index_of_the_sky(rows_of, query):
    assert "star_q3c_idx" in indexes(rows_of, translation(query).sql)


@pytest.mark.parametrize(
    "condition",
    [
        "CONTAINS(POINT(10, 20), coverage) = 1",
        "INTERSECTS(CIRCLE(10, 20, 0.1), coverage) = 1",
        "INTERSECTS(coverage, POLYGON(10, 20, 12, 20, 11, 22)) = 1",
    ],
)
def test_coverage_maps_are_found_by_their_index(rows_of, condition):
    assert "star_coverage_idx" in indexes(
        rows_of, translation(f"SELECT star_id FROM sky.star WHERE {condition}").sql
    )


def test_the_indexed_pair_stands_second_in_a_join():
    for geometry in (
        "POINT(s.ra, s.dec), CIRCLE(m.ra, m.dec, 0.1)",
        "POINT(m.ra, m.dec), CIRCLE(s.ra, s.dec, 0.1)",
    ):
        sql = translation(JOIN + f"1 = CONTAINS({geometry})").sql
        assert 'q3c_join("m"."RA", "m"."DEC", "s"."ra", "s"."dec", ' in sql


@pytest.mark.parametrize(
    "condition",
    [
        "CONTAINS(POINT(dec, ra), CIRCLE(10, 20, 0.5)) = 1",
        "CONTAINS(POINT(ra, ra), CIRCLE(10, 20, 0.5)) = 1",
        "CONTAINS(POINT(ra + 1, dec), CIRCLE(10, 20, 0.5)) = 1",
        "CONTAINS(POINT(a.ra, b.dec), CIRCLE(10, 20, 0.5)) = 1",
        "CONTAINS(POINT(a.ra, a.dec), CIRCLE(10, 20, a.pm)) = 1",
        "DISTANCE(a.ra, a.dec, 10, 20) > 3",
    ],
)
def test_other_pairs_are_not_taken_for_indexed_ones(condition):
    own = "a.star_id = b.star_id AND " if "b." in condition else ""
    tables = "sky.star a, sky.star b" if own else "sky.star a"
    assert "q3c_" not in translation(f"SELECT a.star_id FROM {tables} WHERE {own}{condition}").sql


def test_the_catalog_knows_the_indexes_of_the_database(database_indexes):
    views = {("roman.current_object", ("ra", "dec"))}
    views |= {(name, ("s_ra", "s_dec")) for name in ("ivoa.obscore", "ivoa.ssa")}
    known = {(table.full_name, pair) for table in schema_catalog() for pair in table.sky_index} - views
    assert known == database_indexes
    assert len(known) >= 8


@pytest.fixture
def database_indexes(rows_of) -> set:
    """Pairs that PostgreSQL says are indexed."""
    rows = rows_of(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'roman' AND indexdef LIKE '%q3c_ang2ipix%'"
    )
    found = set()
    for (definition,) in rows:
        table = definition.split(" ON ")[1].split()[0]
        lon, lat = definition.split("q3c_ang2ipix(")[1].split(")")[0].replace('"', "").split(", ")
        found.add((table, (lon, lat)))
    return found


def test_an_index_of_other_columns_is_read_too():
    script = "CREATE INDEX i ON a.b (q3c_ang2ipix(lon, lat));\nCREATE INDEX j ON a.b (q3c_ang2ipix(l2, b2));"
    assert sky_indexes([script]) == {"a.b": (("lon", "lat"), ("l2", "b2"))}


LIGHT_CURVES = [
    "FROM roman.object o JOIN roman.light_curve l ON l.object_id = o.object_id WHERE DISTANCE(o.ra, "
    "o.dec, 267.5, -30) < 1e-3",
    "FROM roman.object o JOIN roman.light_curve l USING (object_id) WHERE DISTANCE(o.ra, o.dec, 267.5, "
    "-30) < 1e-3",
    "FROM roman.object o, roman.light_curve l WHERE o.object_id = l.object_id AND DISTANCE(o.ra, o.dec, "
    "267.5, -30) < 1e-3",
    "FROM roman.light_curve l WHERE object_id IN (SELECT object_id FROM roman.object WHERE DISTANCE(ra, "
    "dec, 267.5, -30) < 1e-3)",
    "FROM TAP_UPLOAD.mine m JOIN roman.light_curve l ON m.object_id = l.object_id",
    "FROM TAP_UPLOAD.mine m JOIN roman.object o ON DISTANCE(m.ra, m.dec, o.ra, o.dec) < 1e-4 JOIN "
    "roman.light_curve l USING (object_id)",
]


def own_catalog() -> Catalog:
    columns = (CatalogColumn("object_id", LONG), CatalogColumn("ra", DOUBLE), CatalogColumn("dec", DOUBLE))
    return schema_catalog().with_tables([CatalogTable("TAP_UPLOAD", "mine", columns, "pg_temp", "upload_1")])


@pytest.mark.parametrize("query", LIGHT_CURVES)
def test_light_curves_of_few_objects_are_asked_for_by_a_list(query):
    if "USING" in query and "mine" in query:
        query = query.replace(
            "JOIN roman.light_curve l USING (object_id)",
            "JOIN roman.light_curve l ON l.object_id = o.object_id",
        )
    sql = translate(f"SELECT l.flux {query}", own_catalog()).sql
    assert '"l"."object_id" = ANY(ARRAY(SELECT' in sql


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        (
            "FROM roman.object o JOIN roman.light_curve l ON l.object_id = o.object_id JOIN roman.exposure e "
            "ON e.exposure_id = l.exposure_id WHERE DISTANCE(o.ra, o.dec, 267.5, -30) < 1e-3 AND "
            "e.optical_element = 'F146'",
            {"o"},
        ),
        (
            "FROM roman.object o JOIN roman.event v ON v.object_id = o.object_id JOIN roman.light_curve l ON "
            "l.object_id = o.object_id JOIN roman.exposure e ON e.exposure_id = l.exposure_id WHERE "
            "DISTANCE(o.ra, o.dec, 267.5, -30) < 1e-3",
            {"o", "v"},
        ),
        (
            "FROM TAP_UPLOAD.mine m JOIN roman.object o ON DISTANCE(m.ra, m.dec, o.ra, o.dec) < 1e-4 JOIN "
            "roman.light_curve l ON l.object_id = o.object_id JOIN roman.exposure e "
            "ON e.exposure_id = l.exposure_id",
            {"m", "o"},
        ),
    ],
)
def test_a_list_of_objects_is_chosen_by_tables_that_are_joined_to_them(query, chosen):
    """And not by those that light curves alone are joined to, which would multiply its rows."""
    sql = translate(f"SELECT l.flux {query}", own_catalog()).sql
    listed = sql.partition("ANY(ARRAY(SELECT ")[2].partition(")))")[0]
    assert {alias for alias in ("o", "v", "m", "e") if f' AS "{alias}"' in listed} == chosen
    assert '"e".' not in listed


@pytest.mark.parametrize(
    "query",
    [
        "FROM roman.object o JOIN roman.light_curve l ON l.object_id = o.object_id",
        "FROM roman.object o JOIN roman.light_curve l ON l.object_id = o.object_id JOIN roman.exposure e ON "
        "e.exposure_id = l.exposure_id WHERE DISTANCE(e.ra, e.dec, 267.5, -30) < 1e-3",
        "FROM roman.object o LEFT JOIN roman.light_curve l ON l.object_id = o.object_id WHERE "
        "DISTANCE(o.ra, o.dec, 1, 2) < 1e-3",
        "FROM roman.object o JOIN roman.light_curve l ON l.object_id <> o.object_id WHERE "
        "DISTANCE(o.ra, o.dec, 1, 2) < 1e-3",
    ],
)
def test_other_joins_stay_as_they_are(query):
    assert "ANY(ARRAY" not in translate(f"SELECT l.flux {query}", schema_catalog()).sql
