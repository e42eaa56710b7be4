"""Pipeline modes: units one by one, whatever becomes of the others, and no input of theirs is lost."""

from concurrent.futures.process import BrokenProcessPool

import pytest
from structlog.testing import capture_logs

from loaders.rejection import Rejected
from roman_db import jobs, session
from roman_db.jobs import Mode, Task, Unit, UnknownTask, list_units, run_mode, run_unit
from roman_db.load_run import InputFile, Unreconciled

from .conftest import execute


class Bench:
    """A task that notes what it is asked, and fails or stops where it is told."""

    def __init__(self, name, units, raises=None, inputs=()):
        self.done, self._raises = [], raises or {}
        self.task = Task(
            name,
            "for tests",
            lambda arguments: [Unit(u, {"n": u}) for u in units(arguments)],
            self._run,
            lambda unit: [f"/{unit.name}/{name}" for name in inputs],
            lambda unit: [InputFile("exposure", f"/{unit.name}/{name}", name * 2, 1) for name in inputs],
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
    assert runs(database) == [("run daily", {}, "partly_failed")]
    message = "1 of 3 units failed: one b: ValueError: all pixels are NaN"
    overview = "SELECT n_failed_unit, message FROM ops.run_overview"
    assert execute(database, overview) == [(1, message)]


def test_a_run_of_which_all_units_fail_has_failed(database):
    run(Bench("one", lambda arguments: ["a"], raises={"a": ValueError("no")}))
    assert runs(database) == [("run daily", {}, "failed")]


class Refused(ValueError):
    """Input that is refused, as loaders raise it."""

    where, what, remedy, code = "a.asdf", "all pixels are NaN", "Leave it out", "all_nan"


@pytest.mark.parametrize("error", [Refused("a.asdf: all pixels are NaN. Leave it out."), ValueError("no")])
def test_a_unit_without_inputs_that_fails_is_rejected_itself(database, error):
    """What others are measured with is lost, and that stands where all that is lost stands."""
    run(Bench("one", lambda arguments: ["a", "b"], raises={"b": error}))
    assert execute(database, COUNTS) == [("partly_failed", 1, 1, 0, 1)]
    ((source, code, reason),) = execute(database, REASONS)
    assert (source, code) == ("one b", getattr(error, "code", "unit_failed"))
    assert str(error) in reason
    assert execute(database, ATTEMPTS) == [("a", "succeeded", 0, 0), ("b", "failed", 1, 1)]


def test_of_a_unit_whose_worker_was_killed_memory_is_said(database):
    run(Bench("one", lambda arguments: ["a"], raises={"a": BrokenProcessPool("a process is gone")}))
    ((code, remedy),) = execute(database, "SELECT code, remedy FROM ops.load_rejection")
    assert code == "worker_died"
    assert "memory" in remedy
    assert "ROMAN_DB_WORKERS" in remedy


def test_a_unit_that_fails_twice_in_a_run_is_rejected_by_its_name_twice(database):
    """As images that are searched before and after the first PSFs: the input is one and the same."""
    units, error = lambda arguments: ["a"], {"a": ValueError("no")}
    run(*(Bench(name, units, raises=error, inputs=("a",)) for name in ("one", "two")))
    sources = [row[:2] for row in execute(database, REASONS)]
    assert sources == [("/a/a", "unit_failed")] * 2


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


class Loader(Bench):
    """A task that accounts for three inputs of each unit as it is told: loaded, rejected, or not at all."""

    def __init__(self, accounts, raises=None):
        super().__init__("load", lambda arguments: list(accounts), inputs=("x", "y", "z"))
        self._accounts, self._fails = accounts, raises or {}

    def _run(self, unit, load_run, progress):
        n_loaded, refused = self._accounts[unit.name]
        with session.transaction() as connection:
            load_run.count(connection, loaded=n_loaded)
            why = {"row_number": None, "code": "all_nan", "reason": "is empty", "remedy": "Leave it out"}
            load_run.reject_rows(connection, [why | {"source": f"/{unit.name}/{r}: data"} for r in refused])
        if unit.name in self._fails:
            raise self._fails[unit.name]


COUNTS = "SELECT state, n_expected, n_read, n_loaded, n_rejected FROM ops.load_run"
ATTEMPTS = "SELECT unit, state, n_expected, n_read FROM ops.task_run ORDER BY unit"
REASONS = "SELECT source, code, reason FROM ops.load_rejection ORDER BY source"


def test_units_account_for_their_inputs(database):
    run(Loader({"a": (3, []), "b": (2, ["y"])}))
    assert execute(database, COUNTS) == [("succeeded", 6, 6, 5, 1)]
    assert execute(database, ATTEMPTS) == [("a", "succeeded", 3, 3), ("b", "succeeded", 3, 3)]
    inputs = "SELECT role, path, sha256 FROM ops.load_run_input ORDER BY path"
    files = [("exposure", f"/{unit}/{name}", name * 2) for unit in "ab" for name in "xyz"]
    assert execute(database, inputs) == files


def test_inputs_of_a_unit_that_fails_are_rejected_by_name(database):
    """But for those that it had refused itself."""
    loader = Loader({"a": (0, ["y"]), "b": (3, [])}, raises={"a": KeyError("exposure_id")})
    report, _ = run(loader)
    assert report.failed == {"load a": "KeyError: 'exposure_id'"}
    assert execute(database, COUNTS) == [("partly_failed", 6, 6, 3, 3)]
    assert execute(database, ATTEMPTS) == [("a", "failed", 3, 3), ("b", "succeeded", 3, 3)]
    reason = "load a failed: KeyError: 'exposure_id'"
    assert execute(database, REASONS) == [
        ("/a/x", "unit_failed", reason),
        ("/a/y: data", "all_nan", "is empty"),
        ("/a/z", "unit_failed", reason),
    ]


def test_inputs_of_a_unit_that_refuses_them_have_its_code_and_remedy(database):
    refusal = Rejected("/products", "cannot be written", "Look at the disk", "unwritable_folder")
    run(Loader({"a": (0, []), "b": (3, [])}, raises={"a": refusal}))
    assert execute(database, COUNTS) == [("partly_failed", 6, 6, 3, 3)]
    said = execute(database, "SELECT DISTINCT code, remedy FROM ops.load_rejection")
    assert said == [("unwritable_folder", "Look at the disk")]


def test_what_a_unit_had_stored_before_it_failed_is_not_rejected(database):
    run(Loader({"a": (3, []), "b": (1, [])}, raises={"a": ValueError("late"), "b": ValueError("midway")}))
    assert execute(database, COUNTS) == [("failed", 6, 6, 4, 2)]
    assert [source for source, *_ in execute(database, REASONS)] == ["load b", "load b"]


def test_a_unit_that_drops_an_input_fails(database):
    report, _ = run(Loader({"a": (2, []), "b": (3, [])}))
    assert list(report.failed) == ["load a"]
    assert "1 of the inputs that it was given are neither loaded nor rejected" in report.failed["load a"]
    assert execute(database, COUNTS) == [("partly_failed", 6, 6, 5, 1)]


def test_a_unit_that_counts_an_input_twice_fails_the_run(database):
    with pytest.raises(Unreconciled, match="1 inputs more"):
        run(Loader({"a": (4, [])}))
    assert execute(database, COUNTS) == [("failed", 3, 4, 4, 0)]


def test_arguments_of_units_are_stored_and_are_json(database):
    run(Bench("one", lambda arguments: ["a"]))
    assert execute(database, "SELECT arguments FROM ops.task_run") == [({"n": "a"},)]
    strange = Task("strange", "for tests", lambda arguments: [Unit("u", {"n": {1, 2}})], print)
    with pytest.raises(TypeError, match="task strange, unit u: its arguments cannot be written as JSON"):
        list_units(strange, {})


ECHO = Task("echo", "for tests", lambda arguments: [], lambda unit, load_run, progress: said.append(unit))
said: list[Unit] = []


@pytest.fixture
def declared(tmp_path, monkeypatch):
    """Entry points of packages that are installed for the test."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(package, *lines):
        folder = tmp_path / f"{package}-1.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        (folder / "entry_points.txt").write_text("\n".join([f"[{jobs.TASKS}]", *lines]))

    return install


def test_a_unit_of_a_task_that_is_known_by_name(database, declared):
    declared("some-loader", f"echo = {__name__}:ECHO")
    said.clear()
    report = run_unit("echo", Unit("u", {"day": [61520]}), lambda text, done, total: None)
    assert report.succeeded == ["echo u"]
    assert said == [Unit("u", {"day": [61520]})]
    assert runs(database) == [("unit of echo", {"day": [61520]}, "succeeded")]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["other = a:B"], "no task 'echo' is declared .*other"),
        ([f"echo = {__name__}:said"], "leads to .*:said, which is no task 'echo'"),
    ],
)
def test_names_that_lead_to_no_task(declared, lines, words):
    declared("some-loader", *lines)
    with pytest.raises(UnknownTask, match=words):
        jobs.task("echo")


def test_a_name_that_leads_to_two_tasks(declared):
    declared("one-loader", f"echo = {__name__}:ECHO")
    declared("another-loader", "echo = a:B")
    with pytest.raises(UnknownTask, match="remove all but one"):
        jobs.task("echo")
