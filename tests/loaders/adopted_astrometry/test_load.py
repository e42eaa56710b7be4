"""Adoption in the database: better solutions become a version of the catalog, once."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from loaders.adopted_astrometry.load import summary_of_adoption
from loaders.adopted_astrometry.tasks import ASTROMETRY_MODE
from loaders.astrometric_solution import load as solutions
from loaders.catalog.load import CatalogOptions, load_catalog
from loaders.season.load import moved_units
from loaders.season.tasks import arguments
from roman_db import session
from roman_db.jobs import run_mode
from roman_db.query.audit import chosen, run_audits
from tests.loaders.astrometric_solution.sky import EPOCH, MAS
from tests.loaders.astrometric_solution.test_load import MJD, ask, write_exposures


@pytest.fixture(autouse=True)
def flags(monkeypatch):
    """Of the survey of the tests."""
    monkeypatch.setattr(solutions, "EXCLUDING_FLAGS", 1 | 2)


def run(**more):
    given = {"survey": "gbtds", "season": 0, "photometry_kind": "psf_free", "redo": False} | more
    report = run_mode(ASTROMETRY_MODE, given, lambda *_: None)
    assert not report.failed
    return report


def catalogued():
    return ask("SELECT * FROM roman.object ORDER BY object_id")


def versions():
    return ask("SELECT * FROM roman.catalog_version WHERE name = 'astrometry' ORDER BY 1")


def off_relative(rows, value, survey, name, p):
    """What is off of catalogued values from the truth, a linear field of the place aside."""
    place = np.column_stack([np.ones(survey.ra.size), survey.ra, survey.dec])
    place[:, 1:] -= place[:, 1:].mean(axis=0)
    off = np.array([getattr(row, name) for row in rows]) - value[:, p]
    return off - place @ np.linalg.lstsq(place, off, rcond=None)[0]


def test_the_catalog_has_the_truth_afterwards_and_what_it_had_is_history(own_survey):
    value = write_exposures(own_survey, MJD, kind="psf_free")
    before = catalogued()
    run()
    (version,) = versions()
    assert (version.n_new, version.n_changed, version.n_unchanged) == (0, len(before), 0)
    after = catalogued()
    for name, p in (("parallax", 2), ("pm_ra", 3), ("pm_dec", 4)):
        off = off_relative(after, value, own_survey, name, p)
        pull = off / np.array([getattr(row, f"{name}_err") for row in after])
        assert 0.7 < pull.std() < 1.3
    years = after[0].ref_epoch - EPOCH
    expected = own_survey.dec + np.degrees(MAS) * (value[:, 1] + years * value[:, 4])
    off = (np.array([row.dec for row in after]) - expected) / np.degrees(MAS)
    place = np.column_stack([np.ones(off.size), own_survey.ra - 267, own_survey.dec + 29])
    assert (off - place @ np.linalg.lstsq(place, off, rcond=None)[0]).std() < 0.2
    known = "object_id, ra, dec, ref_epoch, pm_ra, pm_dec, catalog_version_id"
    history = ask(
        f"SELECT {known} FROM roman.object_history WHERE replaced_by = :v ORDER BY 1",
        v=version.catalog_version_id,
    )
    assert history == [tuple(getattr(row, name) for name in known.split(", ")) for row in before]
    assert [result.name for result in run_audits(chosen([]), 0) if not result.passed] == []
    assert next(summary_of_adoption(0, "psf_free")).startswith("The catalog has the solutions of 60 obj")


@pytest.mark.heavy
def test_again_adopts_nothing_also_where_all_is_solved_anew(own_survey):
    write_exposures(own_survey, MJD, kind="psf_free")
    run()
    before = catalogued()
    assert run().succeeded == []
    run(redo=True)
    assert len(versions()) == 1
    assert catalogued() == before


@pytest.mark.heavy
def test_what_was_adopted_is_no_anchor_of_itself(own_survey):
    write_exposures(own_survey, MJD, kind="psf_free")
    run()
    run(redo=True)
    rows = ask("SELECT n_anchor, pm_zero_err FROM roman.astrometric_solution ORDER BY 1")
    assert [tuple(row) for row in rows] == [(0, None), (0, None)]


def test_too_little_is_not_adopted(own_survey):
    # Three days of the survey's own.
    report = run(photometry_kind="psf")
    assert not [name for name in report.succeeded if name.startswith("adopt")]
    assert versions() == []


@pytest.mark.heavy
def test_exposures_of_what_moved_are_to_be_done_again(own_survey):
    def due(season):
        return {
            unit.arguments["block_id"] for unit in moved_units(arguments("gbtds", season, "psf", images=True))
        }

    assert due(0) == set()
    write_exposures(own_survey, MJD, kind="psf_free")
    run()
    blocks = ask("SELECT block_id, start_mjd FROM roman.light_curve_block WHERE photometry_kind = 'psf'")
    assert due(0) == {row.block_id for row in blocks}
    assert due(1) == {row.block_id for row in blocks if row.start_mjd < 61520}


def catalog_again(survey, path, error):
    """A catalog of the same stars without motions; errors of positions in mas."""
    n = survey.object_id.size
    columns = {"ra": survey.ra, "dec": survey.dec, "ra_err": np.full(n, error), "dec_err": np.full(n, error)}
    units = {"ra": "deg", "dec": "deg", "ra_err": "mas", "dec_err": "mas"}
    fields = [pa.field(k, pa.float64(), metadata={"unit": units[k]}) for k in columns]
    pq.write_table(pa.table(list(columns.values()), schema=pa.schema(fields)), path)
    counts, change = load_catalog(
        path, CatalogOptions(name="again", match_radius=0.2, anywhere=True), lambda *_: None
    )
    assert counts.rejected == 0
    return change


@pytest.mark.heavy
def test_a_catalog_that_knows_less_changes_nothing_of_it(own_survey, tmp_path):
    write_exposures(own_survey, MJD, kind="psf_free")
    run()
    before = catalogued()
    catalog_again(own_survey, tmp_path / "worse.parquet", 5.0)
    assert catalogued() == before
    catalog_again(own_survey, tmp_path / "better.parquet", 0.001)
    after = catalogued()
    assert [row.dec for row in after] == pytest.approx(own_survey.dec.tolist(), abs=1e-12)
    # Motions are those of the solution still.
    assert [row.pm_ra for row in after] == [row.pm_ra for row in before]
    assert [row.astrometric_solution_id for row in after] == [row.astrometric_solution_id for row in before]


@pytest.mark.heavy
def test_a_solution_is_adopted_again_where_the_catalog_became_worse(own_survey):
    write_exposures(own_survey, MJD, kind="psf_free")
    run()
    with session.transaction(session.Role.OWNER) as connection:
        connection.execute(sa.text("UPDATE roman.object SET pm_ra_err = 9, pm_dec_err = 9"))
    # Errors grew: the same solutions are better again.
    run(redo=True)
    assert len(versions()) == 2
