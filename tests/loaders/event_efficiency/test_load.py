"""Efficiency in the database: the same statistics, the same rows again, nothing half written, all counted."""

import numpy as np
import pytest
import sqlalchemy as sa
from astropy.stats import binom_conf_interval

from loaders.event_efficiency import load
from loaders.event_efficiency.cells import VIEWS
from loaders.event_efficiency.draw import PLANET, POINT_LENS
from loaders.event_efficiency.picture import write_figure
from loaders.event_efficiency.selection import connectedness, select, summary_of, variability_index
from loaders.event_efficiency.tasks import EVENT_EFFICIENCY
from loaders.rejection import Rejected
from loaders.season.tasks import arguments as season_arguments
from loaders.variability.tasks import LOCUS, VARIABILITY
from roman_db import session, sqlfile
from roman_db.jobs import Mode, run_mode
from roman_db.query.audit import chosen, run_audits
from tests.processes import in_processes
from tests.queries.filling import LENSED

ONE_SIGMA = 0.682689492137086


def describe():
    mode = Mode("describe", "Statistics alone", (LOCUS, VARIABILITY))
    assert not run_mode(mode, season_arguments("gbtds", 1, "psf"), lambda *_: None).failed


def arguments(number=12, planets=0, **more):
    which = {"survey": "gbtds", "season": 1, "photometry_kind": "psf", "seed": 4, "modelled": False}
    return which | {"numbers": {POINT_LENS: number, PLANET: planets}, "redo": False} | more


def run(**more):
    return run_mode(EVENT_EFFICIENCY, arguments(**more), lambda *_: None)


def ask(query, **values):
    with session.reading() as connection:
        return [row._asdict() for row in connection.execute(sa.text(query), values)]


def rows(name, besides=("load_run_id",)):
    found = ask(f"SELECT * FROM roman.{name} ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9")
    return [{key: value for key, value in row.items() if key not in besides} for row in found]


def light_curves(number):
    """How many are searched: each event, and each star in three ways without one, once."""
    return number + 3 * len(stars())


def stars():
    return {row["object_id"] for row in rows("injected_event")}


@pytest.fixture
def described(own_survey):
    describe()
    return own_survey


def test_statistics_of_a_light_curve_in_memory_are_those_of_the_database(described):
    """Column by column, for all objects: constant, lensed, flagged and not measured."""
    given = {"season": 1, "photometry_kind": "psf", "from_mjd": 61448, "to_mjd": 61520, "modelled": False}
    stored = {
        (row["object_id"], row["optical_element"]): row
        for row in ask("SELECT * FROM roman.variability WHERE season = 1 AND photometry_kind = 'psf'")
    }
    with session.reading() as connection:
        rules = load.read_rules(connection, given)
    read = load.read_points([int(one) for one in described.object_id], given)
    curves = {object_id: [curve for curve, _ in several] for object_id, several in read}
    compared = 0
    for object_id, several in curves.items():
        for curve in several:
            row, summary = stored[object_id, curve.name], summary_of(curve, rules.excluding_flags)
            assert (summary["n_point"], summary["longest_run"]) == (row["n_point"], row["longest_run"])
            assert curve.mean(rules.excluding_flags) == pytest.approx(row["mean_flux"], rel=1e-9)
            index = variability_index(summary, rules.loci.get(curve.name))
            assert index == pytest.approx(row["variability_index"], rel=1e-6, abs=1e-6)
            connected = (1 - row["von_neumann"] / 2) * np.sqrt(row["n_point"])
            assert connectedness(summary) == pytest.approx(connected, rel=1e-6, abs=1e-6)
            compared += 1
        mine = [stored[object_id, curve.name] for curve in several]
        asked = any(row["variability_index"] >= 3 or row["longest_run"] >= 3 for row in mine)
        asked |= any((1 - row["von_neumann"] / 2) * row["n_point"] ** 0.5 >= 4 for row in mine)
        assert select(several, rules).is_selected == asked
    assert compared == len(stored) > 100
    assert select(curves[int(described.object_id[LENSED])], rules).is_selected


@pytest.mark.heavy
def test_all_that_is_injected_is_counted_and_the_same_again_in_processes(described, monkeypatch):
    assert not run().failed
    truth, found = rows("injected_event"), rows("event_recovery")
    assert len(truth) == len(found) == light_curves(12)
    (count,) = ask("SELECT * FROM roman.event_detection_count")
    assert count["inject_medium"] == "lightcurve"
    assert count["tp_count"] + count["fn_count"] == 12 > count["fp_count"] + count["tn_count"] == len(stars())
    assert count["n_failed"] == 0
    cells = rows("event_efficiency")
    by_field = {}
    for cell in cells:
        by_field.setdefault(cell["field_id"], []).append(cell)
    (field,) = {row["field_id"] for row in truth}
    assert set(by_field) == {0, field}
    # There is one field, so that its cells are those of all.
    assert [{**cell, "field_id": 0} for cell in by_field[field]] == by_field[0]
    cells = by_field[0]
    assert sum(cell["n_injected"] for cell in cells) == 12
    assert sum(cell["n_recovered"] for cell in cells) == count["tp_count"]
    assert {row["n_source"] for row in rows("injection_run") if row["inject_medium"] == "lightcurve"} == {12}
    variable = {row["object_id"] for row in ask("SELECT object_id FROM roman.variability WHERE is_variable")}
    assert not variable & {row["object_id"] for row in truth}
    # Done is done; again, it is the same; more of them begin with the same ones.
    cells = rows("event_efficiency")
    assert run().succeeded == []
    in_processes(monkeypatch, load)
    assert not run(redo=True).failed
    assert (rows("injected_event"), rows("event_recovery"), rows("event_efficiency")) == (truth, found, cells)
    assert not run(number=14).failed
    assert rows("injected_event")[: len(truth)] == truth
    assert len(rows("event_recovery")) == light_curves(14)
    assert [result.name for result in run_audits(chosen(["event_recovery"]), 0) if not result.passed] == []


@pytest.mark.heavy
def test_limits_and_needed_numbers_are_those_of_the_binomial_distribution(described):
    run()
    for cell in rows("event_efficiency"):
        low, high = binom_conf_interval(cell["n_recovered"], cell["n_injected"], ONE_SIGMA, "wilson")
        assert (cell["completeness_lower"], cell["completeness_upper"]) == pytest.approx((low, high))
        middle = (low + high) / 2
        assert np.sqrt(middle * (1 - middle) / cell["n_needed"]) <= 0.02
        assert np.sqrt(middle * (1 - middle) / (cell["n_needed"] - 1)) > 0.02
        assert cell["einstein_time_lower"] < cell["einstein_time_upper"]


@pytest.mark.heavy
def test_a_unit_that_fails_leaves_nothing_and_is_done_again(described, monkeypatch):
    copy = load.copy_rows

    def fail(connection, name, columns):
        if name == "roman.event_recovery":
            raise OSError("disk full")
        return copy(connection, name, columns)

    with monkeypatch.context() as patch:
        patch.setattr(load, "copy_rows", fail)
        assert len(run().failed) == 1
    assert rows("injected_event") == rows("event_recovery") == rows("event_efficiency") == []
    assert not run().failed
    assert len(rows("injected_event")) == len(rows("event_recovery")) == light_curves(12)


def test_no_constant_star_is_said_in_words(own_survey):
    with pytest.raises(
        Rejected, match=r"no constant star with psf light curves in F146.*run season 1"
    ) as said:
        load.pending_injections(arguments())
    assert said.value.code == "no_constant_stars"


@pytest.mark.heavy
def test_cells_are_read_and_drawn(described, tmp_path):
    with pytest.raises(Rejected, match="no events were injected"):
        load.read_cells(1, "psf")
    run()
    cells = load.read_cells(1, "psf")
    assert sum(cell["n_injected"] for cell in cells) == 12
    with pytest.raises(Rejected, match=r"events with planets were injected.*--planets"):
        load.read_cells(1, "psf", "planets")
    for name in ("magnitude", "u_0", "fields", "sky"):
        cells = load.read_cells(1, "psf", name)
        assert sum(cell["n_injected"] for cell in cells) == 12
        write_figure(VIEWS[name].figure(cells, "test"), tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
    said = list(load.summary_of_efficiency(arguments()))
    assert "12 injected" in said[0]
    assert f"of {len(stars())} found as they are" in said[1]


def _planets():
    """Tell that the events that were injected have planets, the first six found, three with their planet."""
    with session.transaction(session.Role.OWNER) as connection:
        connection.execute(sa.text("DELETE FROM roman.event_efficiency"))
        connection.execute(
            sa.text(
                "UPDATE roman.injected_event SET kind = 'planet', s = 1.1, q = 2e-3, "
                "baseline_flux = CASE WHEN injected_event_id < 16 THEN 2000 ELSE 20000 END "
                "WHERE kind = 'point_lens'"
            )
        )
        connection.execute(
            sa.text(
                "UPDATE roman.event_recovery SET binary_class = CASE WHEN injected_event_id < 24 THEN 'TP' "
                "ELSE 'FN' END, has_planet = injected_event_id < 12 WHERE binary_class IN ('TP', 'FN')"
            )
        )
    (key,) = ask("SELECT max(injection_run_id) AS injection_run_id FROM roman.event_recovery")
    return key


def test_cells_of_planets(described):
    """Planets have been found or not, as it is told; the search for them is tested elsewhere."""
    run()
    values = _planets() | {"load_run_id": 1, "s_edges": "{0.5,1,2}", "q_edges": "{1e-4,1e-3,1e-2}"}
    values |= {"magnitude_edges": "{0,22,99}"}
    with session.transaction(session.Role.OWNER) as connection:
        sqlfile.run(connection, sqlfile.find("jobs", "planet_efficiency"), values)
    cells = rows("planet_efficiency")
    (field,) = {row["field_id"] for row in rows("injected_event")}
    names = ("field_id", "magnitude_lower", "magnitude_upper", "n_injected", "n_event", "n_recovered")
    # AB magnitudes of 20,000 and 2,000 nJy are 20.6 and 23.1; the faint four are found, three with a planet.
    counts = {(0, 99): (12, 6, 3), (22, 99): (4, 4, 3), (0, 22): (8, 2, 0)}
    expected = {(one, *edges, *n) for one in (0, field) for edges, n in counts.items()}
    assert {tuple(cell[name] for name in names) for cell in cells} == expected
    assert len(cells) == 6
    for cell in cells:
        assert (cell["s_lower"], cell["s_upper"], cell["q_lower"], cell["q_upper"]) == (1, 2, 1e-3, 1e-2)
        limits = binom_conf_interval(cell["n_recovered"], cell["n_injected"], ONE_SIGMA, "wilson")
        assert (cell["completeness_lower"], cell["completeness_upper"]) == pytest.approx(tuple(limits))
    assert [result.name for result in run_audits(chosen(["event_recovery"]), 0) if not result.passed] == []
    (drawn,) = load.read_cells(1, "psf", "planets")
    assert (drawn["n_injected"], drawn["n_recovered"]) == (12, 3)


@pytest.mark.heavy
def test_counts_are_those_of_the_rows_of_the_archive_by_class(described):
    """RAD: number of rows in this file with BinaryClass equal to TP, and so on; controls are not in it."""
    run()
    with session.transaction(session.Role.OWNER) as connection:
        # A false alarm of each kind.
        connection.execute(
            sa.text(
                "UPDATE roman.event_recovery SET binary_class = 'FP' "
                "WHERE injected_event_id IN (1, 2, 3, 5, 6, 9)"
            )
        )
    (count,) = ask("SELECT * FROM roman.event_detection_count")
    file = ask("SELECT * FROM roman.event_detection")
    for name in ("TP", "FP", "TN", "FN"):
        assert count[f"{name.lower()}_count"] == sum(row["binary_class"] == name for row in file)
    assert len(file) == 12 + len(stars())
    assert (count["fp_count"], count["fp_reversed_count"], count["fp_inverted_count"]) == (3, 2, 1)
    _compare_with_rows(file)


def _compare_with_rows(file):
    """Cells and the map are what is counted of the rows by hand."""
    for cell in ask("SELECT * FROM roman.event_detection_cell"):
        mine = [row for row in file if _is_in(row, cell)]
        assert cell["tp_count"] + cell["fn_count"] == sum(row["kind"] != "untouched" for row in mine)
        _compare_shares(cell, mine)
    places = ask("SELECT * FROM roman.event_detection_map")
    assert sum(place["tn_count"] + place["fp_count"] for place in places) == len(stars())
    for place in places:
        _compare_shares(place, [row for row in file if row["object_id"] >> 40 == place["healpix_index"]])


def _is_in(row, cell):
    magnitude = 31.400066 - 2.5 * np.log10(row["baseline_flux"])
    in_field = cell["field_id"] in (0, row["field_id"])
    return in_field and cell["magnitude_lower"] <= magnitude < cell["magnitude_upper"]


def _compare_shares(cell, mine):
    found = sum(row["binary_class"] == "TP" for row in mine)
    for name, others in (("completeness", "FN"), ("reliability", "FP")):
        n = found + sum(row["binary_class"] == others for row in mine)
        if not n:
            assert cell[name] is cell[f"n_needed_{name}"] is None
            continue
        assert cell[name] == pytest.approx(found / n)
        low, high = binom_conf_interval(found, n, ONE_SIGMA, "wilson")
        assert (cell[f"{name}_lower"], cell[f"{name}_upper"]) == pytest.approx((low, high))
        variance = (low + high) / 2 * (1 - (low + high) / 2)
        assert np.sqrt(variance / cell[f"n_needed_{name}"]) <= 0.02 + 1e-12
