"""Pipeline modes: units one by one, whatever becomes of the others."""

import pytest
from structlog.testing import capture_logs

from roman_db.jobs import Mode, Task, Unit, run_mode

from .conftest import execute


class Bench:
    """A task that notes what it is asked, and fails or stops where it is told."""

    def __init__(self, name, units, raises=None):
        self.done, self._raises = [], raises or {}
        self.task = Task(
            name, "for tests", lambda arguments: [Unit(u, {"n": u}) for u in units(arguments)], self._run
        )

    def _run(self, unit, load_run, progress):
        progress(f"within {unit.name}", 0, 1)
        if unit.name in self._raises:
            raise self._raises[unit.name]
        self.done.append(unit.name)


def run(*benches, arguments=None):
    told = []
    mode = Mode("daily", "for tests", tuple(bench.task for bench in benches))
    report = run_mode(mode, arguments or {}, lambda text, done, total: told.append((text, done, total)))
    return report, told


def task_runs(url):
    columns = "mode, task, unit, state, message, finished_at IS NULL, load_run_id"
    return execute(url, f"SELECT {columns} FROM ops.task_run ORDER BY 1, 2, 3")


def runs(url):
    return execute(url, "SELECT task, arguments, state FROM ops.load_run")


def test_tasks_in_order_and_units_in_order(database):
    first, second = (
        Bench("one", lambda arguments: ["a", "b"]),
        Bench("two", lambda arguments: [arguments["day"]]),
    )
    report, told = run(first, second, arguments={"day": "61520"})
    assert (first.done, second.done) == (["a", "b"], ["61520"])
    assert (report.succeeded, report.failed) == (["one a", "one b", "two 61520"], {})
    assert told == [
        ("one a", 0, 2), ("within a", 0, 1), ("one b", 1, 2), ("within b", 0, 1), ("one", 2, 2),
        ("two 61520", 0, 1), ("within 61520", 0, 1), ("two", 1, 1),
    ]  # fmt: skip
    mine = report.load_run_id
    assert task_runs(database) == [
        ("daily", "one", "a", "succeeded", None, False, mine),
        ("daily", "one", "b", "succeeded", None, False, mine),
        ("daily", "two", "61520", "succeeded", None, False, mine),
    ]
    assert runs(database) == [("run daily", {"day": "61520"}, "succeeded")]


def test_a_later_task_lists_its_units_when_the_earlier_ones_are_done(database):
    first = Bench("one", lambda arguments: ["a"])
    second = Bench("two", lambda arguments: list(first.done))
    run(first, second)
    assert second.done == ["a"]


def test_a_unit_that_fails_stops_no_other(database):
    bench = Bench("one", lambda arguments: ["a", "b", "c"], raises={"b": ValueError("all pixels are NaN")})
    report, _ = run(bench)
    assert bench.done == ["a", "c"]
    assert report.succeeded == ["one a", "one c"]
    assert report.failed == {"one b": "ValueError: all pixels are NaN"}
    assert [row[2:6] for row in task_runs(database)] == [
        ("a", "succeeded", None, False),
        ("b", "failed", "ValueError: all pixels are NaN", False),
        ("c", "succeeded", None, False),
    ]


class Refused(ValueError):
    """Input that is refused, as loaders raise it."""

    where, what, remedy, code = "a.asdf", "all pixels are NaN", "Leave it out", "all_nan"


def test_input_that_is_refused_needs_no_traceback(database):
    errors = {"a": Refused("a.asdf: all pixels are NaN. Leave it out."), "b": ValueError("a surprise")}
    with capture_logs() as logs:
        report, _ = run(Bench("one", lambda arguments: ["a", "b"], raises=errors))
    assert report.failed == {
        "one a": "a.asdf: all pixels are NaN. Leave it out.",
        "one b": "ValueError: a surprise",
    }
    assert [(line["unit"], bool(line["exc_info"])) for line in logs] == [("a", False), ("b", True)]


def test_ctrl_c_closes_everything_as_interrupted(database):
    bench = Bench("one", lambda arguments: ["a", "b", "c"], raises={"b": KeyboardInterrupt()})
    with pytest.raises(KeyboardInterrupt):
        run(bench)
    assert bench.done == ["a"]
    states = [row[2:4] + row[5:6] for row in task_runs(database)]
    assert states == [("a", "succeeded", False), ("b", "interrupted", False)]
    assert runs(database) == [("run daily", {}, "interrupted")]


def test_units_that_cannot_be_listed_fail_the_run(database):
    def units(arguments):
        raise LookupError("no such field")

    with pytest.raises(LookupError):
        run(Bench("one", units))
    assert runs(database) == [("run daily", {}, "failed")]


def test_nothing_to_do(database):
    report, told = run(Bench("one", lambda arguments: []))
    assert (report.succeeded, report.failed, told) == ([], {}, [])
    assert runs(database) == [("run daily", {}, "succeeded")]
