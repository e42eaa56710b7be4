"""What a translation says of its result, and what errors say."""

from __future__ import annotations

import pytest
import sqlglot

from roman_db.tap.adql import USER_FUNCTIONS, AdqlError, delimited, schema_catalog, translate
from roman_db.tap.adql.dialect import Adql  # noqa: F401  # registers the dialect

from .conftest import translation

STAR = "FROM sky.star"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ra", ("ra", "double", None, None, "deg", "pos.eq.ra;meta.main")),
        ("ra AS lon", ("lon", "double", None, None, "deg", "pos.eq.ra;meta.main")),
        ("RA", ("ra", "double", None, None, "deg", "pos.eq.ra;meta.main")),
        ("name", ("name", "char", "*", None, None, "meta.id")),
        ("seen_at", ("seen_at", "char", "*", "timestamp", None, "time.epoch")),
        ("series", ("series", "float", "*", None, "nJy", "phot.flux.density")),
        ("coverage", ("coverage", "char", "*", None, None, "pos.outline")),
        ("COUNT(*)", ("count", "long", None, None, None, "meta.number")),
        ("COUNT(ra)", ("count", "long", None, None, None, "meta.number")),
        ("MIN(ra)", ("min", "double", None, None, "deg", "stat.min;pos.eq.ra")),
        ("MAX(kind)", ("max", "short", None, None, None, "stat.max;src.class")),
        ("AVG(pm)", ("avg", "double", None, None, "mas.yr**-1", "stat.mean;pos.pm")),
        ("SUM(kind)", ("sum", "long", None, None, None, None)),
        ("ra + 1", ("col1", "double", None, None, "deg", "pos.eq.ra;meta.main")),
        ("ra - dec", ("col1", "double", None, None, "deg", None)),
        ("ra + pm", ("col1", "double", None, None, None, None)),
        ("ra * 3600", ("col1", "double", None, None, None, None)),
        ("-ra", ("col1", "double", None, None, "deg", "pos.eq.ra;meta.main")),
        ("kind + 1", ("col1", "int", None, None, None, None)),
        ("kind + star_id", ("col1", "long", None, None, None, None)),
        ("pm + pm", ("col1", "float", None, None, "mas.yr**-1", "pos.pm")),
        ("ABS(ra)", ("abs", "double", None, None, "deg", "pos.eq.ra;meta.main")),
        ("ROUND(ra, 2)", ("round", "double", None, None, "deg", "pos.eq.ra;meta.main")),
        ("SQRT(ra)", ("sqrt", "double", None, None, None, None)),
        ("IN_UNIT(ra, 'arcsec')", ("in_unit", "double", None, None, "arcsec", "pos.eq.ra;meta.main")),
        ("POINT(ra, dec)", ("point", "double", "2", "point", "deg", "pos.eq")),
        ("CIRCLE(ra, dec, 1)", ("circle", "double", "3", "circle", "deg", "pos.outline")),
        ("BOX(ra, dec, 1, 1)", ("box", "double", "*", "polygon", "deg", "pos.outline")),
        ("DISTANCE(ra, dec, 1, 1)", ("distance", "double", None, None, "deg", "pos.angDistance")),
        ("AREA(CIRCLE(ra, dec, 1))", ("area", "double", None, None, "deg**2", "phys.angArea")),
        ("CAST(ra AS INTEGER)", ("col1", "int", None, None, "deg", "pos.eq.ra;meta.main")),
        ("CAST(ra AS CHAR(4))", ("col1", "char", "*", None, None, "pos.eq.ra;meta.main")),
        ("'a' || name", ("col1", "char", "*", None, None, None)),
        ("NULL", ("col1", "char", "*", None, None, None)),
        ("CONTAINS(POINT(ra, dec), CIRCLE(1, 2, 3))", ("contains", "int", None, None, None, "meta.code")),
        ("(SELECT MAX(ra) FROM sky.star)", ("col1", "double", None, None, "deg", "stat.max;pos.eq.ra")),
        ("roman_element(series, 1)", ("roman_element", "float", None, None, "nJy", "phot.flux.density")),
    ],
)  # fmt: skip
def test_columns_of_the_result(value, expected):
    (column,) = translation(f"SELECT {value} {STAR}").columns
    assert (column.name, column.datatype, column.arraysize, column.xtype, column.unit, column.ucd) == expected


def test_a_column_keeps_its_description_through_subqueries():
    (column,) = translation(
        f"WITH t AS (SELECT ra AS a {STAR}) SELECT u.a AS b FROM (SELECT a FROM t) AS u"
    ).columns
    assert (column.name, column.description, column.source) == ("b", "Right ascension.", "sky.star.ra")


def test_types_of_postgresql_are_those_that_are_said(reader):
    """Each column of the corpus comes in the type that a VOTable will say."""
    from .test_corpus import QUERIES, VALUES  # noqa: PLC0415

    oids = {16: "boolean", 20: "long", 21: "short", 23: "int", 25: "char", 700: "float", 701: "double",
    1042: "char",
            1043: "char", 1184: "char", 1022: "double", 1021: "float"}  # fmt: skip
    wrong = []
    for query in [one["q"] for one in QUERIES] + [f"SELECT {value} AS v FROM sky.one" for value, _ in VALUES]:
        translated = translation(query)
        with reader.cursor() as cursor:
            cursor.execute(translated.limited(0))
            got = [oids.get(column.type_code, column.type_code) for column in cursor.description]
            names = [column.name for column in cursor.description]
        assert names == [column.name for column in translated.columns]
        expected = [column.datatype for column in translated.columns]
        if got != expected:
            wrong.append((query, got, expected))
    assert wrong == []


def test_top_offset_order_and_limits():
    one = translation(f"SELECT TOP 5 ra {STAR} ORDER BY ra OFFSET 3")
    assert (one.top, one.offset, one.is_ordered) == (5, 3, True)
    assert one.sql.endswith("LIMIT 5 OFFSET 3")
    assert one.limited(3).endswith("LIMIT 3 OFFSET 3")
    assert one.limited(100).endswith("LIMIT 5 OFFSET 3")
    plain = translation(f"SELECT ra {STAR}")
    assert (plain.top, plain.offset, plain.is_ordered) == (None, None, False)
    assert "LIMIT" not in plain.sql
    assert plain.limited(7).endswith(" LIMIT 7")


def test_a_limit_is_of_all_rows_of_a_set_operation(rows_of):
    both = translation("SELECT TOP 2 star_id FROM sky.star UNION ALL SELECT star_id FROM sky.star")
    assert both.top is None
    assert len(rows_of(both.sql)) == 402
    assert len(rows_of(both.limited(5))) == 5


def test_tables_that_are_read():
    query = (
        "WITH t AS (SELECT x FROM sky.one) SELECT * FROM t WHERE EXISTS (SELECT * FROM TAP_UPLOAD.mine, STAR)"
    )
    assert translation(query).tables == {"sky.one", "sky.star", "TAP_UPLOAD.mine"}


@pytest.mark.parametrize(
    ("query", "line", "column", "found", "expected"),
    [
        ("SELECT ra FORM sky.star", 1, 11, "FORM", ("FROM", ",")),
        ("SELECT ra dec kind FROM sky.star", 1, 15, "kind", ("FROM", ",")),
        ("SELECT ra\nFROM sky.star\nWERE ra > 1", 3, 1, "WERE", None),
        ("SELECT raa FROM sky.star", 1, 8, "raa", ("ra",)),
        ("SELECT s.knid FROM sky.star s", 1, 10, "knid", ("kind",)),
        ("SELECT t.ra FROM sky.star s", 1, 8, "t", ()),
        ("SELECT ra FROM sky.stars", 1, 20, "stars", ("sky.star",)),
        ("SELECT ra FROM stra", 1, 16, "stra", ("sky.star",)),
        ("SELECT LOG11(ra) FROM sky.star", 1, 8, "LOG11", ("LOG10", "LOG")),
        ("SELECT sizes FROM sky.star", 1, 8, "sizes", ('"size"',)),
        ("SELECT size FROM sky.star", 1, 8, "size", ("a value", "a name")),
        ('SELECT "RA" FROM sky.star', 1, 8, "RA", ("ra",)),
        ("SELECT ra FROM sky.star WHERE", 1, 30, "the end of the query", None),
        ("SELECT (ra FROM sky.star", 1, 12, "FROM", (")",)),
        ("SELECT kind, MAX(ra), dec FROM sky.star GROUP BY kind", 1, 23, "dec", ("GROUP BY", "an aggregate")),
        ("SELECT ra\n  , dec $ FROM sky.star", 2, 9, "$ ", ()),
    ],
)  # fmt: skip
def test_errors_show_the_place_and_what_was_expected(query, line, column, found, expected):
    with pytest.raises(AdqlError) as caught:
        translation(query)
    error = caught.value
    assert (error.line, error.column, error.found) == (line, column, found)
    assert str(error).startswith(f"line {line}, column {column}: ")
    if expected is not None:
        assert error.expected[: len(expected)] == expected


@pytest.mark.parametrize(
    ("query", "found", "meant"),
    [
        ("SELECT ra FORM sky.star", "FORM", "FROM"),
        ("SELECT ra AS x fromm sky.star", "fromm", "FROM"),
        ("SELECT COUNT(*) FORM sky.star", "FORM", "FROM"),
        ("SELECT * FRM sky.star", "FRM", "FROM"),
        ("SELCT ra FROM sky.star", "SELCT", "SELECT"),
        ("SELECT ra FROM sky.star WEHRE ra > 1", "WEHRE", "WHERE"),
        ("SELECT ra FROM sky.star AS s WEHRE ra > 1", "WEHRE", "WHERE"),
        ("SELECT ra FROM sky.star ODER BY ra", "ODER", "ORDER"),
        ("SELECT kind FROM sky.star GRUOP BY kind", "GRUOP", "GROUP"),
        ("SELECT ra FROM sky.star JION sky.one ON 1 = 1", "JION", "JOIN"),
        ("SELECT ra FROM sky.star UNOIN SELECT ra FROM sky.star", "UNOIN", "UNION"),
        ("SELECT ra FROM sky.star WHERE ra BETWEN 1 AND 2", "BETWEN", "BETWEEN"),
        ("SELECT ra FROM sky.star WHERE kind LIEK 'a%'", "LIEK", "LIKE"),
        ("SELECT ra FROM sky.star WHERE ra > 1 ADN dec > 1", "ADN", "AND"),
    ],
)
def test_a_misspelt_word_of_the_language_is_told_by_itself(query, found, meant):
    with pytest.raises(AdqlError, match=rf"did you mean {meant}\?") as caught:
        translation(query)
    error = caught.value
    assert (error.found, error.column) == (found, query.index(found) + 1)


@pytest.mark.parametrize("query", ["SELECT from1 form2 FROM sky.one 5", "SELECT x FROM sky.one form 5"])
def test_names_are_not_taken_for_words(query):
    with pytest.raises(AdqlError) as caught:
        translation(query)
    assert (caught.value.found, "did you mean" in str(caught.value)) == ("5", False)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT ra FROM sky.star LIMIT 5", "ADQL writes TOP n after SELECT"),
        ("SELECT ra::int FROM sky.star", "CAST(value AS type)"),
        ("SELECT level FROM sky.star", 'as a name it is written "level"'),
        (
            "SELECT ra FROM sky.star WHERE CONTAINS(POINT(ra, dec), CIRCLE(1, 2, 3))",
            "write CONTAINS(...) = 1",
        ),
        ("SELECT IN_UNIT(ra, 'nJy') FROM sky.star", "cannot be converted"),
        ("SELECT star_id FROM sky.star JOIN sky.measure ON ra > 1", "write its table before it"),
        ("SELECT REGION('x') FROM sky.star", "write POINT, CIRCLE or POLYGON"),
    ],
)
def test_errors_say_what_to_do(query, words):
    with pytest.raises(AdqlError, match=words.replace("(", r"\(").replace(")", r"\)").replace(".", r"\.")):
        translation(query)


def test_what_is_deprecated_is_said():
    warnings = translation(
        "SELECT BOX('ICRS', 1, 2, 3, 4), COORDSYS(POINT(1, 2)), RAND(3) FROM sky.one"
    ).warnings
    assert [warning.split()[0] for warning in warnings] == ["BOX", "the", "COORDSYS", "the"]


@pytest.mark.parametrize("name", ["ra", "size", "Mixed", "a b", 'a"b', "_x", "1x", "level", "é"])
def test_names_as_a_query_must_write_them(name):
    quoted = delimited(name)
    assert (
        translation(f"SELECT t.{quoted} FROM (SELECT x AS {quoted} FROM sky.one) AS t").columns[0].name
        == name
    )


def test_every_column_of_the_catalog_can_be_written():
    catalog = schema_catalog()
    for table in catalog:
        names = ", ".join(delimited(column.name) for column in table.columns)
        columns = translate(f"SELECT {names} FROM {table.full_name}", catalog).columns
        assert [one.name for one in columns] == [column.name for column in table.columns]


def test_functions_are_declared_by_their_signatures():
    signatures = [signature for function in USER_FUNCTIONS.values() for signature in function.signatures]
    assert "ivo_healpix_index(hpxOrder INTEGER, point POINT) -> BIGINT" in signatures
    assert all(function.description.endswith(".") for function in USER_FUNCTIONS.values())


def test_sqlglot_reads_the_dialect():
    tree = sqlglot.parse_one("SELECT TOP 3 ra FROM sky.star WHERE ra > 1", read="adql")
    assert isinstance(tree, sqlglot.exp.Select)
    assert tree.args["limit"] == 3
    with pytest.raises(AdqlError):
        sqlglot.parse_one("DROP TABLE a", read="adql")


@pytest.mark.parametrize(
    ("other", "source"),
    [
        ("SELECT ra FROM sky.star WHERE kind = 2", "sky.star.ra"),
        ("SELECT t.ra FROM (SELECT ra FROM sky.star) AS t", "sky.star.ra"),
        ("SELECT dec FROM sky.star", None),
        ("SELECT RA FROM TAP_UPLOAD.mine", None),
        ("SELECT ra + 0 FROM sky.star", None),
    ],
)
def test_a_set_operation_gives_a_stored_column_where_both_sides_do(other, source):
    for word in ("UNION", "UNION ALL", "INTERSECT", "EXCEPT"):
        query = f"SELECT ra FROM sky.star {word} {other}"
        assert translation(query).columns[0].source == source
        assert translation(f"SELECT t.ra FROM ({query}) AS t").columns[0].source == source


def test_places_of_a_set_operation_are_no_indexed_ones():
    both = "SELECT ra, dec FROM sky.star UNION ALL SELECT ra, dec FROM sky.star"
    sql = translation(f"SELECT t.ra FROM ({both}) AS t WHERE DISTANCE(t.ra, t.dec, 1, 2) < 1").sql
    assert "q3c_" not in sql
