"""Results as streams: limits, time-outs, errors and what columns mean."""

import pytest

from roman_db import session
from roman_db.query.columns import describe
from roman_db.query.error import QueryError
from roman_db.query.statement import parse
from roman_db.query.stream import Request, open_result
from roman_db.schema.view import read_views


def rows(sql: str, **options) -> tuple[list[dict], bool]:
    with open_result(Request(parse(sql), **options)) as result:
        found = [row for batch in result.batches for row in batch.to_pylist()]
    assert result.n_row == len(found)
    return found, result.is_cut


@pytest.mark.parametrize(("most", "is_cut"), [(0, True), (3, True), (4, False), (5, False), (None, False)])
def test_rows_are_cut_and_it_is_known(survey, most, is_cut):
    found, cut = rows("SELECT i FROM generate_series(1, 4) AS i ORDER BY i DESC", max_rows=most)
    assert [row["i"] for row in found] == [4, 3, 2, 1][:most]
    assert cut is is_cut


def test_reading_may_stop_in_the_middle(survey):
    # Two thousand million rows: to read the rest, as closing alone would, takes longer than a test may.
    sql = "SELECT a.i FROM generate_series(1, 50000) AS a (i), generate_series(1, 40000) AS b (j)"
    with open_result(Request(parse(sql))) as result:
        assert next(result.batches).num_rows > 0


def test_one_statement_is_read_only_and_the_readers(survey):
    found, _ = rows(
        "SELECT CAST(current_user AS text) AS who, current_setting('transaction_read_only') AS mode"
    )
    assert found == [{"who": "roman_reader", "mode": "on"}]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("EXPLAIN ANALYZE DELETE FROM roman.object", "read-only transaction: a query reads"),
        ("WITH gone AS (DELETE FROM roman.object RETURNING 1) SELECT * FROM gone", "data-modifying"),
        ("SELECT nextval('ops.load_run_load_run_id_seq')", "permission denied|read-only"),
        ("SELECT * FROM ops.light_curve_layout", "permission denied"),
        ("SELECT 1 FROM", "syntax error"),
        ("SELECT FROM roman.field", "no columns"),
        (
            "SELECT repeat('x', 100), 1 / (i - 300000) FROM generate_series(1, 400000) AS i",
            "division by zero",
        ),
    ],
)
def test_the_server_refuses_in_its_words(survey, sql, message):
    with pytest.raises(QueryError, match=message):
        rows(sql)


def test_an_error_shows_its_place(survey):
    with pytest.raises(QueryError) as error:
        rows("SELECT ra,\n\t fluxx, dec\nFROM roman.field")
    first, line, caret, *_ = str(error.value).splitlines()
    assert first == 'column "fluxx" does not exist (line 2, column 3)'
    assert caret.index("^") == line.index("fluxx")


def test_a_hint_is_passed_on(survey):
    with pytest.raises(
        QueryError, match=r'Hint: Perhaps you meant to reference the column "light_curve\.flux"'
    ):
        rows("SELECT fluxx FROM roman.light_curve")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT pg_sleep(20)",
        "SELECT a.i FROM generate_series(1, 100000) AS a (i), generate_series(1, 90000) AS b",
    ],
)
def test_time_runs_out(survey, sql):
    with pytest.raises(QueryError, match="took longer than allowed"):
        rows(sql, timeout_s=0.3)


def test_reports_are_text(survey):
    (row, *_), _ = rows("EXPLAIN SELECT 1")
    assert "Result" in row["QUERY PLAN"]
    assert rows("SHOW timezone") == ([{"TimeZone": "UTC"}], False)


def columns_of(sql: str) -> dict:
    with session.reading() as connection:
        return {column.name: column for column in describe(connection, sql)}


def test_a_column_means_what_it_means_in_its_table(survey):
    found = columns_of(
        "SELECT o.ra AS x, f.ra AS y, e.ra AS z FROM roman.object o, roman.field f, roman.exposure e"
    )
    assert {column.unit for column in found.values()} == {"deg"}
    assert "at ref_epoch" in found["x"].description
    assert "field centre" in found["y"].description
    assert "science pixels" in found["z"].description


def test_through_subqueries_and_joins(survey):
    found = columns_of(
        "WITH a AS (SELECT pm_ra AS motion FROM roman.object) SELECT motion FROM a JOIN roman.field ON true"
    )
    assert (found["motion"].unit, found["motion"].ucd) == ("mas/yr", "pos.pm;pos.eq.ra")


def test_a_column_of_a_view_means_what_the_view_says(survey):
    found = columns_of(
        "SELECT object_id, flux, flux_err, midpoint_bjd_tdb, ab_mag, flags FROM roman.light_curve"
    )
    assert [column.unit for column in found.values()] == [None, "nJy", "nJy", "d", "mag", None]
    assert found["object_id"].description == "Object."
    assert found["flags"].ucd == "meta.code.qual"
    assert "Barycentric" in found["midpoint_bjd_tdb"].description
    assert found["flux"].description == "Flux density; NaN where the measurement failed."


_VIEWS = read_views()


@pytest.mark.parametrize("name", _VIEWS)
def test_every_column_of_every_view_is_described(survey, name):
    found = columns_of(f"SELECT * FROM {name}").values()
    expected = [(one.name, one.unit, one.ucd, one.description) for one in _VIEWS[name].columns]
    assert [(one.name, one.unit, one.ucd, one.description) for one in found] == expected


def test_a_column_that_is_not_described_has_no_meaning(own_survey):
    with session.transaction(session.Role.OWNER) as connection:
        connection.exec_driver_sql("ALTER TABLE roman.object ADD COLUMN strange real")
    assert columns_of("SELECT strange FROM roman.object")["strange"].description is None


def test_what_is_computed_means_what_all_columns_of_that_name_mean(survey):
    found = columns_of("SELECT 2 * ra AS ra, 1 AS description, 1 AS nothing_of_ours FROM roman.field")
    assert (found["ra"].unit, found["ra"].ucd, found["ra"].description) == (
        "deg",
        "pos.eq.ra;meta.main",
        None,
    )
    assert (found["nothing_of_ours"].unit, found["nothing_of_ours"].ucd) == (None, None)


def test_names_are_made_unique(survey):
    assert list(columns_of("SELECT 1 AS a, 2 AS a, 3 AS a_2, 4 AS a")) == ["a", "a_2", "a_2_2", "a_3"]


def test_a_table_of_somebody_else_has_no_meaning_of_ours(own_survey):
    with session.transaction(session.Role.OWNER) as connection:
        connection.exec_driver_sql("CREATE TABLE public.mine (strange real)")
        connection.exec_driver_sql("GRANT SELECT ON public.mine TO PUBLIC")
    assert columns_of("SELECT strange FROM public.mine")["strange"].unit is None
