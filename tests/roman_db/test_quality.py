"""Measured values are judged by the limits that the database keeps, and the last measurement is stored."""

from __future__ import annotations

import csv
from math import inf, nan, nextafter

import psycopg2.errors
import pytest
import sqlalchemy as sa

from roman_db import session
from roman_db.load_run import load_run
from roman_db.quality import Metric, store_metrics
from roman_db.resources import folder

from .conftest import execute

#: Limits of the tests' own: metric, optical element, least and largest good value, severity.
LIMITS = (
    ("both", "any", 0.8, 1.3, "warning"),
    ("lower", "any", 0.8, None, "failure"),
    ("upper", "any", None, 1.3, "warning"),
    ("around_zero", "any", -10.0, 0.0, "failure"),
    ("boundless", "any", None, None, "warning"),
)


def limit(url, *rows):
    """Set limits, as an operator would."""
    for name, element, lower, upper, severity in rows:
        bounds = ["NULL" if bound is None else str(bound) for bound in (lower, upper)]
        execute(
            url,
            "INSERT INTO ops.quality_limit "
            "(metric, optical_element, lower, upper, severity, unit, description) "
            f"VALUES ('{name}', '{element}', {', '.join(bounds)}, '{severity}', '', 'of a test')",
        )


def store(*metrics):
    """Store metrics in a run of their own and return its identifier."""
    with load_run("run daily", {}) as run, session.transaction() as connection:
        store_metrics(connection, run.load_run_id, metrics)
    return run.load_run_id


def stored(url, columns="verdict", where="true"):
    """Columns of what is stored, in the order of the blocks that were measured."""
    return execute(url, f"SELECT {columns} FROM ops.quality_metric WHERE {where} ORDER BY block_id")


def verdicts(url, *measured):
    """Verdicts of (metric, optical element, value), all stored at once."""
    store(*(Metric(*one, block_id=number) for number, one in enumerate(measured)))
    return [verdict for (verdict,) in stored(url)]


def test_a_value_is_good_from_the_lower_limit_to_the_upper_and_both_belong_to_it(database):
    limit(database, *LIMITS)
    expected = {
        ("both", 0.8): "good", ("both", 1.0): "good", ("both", 1.3): "good",
        ("both", nextafter(0.8, -inf)): "warning", ("both", nextafter(1.3, inf)): "warning",
        ("both", -inf): "warning", ("both", inf): "warning",
        ("lower", 0.8): "good", ("lower", 1e30): "good",
        ("lower", 0.7): "failure", ("lower", -0.9): "failure",
        ("upper", 1.3): "good", ("upper", -1e30): "good", ("upper", 1.4): "warning",
        ("around_zero", -10.0): "good", ("around_zero", 0.0): "good",
        ("around_zero", -10.1): "failure", ("around_zero", 1e-9): "failure",
        ("boundless", -1e300): "good", ("no_such_limit", 1e300): "unlimited",
    }  # fmt: skip
    found = verdicts(database, *((name, "F146", value) for name, value in expected))
    assert dict(zip(expected, found, strict=True)) == expected
    assert stored(database, "metric, value") == list(expected)


def test_what_could_not_be_measured_is_empty_and_not_good(database):
    """Even where a limit is open on one side or on both."""
    limit(database, *LIMITS)
    severity = {name: severity for name, *_, severity in LIMITS} | {"no_such_limit": "unlimited"}
    found = verdicts(database, *((name, "F146", nan) for name in severity))
    assert dict(zip(severity, found, strict=True)) == severity
    assert stored(database, "value") == [(None,)] * len(severity)


def test_a_limit_of_the_element_takes_the_place_of_the_one_for_any(database):
    """Narrower or wider, with its own severity, and whole: a side that it leaves open is open."""
    limit(
        database,
        ("width", "any", 1.0, 2.0, "warning"),
        ("width", "F087", 1.4, 1.6, "failure"),
        ("width", "F146", None, 9.0, "failure"),
        ("width", "W146", -1.0, None, "warning"),
    )
    measured = {
        ("F213", 1.9): "good", ("F213", 2.1): "warning", ("F213", 0.9): "warning",
        ("F087", 1.5): "good", ("F087", 1.9): "failure", ("F087", 1.3): "failure",
        ("F146", 8.9): "good", ("F146", -9.0): "good", ("F146", 9.1): "failure",
        ("W146", 99.0): "good", ("W146", -1.1): "warning",
    }  # fmt: skip
    found = verdicts(database, *(("width", *one) for one in measured))
    assert dict(zip(measured, found, strict=True)) == measured
    asked = "SELECT DISTINCT lower, upper FROM ops.quality_metric ORDER BY 1, 2"
    assert execute(database, asked) == [(-1.0, None), (1.0, 2.0), (1.4, 1.6), (None, 9.0)]


def test_a_limit_of_another_element_or_metric_says_nothing(database):
    limit(database, ("width", "F087", 1.4, 1.6, "failure"), ("height", "any", 1.4, 1.6, "failure"))
    assert verdicts(database, ("width", "F146", 9.0), ("width", "F087", 9.0), ("depth", "F087", 9.0)) == [
        "unlimited",
        "failure",
        "unlimited",
    ]
    assert stored(database, "lower, upper") == [(None, None), (1.4, 1.6), (None, None)]


def test_the_limits_of_this_release_hold(database):
    """On the limit a value is good, and one step of the number beyond it has the severity of the limit."""
    with (folder("schema") / "rows" / "ops.quality_limit.csv").open(newline="") as file:
        limits = list(csv.DictReader(file))
    expected, measured = [], []
    for row in limits:
        for bound, away in ((row["lower"], -inf), (row["upper"], inf)):
            if bound:
                values = (float(bound), nextafter(float(bound), away))
                element = row["optical_element"].replace("any", "F184")
                measured += [(row["metric"], element, value) for value in values]
                expected += ["good", row["severity"]]
    assert "F184" not in {row["optical_element"] for row in limits}
    assert len(expected) > 20
    assert verdicts(database, *measured) == expected


def test_one_measurement_is_one_row_of_what_was_measured(database):
    """Exposures and blocks are not confused; what is of neither is stored as often as it is measured."""
    # The exposures themselves are not of interest here.
    execute(database, "ALTER TABLE ops.quality_metric DROP CONSTRAINT quality_metric_exposure_id_fkey")
    limit(database, ("both", "any", 0.8, 1.3, "warning"), ("both", "F146", 0.8, 1.3, "warning"))
    of = [{"exposure_id": 2**40}, {"block_id": 7}, {"exposure_id": 8, "block_id": 9}, {}, {}]
    run = store(*(Metric("both", "F146", 1.0, **one) for one in of))
    rows = "SELECT exposure_id, block_id, load_run_id FROM ops.quality_metric ORDER BY quality_metric_id"
    assert sorted(execute(database, rows), key=str) == sorted(
        [(2**40, None, run), (None, 7, run), (8, 9, run), (None, None, run), (None, None, run)], key=str
    )


def test_an_exposure_that_is_not_known_is_refused_and_nothing_is_stored(database):
    known, unknown = Metric("both", "F146", 1.0, block_id=1), Metric("both", "F146", 1.0, exposure_id=1)
    with pytest.raises(sa.exc.IntegrityError) as refused:
        store(known, unknown)
    assert isinstance(refused.value.orig, psycopg2.errors.ForeignKeyViolation)
    assert stored(database) == []


def test_a_repeated_run_replaces_what_was_measured_before(database):
    """By the limits of its time; what it does not measure again keeps its verdict and its limits."""
    limit(database, ("both", "any", 0.8, 1.3, "warning"))
    values = [Metric("both", "F146", value, block_id=number) for number, value in enumerate((1.0, 1.4, nan))]
    first = store(*values)
    columns = "value, lower, upper, verdict, load_run_id"
    before = [(1.0, 0.8, 1.3, "good"), (1.4, 0.8, 1.3, "warning"), (None, 0.8, 1.3, "warning")]
    assert stored(database, columns) == [(*row, first) for row in before]
    again = store(*values)
    assert stored(database, columns) == [(*row, again) for row in before]
    execute(database, "UPDATE ops.quality_limit SET upper = 1.5, severity = 'failure' WHERE metric = 'both'")
    later = store(values[1], Metric("both", "F146", 1.6, block_id=2))
    after = [(1.4, 0.8, 1.5, "good", later), (1.6, 0.8, 1.5, "failure", later)]
    assert stored(database, columns) == [(*before[0], again), *after]
    assert execute(database, "SELECT count(DISTINCT measured_at) FROM ops.quality_metric") == [(2,)]


@pytest.mark.parametrize(
    "of",
    [
        {"exposure_id": 8},
        {"block_id": 8},
        {"exposure_id": 8, "block_id": 9},
        {"psf_model_id": 8},
        {"reference_image_id": 8},
    ],
)
def test_each_metric_of_what_was_measured_is_one_row(database, of):
    for name in ("exposure", "psf_model", "reference_image"):
        constraint = f"quality_metric_{name}_id_fkey"
        execute(database, f"ALTER TABLE ops.quality_metric DROP CONSTRAINT {constraint}")
    for value in (1.0, 2.0):
        store(Metric("one", "F146", value, **of), Metric("two", "F146", -value, **of))
    found = execute(database, "SELECT metric, value FROM ops.quality_metric ORDER BY metric")
    assert found == [("one", 2.0), ("two", -2.0)]


def test_twice_in_one_transaction(database):
    """The second call does not store again what the first was given."""
    with load_run("run daily", {}) as run, session.transaction() as connection:
        store_metrics(connection, run.load_run_id, [Metric("one", "F146", 1.0, block_id=1)])
        store_metrics(connection, run.load_run_id, [Metric("two", "F146", 2.0, block_id=2)])
    assert stored(database, "metric, value") == [("one", 1.0), ("two", 2.0)]


def test_nothing_measured_is_nothing_stored(database):
    store()
    assert stored(database) == []
