"""Tasks by their names: units listed in one process are done in another."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import tomllib

import pytest

from loaders.compaction.tasks import compact_all
from loaders.daily.tasks import selection
from roman_db import jobs
from roman_db.jobs import TASKS, Task, list_units
from tests.docs.pages import ROOT
from tests.faults.command_line import succeed
from tests.faults.rows import assert_same, stored_rows
from tests.roman_db.conftest import execute

DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][TASKS]
F087 = selection(optical_element="F087")
COMPACTION = {"before_mjd": 10**6, "excluding_flags": 3}

#: A worker: it knows the name of a task, and gets the name of a unit and JSON.
WORKER = """
import json, sys
from roman_db.jobs import Unit, run_unit
for name, unit, arguments in json.load(sys.stdin):
    report = run_unit(name, Unit(unit, arguments), lambda text, done, total: None)
    assert not report.failed, report.failed
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Folder in which the entry points of this checkout are those of an installed package."""
    folder = tmp_path / "tasks_of_the_checkout-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: tasks-of-the-checkout\nVersion: 1\n")
    lines = [f"{name} = {value}" for name, value in DECLARED.items()]
    (folder / "entry_points.txt").write_text("\n".join([f"[{TASKS}]", *lines]))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    return tmp_path


def work(name, arguments):
    """List the units of a task here, and do them in another process."""
    units = [(name, unit.name, unit.arguments) for unit in list_units(jobs.task(name), arguments)]
    given = json.dumps(units)
    subprocess.run([sys.executable, "-c", WORKER], input=given, text=True, check=True)
    return len(units)


@pytest.mark.parametrize(("name", "value"), DECLARED.items())
def test_what_is_declared_is_a_task_of_that_name(name, value):
    found = importlib.metadata.EntryPoint(name, value, TASKS).load()
    assert isinstance(found, Task)
    assert found.name == name


def test_every_task_is_declared():
    """Each is a constant in the file ``tasks.py`` of its domain."""
    values = {f"loaders.{path.parent.name}.tasks" for path in (ROOT / "loaders").glob("*/tasks.py")}
    modules = {name: importlib.import_module(name) for name in values}
    tasks = {
        one.name for module in modules.values() for one in vars(module).values() if isinstance(one, Task)
    }
    assert tasks == set(DECLARED)


@pytest.mark.heavy
def test_psfs_and_photometry_by_workers(loaded, survey, installed):
    """The rows are those of the same work within one process."""
    assert [work(name, F087) for name in ("psf", "photometer")] == [1, 1]
    assert [work(name, F087) for name in ("psf", "photometer")] == [0, 0]
    by_workers = stored_rows(loaded)
    succeed("run", "daily", "--redo", "--optical-element", "F087")
    assert_same(stored_rows(loaded), by_workers)
    states = (
        "SELECT task, state, n_expected, n_loaded FROM ops.load_run WHERE task LIKE 'unit of %' ORDER BY 1, 3"
    )
    assert execute(loaded, states) == [
        ("unit of photometer", "succeeded", 1, 1),
        ("unit of psf", "succeeded", 0, 0),
    ]
    arguments = "SELECT DISTINCT jsonb_typeof(arguments -> 'exposure_id') FROM ops.task_run"
    assert execute(loaded, arguments) == [("array",)]


@pytest.mark.heavy
def test_a_window_is_compacted_by_a_worker(photometered, installed):
    points = """
        SELECT object_id, exposure_id, flux::text, flux_err::text, flags
        FROM roman.light_curve ORDER BY 1, 2"""
    before = execute(photometered, points)
    assert work("compact", COMPACTION) == 1
    assert work("compact", COMPACTION) == 0
    assert execute(photometered, points) == before
    assert compact_all(10**6, 3, lambda *progress: None).succeeded == []
    done = "SELECT state, n_expected, n_loaded FROM ops.load_run WHERE task = 'unit of compact'"
    assert execute(photometered, done) == [("succeeded", 1, 1)]
    blocks = (
        "SELECT optical_element, n_epoch FROM roman.light_curve_block WHERE superseded_at IS NULL ORDER BY 1"
    )
    assert execute(photometered, blocks) == [("F087", 1), ("F146", 8)]
