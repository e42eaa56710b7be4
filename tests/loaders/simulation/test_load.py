"""``roman-db simulate``: files on disk, truth in the database, and going on where it was cut off."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest
import roman_datamodels.datamodels as rdm
import yaml

from loaders.psf.optics import OpticsSettings, optical_psf
from loaders.simulation.load import telescope_psfs
from loaders.simulation.parameters import parameters_from_mapping
from loaders.simulation.scene import make_scene
from tests.faults.command_line import roman_db, succeed
from tests.faults.killed import KILLED, Started, run
from tests.roman_db.conftest import execute

CHANGES = {
    "scene": {"stars": {"density_per_arcmin2": 3000}, "events": [], "galaxies": {"density_per_arcmin2": 60}},
    "survey": {
        "duration_days": 0.03,
        "window": {"x": 1000, "y": 500, "width": 48, "height": 40},
        "cadences": [
            {
                "optical_element": "F146",
                "interval_minutes": 8.0,
                "offset_minutes": 0.0,
                "ma_table": "SIM_66_6",
            }
        ],
    },
}


@pytest.fixture
def yaml_file(tmp_path):
    path = tmp_path / "parameters.yaml"
    path.write_text(yaml.safe_dump(CHANGES))
    return path


def command(folder, yaml_file):
    return ("simulate", folder, "--parameters", yaml_file)


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def content(path: Path):
    """Arrays and metadata of an exposure, without the time when the file was made."""
    with rdm.open(path) as model:
        arrays = [np.asarray(model[name]) for name in ("data", "err", "dq", "var_poisson")]
        metadata = {key: str(value) for key, value in model.to_flat_dict(include_arrays=False).items()}
    return arrays, {
        key: value for key, value in metadata.items() if "file_date" not in key and "wcs" not in key
    }


def assert_same_exposure(one: Path, other: Path) -> None:
    (arrays, metadata), (others, expected) = content(one), content(other)
    for array, wanted in zip(arrays, others, strict=True):
        np.testing.assert_array_equal(array, wanted)
    assert metadata == expected


@pytest.mark.heavy
def test_cut_off_and_resumed_gives_the_files_of_an_undisturbed_run(new_database, tmp_path, yaml_file):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert run(command(whole, yaml_file)).code == 0
    started = Started(command(cut, yaml_file))
    while not list(cut.glob("*_cal.asdf")):
        time.sleep(0.005)
    family = psutil.Process(started.process.pid).children(recursive=True)
    started.process.kill()
    assert started.outcome().code == KILLED
    assert psutil.wait_procs(family, timeout=60)[1] == []
    first = {path: path.stat().st_mtime_ns for path in cut.glob("*_cal.asdf")}
    assert 0 < len(first) < 6
    assert run(command(cut, yaml_file)).code == 0

    assert {path: path.stat().st_mtime_ns for path in first} == first
    assert files(cut) == files(whole)
    exposures = sorted(whole.glob("*_cal.asdf"))
    assert len(exposures) == 6
    for path in exposures:
        assert_same_exposure(cut / path.name, path)
    for name in ("truth.parquet", "catalog.ecsv", "parameters.json"):
        assert (cut / name).read_bytes() == (whole / name).read_bytes()
    states = execute(new_database, "SELECT state FROM ops.load_run ORDER BY load_run_id")
    assert states == [("succeeded",), ("interrupted",), ("succeeded",)]


@pytest.mark.heavy
def test_truth_is_stored_once_by_name(new_database, tmp_path, yaml_file):
    succeed(*command(tmp_path / "out", yaml_file))
    succeed(*command(tmp_path / "out", yaml_file))
    assert execute(
        new_database, "SELECT name, parameters -> 'survey' ->> 'detector' FROM roman.simulated_scene"
    ) == [("simulation", "WFI07")]
    truth = pq.read_table(tmp_path / "out/truth.parquet").to_pydict()
    rows = execute(
        new_database,
        "SELECT source_id, kind, ra, dec, (true_flux ->> 'F146')::float8, pm_ra FROM roman.simulated_source "
        "ORDER BY source_id",
    )
    assert [row[0] for row in rows] == sorted(truth["source_id"])
    order = np.argsort(truth["source_id"])
    assert [row[1] for row in rows] == [truth["kind"][k] for k in order]
    for column, name in ((2, "ra"), (3, "dec")):
        np.testing.assert_array_equal([row[column] for row in rows], np.array(truth[name])[order])
    flux = 3631e9 * 10 ** (-0.4 * np.array(truth["mag_f146"])[order])
    np.testing.assert_allclose([row[4] for row in rows], flux, rtol=1e-12)
    np.testing.assert_allclose([row[5] for row in rows], np.array(truth["pmra"])[order], rtol=1e-6)


@pytest.mark.heavy
def test_folder_of_another_simulation_is_left_alone(new_database, tmp_path, yaml_file):
    succeed(*command(tmp_path / "out", yaml_file))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    other = yaml.safe_load(yaml_file.read_text())
    other["scene"]["seed"] = 5
    yaml_file.write_text(yaml.safe_dump(other))
    outcome = roman_db(*command(tmp_path / "out", yaml_file))
    assert outcome.code == 1
    assert "holds a simulation with other parameters" in outcome.err
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("survey: {detektor: WFI07}", ("detektor", "detector")),
        ("survey: {duration_days: x}", ("survey.duration_days", "'x'")),
        ("survey: {detector: WFI99}", ("WFI99", "WFI18")),
        ("survey: {window: {x: 4080, y: 0, width: 20, height: 20}}", ("window", "4080")),
        ("survey: {duration_days: 0}", ("no exposure",)),
        ("survey: [", ("parsing", "line 1")),
        (
            "survey: {cadences: [{optical_element: F999, interval_minutes: 9.0, offset_minutes: 0.0, "
            "ma_table: SIM_66_6}]}",
            ("F999", "F146"),
        ),
    ],
)
def test_wrong_parameters(new_database, tmp_path, text, words):
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    outcome = roman_db(*command(tmp_path / "out", path))
    assert outcome.code == 1
    assert "Traceback" not in outcome.err
    (line,) = outcome.lines("Error: ")
    assert all(word in line for word in words), line
    assert not list(tmp_path.glob("out/*_cal.asdf"))
    assert execute(new_database, "SELECT count(*) FROM roman.simulated_scene") == [(0,)]


def test_parameters_that_are_not_there(new_database, tmp_path):
    outcome = roman_db(*command(tmp_path / "out", tmp_path / "none.yaml"))
    assert outcome.code == 2
    assert "does not exist" in outcome.err


def test_show_prints_what_can_be_given_back(new_database, tmp_path):
    """The text names every parameter, and is itself a file of parameters."""
    outcome = succeed("simulate", tmp_path / "out", "--show")
    assert set(yaml.safe_load(outcome.out)) == {"scene", "survey", "optics", "detector"}
    assert not (tmp_path / "out").exists()


def _shape_difference(one: np.ndarray, other: np.ndarray) -> float:
    """Difference of two stamps of light, relative to the second."""
    return float(np.sqrt(((one - other) ** 2).sum() / (other**2).sum()))


@pytest.mark.heavy
def test_the_telescope_is_not_quite_the_one_that_loaders_start_from():
    """A PSF measured in a simulation has something to find; nothing about it was known before."""
    scene = make_scene(parameters_from_mapping(CHANGES))
    psf = telescope_psfs(scene)["F146"]
    designed = optical_psf("WFI07", "F146", 1024.0, 520.0, OpticsSettings(half_width=60))
    assert 0.01 < _shape_difference(psf.stamps[0, 0], designed.stamps[0, 0]) < 0.05
    assert psf.stamps.sum() == pytest.approx(designed.stamps.sum(), rel=0.003)


@pytest.mark.heavy
def test_the_psf_of_a_large_window_varies_over_it():
    window = {"window": {"x": 0, "y": 0, "width": 4088, "height": 64}}
    changes = CHANGES | {
        "survey": CHANGES["survey"] | window,
        "optics": {"extra_aberrations": [], "jitter": 0.014},
        "scene": CHANGES["scene"] | {"stars": {"density_per_arcmin2": 30}},
    }
    psf = telescope_psfs(make_scene(parameters_from_mapping(changes)))["F146"]
    assert psf.stamps.shape[:2] == (1, 3)
    for x in (0.0, 4087.0):
        expected = optical_psf("WFI07", "F146", x, 32.0, OpticsSettings(half_width=60, jitter=0.014))
        assert _shape_difference(psf.at(x, 32.0), expected.stamps[0, 0]) < 1e-12
    assert _shape_difference(psf.at(0.0, 32.0), psf.at(4087.0, 32.0)) > 0.01
