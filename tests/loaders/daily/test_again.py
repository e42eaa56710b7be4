"""What the daily mode does again, and what it does not: after compaction, replaced files and better PSFs."""

from __future__ import annotations

import pytest
import roman_datamodels.datamodels as rdm

from loaders.daily.load import summarise_run
from loaders.photometry import load
from tests.faults.command_line import roman_db, succeed
from tests.faults.rows import assert_same, stored_rows
from tests.faults.survey import DAYS, DETECTOR
from tests.loaders.light_curve.synthetic import points
from tests.roman_db.conftest import execute

COMPACT = ("run", "compact", "--before", 70000)
SEAL = ("run", "seal", "gbtds", 1)
MERGES = (COMPACT, SEAL)

BLOCKS = """
SELECT optical_element, start_mjd, end_mjd, n_epoch FROM roman.light_curve_block
WHERE superseded_at IS NULL ORDER BY 1, 2
"""
PROVENANCE = """
SELECT m.exposure_id, m.file_id, m.psf_model_id
FROM roman.light_curve_block b, unnest(b.exposure_id, b.file_id, b.psf_model_id)
    AS m (exposure_id, file_id, psf_model_id)
WHERE b.superseded_at IS NULL ORDER BY 1
"""


def nothing_to_do() -> bool:
    """Whether another daily run has no unit, and the audits find nothing wrong."""
    succeed("audit")
    return "0 units done, 0 failed; 0 blocks of 0 exposures and 0 points" in succeed("run", "daily").out


@pytest.mark.heavy
@pytest.mark.parametrize("merge", MERGES, ids=["compact", "seal"])
def test_merged_blocks_are_not_done_again(new_database, survey, merge):
    """Nor those that were photometered by a run before the later files were loaded."""
    succeed("load", "catalog", survey.catalog)
    for day in DAYS:
        succeed("load", "exposure", *survey.exposures(day=day)[:2])
        succeed("run", "daily")
    before = points()
    measured = execute(new_database, PROVENANCE)
    assert nothing_to_do()
    succeed(*merge)
    assert execute(new_database, BLOCKS) == [("F146", DAYS[0], DAYS[1] + 1, 4)]
    assert nothing_to_do()
    assert execute(new_database, PROVENANCE) == measured
    assert points() == before


@pytest.mark.heavy
def test_every_exposure_knows_its_file_and_its_psf(photometered):
    """The file that it has, and the PSF of its own day; that of the optics where this is of too few stars."""
    expected = f"""
        SELECT e.exposure_id, e.file_id, CASE WHEN p.n_star >= 50 THEN p.psf_model_id END
        FROM roman.exposure e JOIN roman.psf_model p
        ON p.detector = e.detector AND p.optical_element = e.optical_element
            AND floor(p.epoch_mjd_tdb) = e.day_mjd AND e.detector = '{DETECTOR}'
        ORDER BY 1
    """
    found = execute(photometered, PROVENANCE)
    assert found == execute(photometered, expected)
    assert sum(psf is None for _, _, psf in found) == 1
    assert len({psf for _, _, psf in found}) == 3


@pytest.mark.heavy
@pytest.mark.parametrize("merge", MERGES, ids=["compact", "seal"])
def test_redo_of_merged_blocks_gives_the_same_rows(photometered, merge):
    """Bit for bit, summaries and metrics too: each day is measured with its own PSF, and is a block again."""
    before, seen = stored_rows(photometered), points()
    measured = execute(photometered, PROVENANCE)
    succeed(*merge)
    assert [row[3] for row in execute(photometered, BLOCKS)] == [1, 8]
    outcome = succeed("run", "daily", "--redo")
    assert "3 blocks of 9 exposures" in outcome.out
    after = stored_rows(photometered)
    assert_same(after, before)
    assert len(after["block"]) == 3
    # The PSFs were built again: other identifiers, the same files.
    assert [row[:2] for row in execute(photometered, PROVENANCE)] == [row[:2] for row in measured]
    assert nothing_to_do()
    succeed(*merge)
    assert nothing_to_do()
    assert points() == seen


@pytest.mark.heavy
def test_replaced_file_is_found_in_a_merged_block(photometered, survey, tmp_path):
    before = points()
    succeed(*COMPACT)
    path = survey.exposures(day=DAYS[1])[1]
    with rdm.open(path) as model:
        model.data *= 1.1
        model.save(tmp_path / path.name)
    succeed("load", "exposure", tmp_path / path.name, "--replace")
    failed = roman_db("audit", "block_of_replaced_file")
    assert failed.code == 1
    assert path.name in failed.out
    outcome = succeed("run", "daily")
    assert "1 units done" in outcome.out
    assert "2 blocks of 8 exposures" in outcome.out
    assert nothing_to_do()
    changed = execute(photometered, f"SELECT exposure_id FROM roman.exposure WHERE filename = '{path.name}'")
    ((exposure,),) = changed
    others, kept = ([row for row in rows if row[3] != exposure] for rows in (points(), before))
    assert others == kept
    assert len(kept) < len(before)


def test_file_that_is_replaced_and_put_back_needs_nothing(photometered, survey, tmp_path):
    path = survey.exposures(day=DAYS[0])[0]
    with rdm.open(path) as model:
        model.data *= 1.1
        model.save(tmp_path / path.name)
    succeed("load", "exposure", tmp_path / path.name, "--replace")
    succeed("load", "exposure", path, "--replace")
    assert nothing_to_do()


FIELD = "SELECT DISTINCT name FROM roman.exposure JOIN roman.field USING (field_id)"
USED = """
SELECT start_mjd, array_agg(DISTINCT m ORDER BY m) FROM roman.light_curve_block b, unnest(b.psf_model_id) m
WHERE b.superseded_at IS NULL AND optical_element = 'F146' GROUP BY 1 ORDER BY 1
"""
QUALITY = """
SELECT q.value, q.verdict FROM ops.quality_metric q JOIN roman.light_curve_block b USING (block_id)
WHERE q.metric = '{}' AND b.superseded_at IS NULL AND b.optical_element = 'F146' ORDER BY b.start_mjd
"""


def of_late_day(rows: list[tuple]) -> list[tuple]:
    """Points of the second day."""
    return [row for row in rows if row[4] >= DAYS[1]]


@pytest.mark.heavy
def test_psf_of_the_optics_serves_until_there_is_a_good_one(photometered):
    before = of_late_day(points())
    good = execute(photometered, USED)
    assert [len(psfs) for _, psfs in good] == [1, 1]
    assert execute(photometered, QUALITY.format("psf_is_optics")) == [(0.0, "good")] * 2
    age = execute(photometered, QUALITY.format("psf_age_days"))
    assert all(0 < value < 0.1 and verdict == "good" for value, verdict in age)

    numbers = dict(execute(photometered, "SELECT psf_model_id, n_star FROM roman.psf_model"))
    execute(
        photometered,
        "UPDATE roman.psf_model SET n_star = 3 WHERE optical_element = 'F146'",
        "UPDATE roman.light_curve_block SET superseded_at = now() WHERE optical_element = 'F146'",
    )
    assert "2 blocks of 8 exposures" in succeed("run", "daily").out
    assert execute(photometered, USED) == [(day, [None]) for day in DAYS]
    assert execute(photometered, QUALITY.format("psf_is_optics")) == [(1.0, "warning")] * 2
    assert execute(photometered, QUALITY.format("psf_age_days")) == []
    assert nothing_to_do()
    succeed(*COMPACT)
    assert nothing_to_do()

    # The day without a good PSF of its own keeps what it has, unless it stands in a block with the other.
    late = good[1][1][0]
    mend = "UPDATE roman.psf_model SET n_star = {} WHERE psf_model_id = {}"
    execute(photometered, mend.format(numbers[late], late))
    assert "1 units done, 0 failed; 2 blocks of 8 exposures" in succeed("run", "daily").out
    assert execute(photometered, USED) == [(day, [late]) for day in DAYS]
    age = execute(photometered, QUALITY.format("psf_age_days"))
    assert [verdict for _, verdict in age] == ["good", "good"]
    assert nothing_to_do()
    assert of_late_day(points()) == before

    early = good[0][1][0]
    execute(photometered, mend.format(numbers[early], early))
    assert nothing_to_do()


def test_fields_of_one_detector_and_day_are_units_of_their_own(new_database, survey):
    """Both fail, for want of a catalog, and both are named."""
    succeed("load", "exposure", *survey.exposures(day=DAYS[0]))
    ((own,),) = execute(new_database, FIELD)
    other = "SELECT field_id FROM roman.field WHERE name = 'gbtds-2'"
    half = "SELECT exposure_id FROM roman.exposure ORDER BY exposure_id LIMIT 2"
    execute(new_database, f"UPDATE roman.exposure SET field_id = ({other}) WHERE exposure_id IN ({half})")
    outcome = roman_db("run", "daily")
    assert outcome.code == 1
    assert "0 units done, 2 failed" in outcome.out
    names = [f"{field} {DETECTOR} F146 {DAYS[0]}" for field in ("gbtds-2", own)]
    lines = [line for line in outcome.out.splitlines() if line.startswith("failed photometer")]
    found = sorted(line.split(":")[0] for line in lines)
    assert found == sorted(f"failed photometer {name}" for name in names)
    units = execute(new_database, "SELECT unit FROM ops.task_run WHERE task = 'photometer'")
    assert sorted(units) == sorted((name,) for name in names)


def test_points_written_are_those_that_were_measured(photometered):
    """Stars without usable pixels have an epoch and no point."""
    query = "SELECT count(*), count(*) FILTER (WHERE flux <> 'NaN') FROM roman.light_curve"
    ((n_epoch, n_point),) = execute(photometered, query)
    assert n_point < n_epoch
    ((run,),) = execute(photometered, "SELECT load_run_id FROM ops.load_run WHERE task = 'run daily'")
    found = summarise_run(run)
    assert (found.n_block, found.n_exposure, found.n_point) == (3, 9, n_point)
    assert f"{n_point:,}  light-curve points" in succeed("status").out


@pytest.mark.heavy
def test_one_day_of_measurements_is_in_memory(photometered, monkeypatch):
    """The days of a merged block wait on disk; their files are gone afterwards."""
    succeed(*COMPACT)
    places = []

    def spool(photometry, place, kept=load.spool):
        places.append(place)
        return kept(photometry, place)

    monkeypatch.setattr(load, "spool", spool)
    succeed("run", "daily", "--redo", "--optical-element", "F146")
    assert len(places) == 2
    assert not any(place.exists() for place in places)
