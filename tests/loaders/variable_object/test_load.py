"""Variable objects in the database: what is stored is what the points say, once."""

import numpy as np
import pytest
import sqlalchemy as sa

from loaders.season.tasks import arguments
from loaders.variability import load as variability
from loaders.variability.tasks import LOCUS, VARIABILITY
from loaders.variable_object import load
from loaders.variable_object.load import summary_of_objects
from loaders.variable_object.tasks import VARIABLE_OBJECTS
from roman_db import session
from roman_db.jobs import Mode, run_mode
from tests.processes import in_processes
from tests.queries.filling import EXCLUDING, LENSED

MODE = Mode("season", "Statistics and variable objects", (LOCUS, VARIABILITY, VARIABLE_OBJECTS))


@pytest.fixture(autouse=True)
def excluding(monkeypatch):
    for module in (variability, load):
        monkeypatch.setattr(module, "EXCLUDING_FLAGS", EXCLUDING)


def run(**more):
    report = run_mode(MODE, arguments("gbtds", 1, "psf", **more), lambda *_: None)
    assert not report.failed
    return report


def ask(query, **values):
    with session.reading() as connection:
        return connection.execute(sa.text(query), values).all()


def test_the_star_that_varies_has_a_row_of_all_its_points(own_survey):
    run()
    (row,) = ask("SELECT * FROM roman.variable_object")
    assert row.object_id == own_survey.object_id[LENSED]
    assert (row.season, row.photometry_kind, row.optical_element) == (1, "psf", "F146")
    count = "SELECT sum(n_point) FROM roman.variability WHERE season = 1 AND object_id = :o"
    assert row.n_point == ask(count, o=row.object_id)[0][0]
    assert row.log_false_alarm < 0
    assert list(summary_of_objects(1, "psf")) == [f"Variable objects: 1 {row.class_hint}."]


@pytest.mark.parametrize("quantity", ["offset_ra", pytest.param("offset_dec", marks=pytest.mark.heavy)])
def test_trends_are_those_of_numpy(own_survey, monkeypatch, quantity):
    # The objects with positions do not vary.
    monkeypatch.setattr(variability, "THRESHOLD", -1e9)
    run()
    rows = ask("SELECT * FROM roman.variable_trend WHERE quantity = :q", q=quantity)
    whole = 0
    for row in rows:
        query = f"""
            SELECT midpoint_bjd_tdb, {quantity}::float8, {quantity}_err::float8 FROM roman.astrometry_curve
            WHERE object_id = :o AND optical_element = :e AND start_mjd >= 61448 AND start_mjd < 61520
        """
        time, value, error = np.array(ask(query, o=row.object_id, e=row.optical_element), dtype=float).T
        # Their errors are made up: some are below zero.
        time, value, error = (column[error > 0] for column in (time, value, error))
        assert row.n_point <= time.size
        # Where single points were left out the line is that of the others.
        whole += row.n_point == time.size
        if row.n_point == time.size:
            years = (time - row.reference_bjd_tdb) / 365.25
            slope, at = np.polyfit(years, value, 1, w=1 / error)
            assert (row.slope, row.value) == pytest.approx((slope, at), rel=1e-6, abs=1e-6)
    assert whole > 0


def test_flux_has_a_line_in_each_element(own_survey):
    run()
    rows = ask("SELECT optical_element FROM roman.variable_trend WHERE quantity = 'flux' ORDER BY 1")
    assert [row.optical_element for row in rows] == ["F087", "F146"]


@pytest.mark.heavy
def test_again_does_nothing_and_redo_in_processes_gives_the_same(own_survey, monkeypatch):
    run()
    before = {name: ask(f"SELECT * FROM roman.{name} ORDER BY 1, 2, 3, 4, 5") for name in TABLES}
    assert run().succeeded == []
    in_processes(monkeypatch, load)
    run(redo=True)
    for name, rows in before.items():
        again = ask(f"SELECT * FROM roman.{name} ORDER BY 1, 2, 3, 4, 5")
        assert [row[:-1] for row in again] == [row[:-1] for row in rows]


def test_an_object_that_varies_no_more_has_no_row(own_survey, monkeypatch):
    run()
    monkeypatch.setattr(variability, "THRESHOLD", 1e9)
    run(redo=True)
    assert [ask(f"SELECT count(*) FROM roman.{name}")[0][0] for name in TABLES] == [0, 0]


TABLES = ("variable_object", "variable_trend")
