"""Mosaics in the database: made of the images there are, once, again when one changed, whole or never."""

import json
import multiprocessing
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import roman_datamodels

from loaders.eight_day.tasks import arguments
from loaders.field_mosaic import load as domain
from loaders.field_mosaic.load import current_mosaics, summary_of_mosaics
from loaders.field_mosaic.tasks import FIELD_MOSAIC
from loaders.input_file import fingerprint
from loaders.season.tasks import SEASON, SURVEY
from loaders.season_report.load import read_season
from loaders.wfi.footprint import footprint
from roman_db import session
from roman_db.jobs import Mode, run_mode
from roman_db.query.audit import chosen, run_audits
from roman_db.settings import settings
from tests.faults.command_line import succeed
from tests.loaders.eight_day import two_spans
from tests.loaders.field_mosaic.made_up import CENTRE, frame, reference, stars_in
from tests.loaders.field_mosaic.test_product import write
from tests.roman_db.conftest import execute

#: Days of the first season.
SEASON_DAYS = {"survey": "gbtds", "first_day": 61448, "last_day": 61519}

_CURRENT = """
SELECT field_mosaic_id, n_detector, n_exposure, path, sha256, season, n_x, n_y FROM roman.field_mosaic
WHERE superseded_at IS NULL ORDER BY start_mjd, optical_element
"""

_REPLACE = """
UPDATE roman.reference_image SET superseded_at = now() WHERE superseded_at IS NULL
AND (detector, optical_element, reference_kind, start_mjd) = ('{detector}', '{element}', '{kind}', {start})
"""

_IMAGE = """
INSERT INTO roman.reference_image (field_id, detector, optical_element, reference_kind, start_mjd, end_mjd,
    epoch_mjd_tdb, n_exposure, n_refused, exposure_time, oversampling, n_x, n_y, ra_ref, dec_ref,
    rotation_matrix, pixel_scale, footprint, limiting_mag, psf_fwhm, path, sha256, size_bytes, load_run_id)
SELECT {field}, '{detector}', '{element}', '{kind}', {start}, {end}, {start} + 0.5, {n}, 0, {time}, {fine},
    {nx}, {ny}, {ra!r}, {dec!r}, '{matrix}', {scale!r}, '{cells}', 24, 0.1, '{path}', '{sha256}', {size},
    max(load_run_id)
FROM ops.load_run
"""

_EXPOSURES = """
INSERT INTO roman.reference_image_exposure (reference_image_id, exposure_id, file_id, is_used, load_run_id)
SELECT (SELECT max(reference_image_id) FROM roman.reference_image), exposure_id, file_id, true, load_run_id
FROM roman.exposure
"""

#: The image of a season is made of that of the span.
_PART = """
INSERT INTO roman.reference_image_part (reference_image_id, part_reference_image_id, is_used, weight,
    load_run_id)
SELECT (SELECT max(reference_image_id) FROM roman.reference_image), reference_image_id, true, 1, load_run_id
FROM roman.reference_image
WHERE superseded_at IS NULL
    AND (detector, optical_element, reference_kind) = ('{detector}', '{element}', 'span')
"""

_PARTS = """
SELECT r.detector, r.reference_kind, p.is_used, p.share, p.n_overlap, p.sky
FROM roman.field_mosaic_part p JOIN roman.reference_image r USING (reference_image_id)
WHERE field_mosaic_id = {} ORDER BY 1
"""

#: Whether a footprint is that of the images together, and holds that of the third.
_FOOTPRINT = """
SELECT m.footprint = (
        SELECT range_agg(r.footprint)
        FROM roman.field_mosaic_part p JOIN roman.reference_image r USING (reference_image_id)
        WHERE p.field_mosaic_id = m.field_mosaic_id),
    m.footprint @> (SELECT footprint FROM roman.reference_image WHERE detector = 'WFI03'),
    isempty(m.footprint)
FROM roman.field_mosaic m WHERE field_mosaic_id = {}
"""


@pytest.fixture(scope="module")
def spans(tmp_path_factory, pytestconfig):
    base = tmp_path_factory.getbasetemp()
    return two_spans.simulated(base.parent if hasattr(pytestconfig, "workerinput") else base)


@pytest.fixture(scope="module")
def few(spans, tmp_path_factory):
    """A folder with three of the exposures."""
    folder = tmp_path_factory.mktemp("few")
    for path in spans.files[:3]:
        shutil.copy(path, folder)
    return folder


class Images:
    """Made-up reference images of detectors about the centre of the field, of all loaded exposures."""

    def __init__(self, url, folder, exposure):
        self.url, self.folder, self.exposure, self.count = url, folder, exposure, 0
        ((self.field, *self.centre),) = execute(url, "SELECT f.field_id, f.ra, f.dec FROM roman.field f "
                                                "JOIN roman.exposure USING (field_id) LIMIT 1")  # fmt: skip

    def add(self, detector, at, *, sky=0.0, element="F146", kind="span", start=61465, n_exposure=3):
        """Register an image, in place of the one that there is."""
        self.count += 1
        one = frame(at, 12.0, (60, 60))
        # About the field's own centre.
        one = type(one)(one.ra - CENTRE[0] + self.centre[0], self.centre[1] + at[1] / 3600, one.matrix,
                        one.shape, one.oversampling)  # fmt: skip
        stars = stars_in(one, [3.0], [-4.0], [300.0])
        path = write(self.folder / f"{self.count}_reference.asdf",
                     reference(one, stars, sky, seed=self.count), self.exposure)  # fmt: skip
        cells = ",".join(f"[{low},{high})" for low, high in footprint(one.projection).tolist())
        matrix = "{" + ",".join(map(str, one.matrix.ravel().tolist())) + "}"
        sha256, size = fingerprint(path)
        kind_of = {"detector": detector, "element": element, "kind": kind, "start": start}
        row = {"field": self.field, "end": start + 8, "n": n_exposure, "time": 60 * n_exposure}
        row |= {"fine": one.oversampling, "nx": one.shape[1], "ny": one.shape[0], "matrix": matrix}
        row |= {"ra": float(one.ra), "dec": float(one.dec), "scale": float(one.pixel_scale)}
        row |= {"cells": f"{{{cells}}}", "path": path, "sha256": sha256, "size": size}
        steps = [_REPLACE, _IMAGE, _EXPOSURES, *([_PART] if kind == "season" else [])]
        execute(self.url, *(step.format(**kind_of, **row) for step in steps))
        return path


@pytest.fixture
def images(new_database, spans, few, tmp_path, monkeypatch):
    monkeypatch.setenv("ROMAN_DB_PRODUCTS", str(tmp_path / "products"))
    settings.cache_clear()
    succeed("load", "exposure", few)
    yield Images(new_database, tmp_path, spans.files[0])
    settings.cache_clear()


def run(**more):
    given = arguments(unfinished=True) | SEASON_DAYS | more
    return run_mode(Mode("test", "Mosaics", (FIELD_MOSAIC,)), given, lambda *_: None)


def mosaic_of(images):
    (row,) = execute(images.url, _CURRENT)
    with roman_datamodels.open(row[3]) as model:
        assert model.validate() is None
        return row, np.array(model.data), np.array(model.context), dict(model.meta["field_mosaic"])


def sound():
    assert [result.name for result in run_audits(chosen([]), 0) if not result.passed] == []


def test_it_is_a_task_of_both_modes():
    assert "field_mosaic" in [task.name for task in SEASON.tasks]
    assert "field_mosaic" in [task.name for task in SURVEY.tasks]


def test_three_detectors_of_which_two_overlap(images):
    images.add("WFI01", (-6.0, 0.0), sky=1.0)
    images.add("WFI02", (-3.0, 0.5), sky=2.0)
    images.add("WFI03", (8.0, 1.0), sky=7.0)
    # Of the season there is none of the first detector; of the second the image of the season counts.
    images.add("WFI02", (-3.0, 0.5), sky=2.5, kind="season", start=61448)
    images.add("WFI01", (-6.0, 0.0), element="F087")
    report = run()
    assert not report.failed
    assert len(report.succeeded) == 2
    first, other = execute(images.url, _CURRENT)
    assert (first[1], first[2], first[5]) == (1, 3, 1)
    assert (other[1], other[2], other[5]) == (3, 9, 1)
    rows = execute(images.url, _PARTS.format(other[0]))
    assert [row[:2] for row in rows] == [("WFI01", "span"), ("WFI02", "season"), ("WFI03", "span")]
    assert [row[4] for row in rows] == [1, 1, 0]
    assert sum(row[3] for row in rows) == pytest.approx(1, abs=1e-5)
    assert rows[2][5] == 0
    sound()
    # The footprint is that of the images, without the gap.
    assert execute(images.url, _FOOTPRINT.format(other[0])) == [(True, True, False)]
    lines = list(summary_of_mosaics(report.load_run_id))
    assert len(lines) == 2
    assert "F146 season 1: 3 detectors, " in lines[1]
    # A second run finds nothing to do, and other days have no season of theirs.
    assert run().succeeded == []
    assert run(first_day=61600, last_day=61700).succeeded == []


@pytest.mark.heavy
def test_the_report_shows_it(images):
    images.add("WFI01", (-6.0, 0.0))
    images.add("WFI03", (8.0, 1.0))
    run()
    facts = read_season({"survey": "gbtds", "season": 1, "photometry_kind": "psf"})
    (one,) = facts.mosaics
    assert set(one.outlines) == {"WFI01", "WFI03"}
    row, data, *_ = mosaic_of(images)
    assert one.side == 1
    np.testing.assert_array_equal(one.small, data.astype(np.float64))
    assert one.shape == data.shape == (row[7], row[6])
    for x, y in one.outlines.values():
        assert -1 <= x.min() <= x.max() <= data.shape[1]
        assert -1 <= y.min() <= y.max() <= data.shape[0]
    with session.reading() as connection:
        assert current_mosaics(connection, "gbtds", 2) == []
        assert len(current_mosaics(connection, "gbtds", 0)) == 1
    Path(row[3]).unlink()
    facts = read_season({"survey": "gbtds", "season": 1, "photometry_kind": "psf"})
    assert facts.mosaics == []
    assert any("cannot be read as a mosaic" in line for line in facts.lines)
    # A file that is gone is made again.
    assert len(run().succeeded) == 1
    assert len(execute(images.url, _CURRENT)) == 1


@pytest.mark.heavy
def test_an_image_that_changed_or_came_makes_it_again(images):
    images.add("WFI01", (-6.0, 0.0))
    run()
    before, _, context, _ = mosaic_of(images)
    assert set(np.unique(context)) == {0, 1}
    images.add("WFI03", (8.0, 1.0))
    assert len(run().succeeded) == 1
    after, _, context, _ = mosaic_of(images)
    assert set(np.unique(context)) == {0, 1, 2}
    assert after[0] > before[0]
    assert not Path(before[3]).exists()
    images.add("WFI01", (-6.0, 0.0), sky=4.0)
    assert len(run().succeeded) == 1
    last, *_ = mosaic_of(images)
    assert last[0] > after[0]
    assert execute(images.url, "SELECT count(*) FROM roman.field_mosaic") == [(3,)]
    assert len(run(redo=True).succeeded) == 1
    sound()


def test_a_file_that_is_not_the_one_that_was_written_is_left_out_and_told(images):
    path = images.add("WFI01", (-6.0, 0.0))
    images.add("WFI03", (8.0, 1.0))
    path.write_bytes(path.read_bytes()[:-10])
    report = run()
    assert not report.failed
    row, _, context, said = mosaic_of(images)
    assert row[1] == 1
    assert set(np.unique(context)) == {0, 1}
    assert list(said["images"]) == ["2_reference.asdf"]
    refused = execute(
        images.url, "SELECT is_used, sky IS NULL, refused FROM roman.field_mosaic_part ORDER BY 1"
    )
    assert [one[:2] for one in refused] == [(False, True), (True, False)]
    assert "not the one that was written" in refused[0][2]
    counts = execute(
        images.url,
        f"SELECT n_read, n_loaded, n_rejected FROM ops.load_run WHERE load_run_id = {report.load_run_id}",
    )
    assert counts == [(2, 1, 1)]
    assert execute(images.url, "SELECT code FROM ops.load_rejection") == [("bad_reference",)]
    sound()
    assert run().succeeded == []


def test_without_any_image_that_can_be_read_it_fails(images):
    images.add("WFI01", (-6.0, 0.0)).unlink()
    report = run()
    assert len(report.failed) == 1
    assert execute(images.url, _CURRENT) == []
    assert list((settings().product_folder / "mosaic").rglob("*.asdf")) == []


def _run_and_die(where):
    """In a process of its own: run, and be killed in the middle."""

    def die(*_, **__):
        os.kill(os.getpid(), signal.SIGKILL)

    session.disconnect()
    setattr(domain, where, die)
    run()


@pytest.mark.heavy
@pytest.mark.parametrize("where", ["write_mosaic", "_register"])
def test_killed_in_the_middle(images, where):
    """After the pixels, or after the file: nothing is registered, and the next run does it, and tidies up."""
    images.add("WFI01", (-6.0, 0.0))
    run()
    before, *_ = mosaic_of(images)
    images.add("WFI03", (8.0, 1.0))
    session.disconnect()
    process = multiprocessing.get_context("fork").Process(target=_run_and_die, args=(where,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    # The one before holds, and its file is there.
    assert mosaic_of(images)[0] == before
    folder = Path(before[3]).parent
    left = sorted(path.name for path in folder.iterdir() if path.name != Path(before[3]).name)
    assert len(left) >= 1
    assert len(run().succeeded) == 1
    after, *_ = mosaic_of(images)
    assert after[1] == 2
    assert [path.name for path in folder.iterdir()] == [Path(after[3]).name]
    assert execute(images.url, "SELECT count(*), count(superseded_at) FROM roman.field_mosaic") == [(2, 1)]
    sound()


def test_units_are_listed_as_a_worker_gets_them(images):
    images.add("WFI01", (-6.0, 0.0))
    (unit,) = FIELD_MOSAIC.units(arguments(unfinished=True) | SEASON_DAYS)
    assert json.loads(json.dumps(dict(unit.arguments))) == dict(unit.arguments)
    assert FIELD_MOSAIC.inputs(unit) == (f"reference image {unit.arguments['reference_image_id'][0]}",)
