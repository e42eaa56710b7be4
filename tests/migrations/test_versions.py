"""Migrations: one line of them, and data that come through every one."""

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from psycopg2.errors import CheckViolation, UniqueViolation
from sqlalchemy.exc import IntegrityError

from roman_db import migrate
from roman_db.retired_partitions import drop_retired
from tests.loaders.compaction.runs import compact
from tests.loaders.light_curve.synthetic import points, write_days
from tests.roman_db.conftest import execute


def test_there_is_one_line_of_revisions():
    scripts = ScriptDirectory.from_config(migrate.alembic_config())
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1
    assert all(not script.is_merge_point for script in scripts.walk_revisions())


@pytest.mark.heavy
def test_each_revision_in_turn_leads_to_the_same_schema(bare_database):
    """And what is stored at a revision is there at the next."""
    scripts = ScriptDirectory.from_config(migrate.alembic_config())
    for script in reversed(list(scripts.walk_revisions())):
        migrate.upgrade(script.revision)
        execute(bare_database, f"INSERT INTO roman.survey VALUES ('{script.revision}', 'stored here')")
    found = execute(bare_database, "SELECT count(*) FROM roman.survey WHERE description = 'stored here'")
    assert found == [(len(list(scripts.walk_revisions())),)]
    migrate.ensure_current()


def test_a_filled_database_comes_through_another_upgrade(database):
    """Light curves before and after compaction, with the partitions and rights of their tables."""
    write_days(3)
    compact()
    drop_retired(5)
    write_days(10, series=1)
    before, partitions = points(), execute(database, _PARTITIONS)
    migrate.upgrade()
    assert points() == before
    assert execute(database, _PARTITIONS) == partitions
    compact()
    assert points() == before


@pytest.mark.heavy
def test_metrics_that_were_stored_twice_are_stored_once(bare_database):
    """0002: of an exposure and of a block the last stays; metrics of runs, and others, are not touched."""
    migrate.upgrade("0001")
    execute(
        bare_database,
        "ALTER TABLE ops.quality_metric DROP CONSTRAINT quality_metric_exposure_id_fkey, "
        "DROP CONSTRAINT quality_metric_load_run_id_fkey",
        """
        INSERT INTO ops.quality_metric (metric, exposure_id, block_id, value, load_run_id, verdict)
        SELECT *, 'good' FROM (VALUES
            ('drift', 1, NULL, 1, 1), ('drift', 2, NULL, 2, 1), ('chi2', 1, NULL, 3, 1),
            ('scatter', NULL, 1, 4, 1), ('scatter', NULL, 2, 5, 1), ('fwhm', NULL, NULL, 6, 1),
            ('drift', 1, NULL, 7, 2), ('scatter', NULL, 1, 8, 2), ('fwhm', NULL, NULL, 9, 2),
            ('drift', 1, NULL, NULL, 3)
        ) AS measured
        """,
    )
    migrate.upgrade()
    columns = "metric, exposure_id, block_id, value, load_run_id"
    kept = f"SELECT {columns} FROM ops.quality_metric ORDER BY quality_metric_id"
    assert execute(bare_database, kept) == [
        ("drift", 2, None, 2, 1),
        ("chi2", 1, None, 3, 1),
        ("scatter", None, 2, 5, 1),
        ("fwhm", None, None, 6, 1),
        ("scatter", None, 1, 8, 2),
        ("fwhm", None, None, 9, 2),
        ("drift", 1, None, None, 3),
    ]
    again = "INSERT INTO ops.quality_metric (metric, {0}, verdict, load_run_id) VALUES ('{1}', 1, 'good', 4)"
    for column, metric in (("exposure_id", "drift"), ("block_id", "scatter")):
        with pytest.raises(UniqueViolation):
            execute(bare_database, again.format(column, metric))


@pytest.mark.heavy
def test_blocks_are_told_the_files_that_they_were_measured_from(bare_database):
    """0003: unless the file is of a later run than the block; PSFs were not recorded; points are counted."""
    migrate.upgrade("0002")
    execute(bare_database, "SET session_replication_role = replica; " + _FILLED)
    migrate.upgrade()
    columns = "block_id, exposure_id, file_id, psf_model_id, n_point"
    assert execute(bare_database, f"SELECT {columns} FROM roman.light_curve_block ORDER BY 1") == [
        (1, [101, 102], [11, 12], [0, 0], 3),
        (2, [103, 102, 104], [None, 12, None], [0, 0, 0], 0),
    ]
    assert execute(bare_database, "SELECT count(*) FROM roman.light_curve_segment") == [(2,)]
    command.check(migrate.alembic_config())
    with pytest.raises(CheckViolation):
        execute(bare_database, "UPDATE roman.light_curve_block SET file_id = '{1}' WHERE block_id = 1")


#: Two blocks of runs 1 and 2; a file of run 3 has taken the place of that of exposure 103; 104 is not there.
_FILLED = """
INSERT INTO ops.load_run (task, arguments, code_version, schema_version, host, pid)
SELECT 'test', '{}', '0', '0', 'nowhere', 1 FROM generate_series(1, 3);
INSERT INTO roman.catalog_version (name, n_new, n_changed, n_unchanged, n_merged, load_run_id)
VALUES ('test', 0, 0, 0, 0, 1);
INSERT INTO ops.input_file (file_id, kind, filename, path, sha256, size_bytes, load_run_id)
SELECT id, 'exposure', id, id, id, 0, run FROM (VALUES (11, 1), (12, 1), (13, 1), (14, 3)) AS f (id, run);
INSERT INTO roman.exposure (
    exposure_id, file_id, visit_id, exposure, detector, optical_element, field_id, ra, dec, footprint,
    midpoint_mjd_utc, midpoint_mjd_tdb, midpoint_bjd_tdb, observatory_source, day_mjd, n_x, n_y, njy_per_unit,
    fraction_usable, fraction_saturated, median_background, background_noise, exposure_start_time,
    exposure_end_time, load_run_id
)
SELECT id, file, '', id, 'WFI07', 'F146', 1, 0, 0, '{}', id, id, id, '', id,
       1, 1, 1, 1, 0, 0, 0, now(), now(), 1
FROM (VALUES (101, 11), (102, 12), (103, 14)) AS e (id, file);
INSERT INTO roman.light_curve_block (
    block_id, field_id, detector, optical_element, photometry_kind, start_mjd, end_mjd, n_epoch, exposure_id,
    midpoint_mjd_tdb, midpoint_bjd_tdb, n_object, catalog_version_id, load_run_id
)
SELECT id, 1, 'WFI07', 'F146', 'psf', 101, 105, cardinality(exposures), exposures,
       exposures, exposures, 2, 1, id
FROM (VALUES (1, '{101,102}'::int[]), (2, '{103,102,104}')) AS b (id, exposures);
CREATE TABLE roman_partition.filled PARTITION OF roman.light_curve_segment FOR VALUES FROM (96) TO (104);
INSERT INTO roman.light_curve_segment (object_id, block_id, start_mjd, flux, flux_err)
VALUES (1, 1, 101, '{1,NaN}', '{1,NaN}'), (2, 1, 101, '{1,2}', '{1,1}');
"""


@pytest.mark.heavy
def test_refined_light_curves_can_be_taken_back_while_there_are_none(database):
    """0022: and stored again; with some in the database it is refused, and nothing changes."""
    write_days(2)
    before = points()
    command.downgrade(migrate.alembic_config(), _before("0022"))
    assert execute(database, "SELECT to_regclass('roman.event_refinement')") == [(None,)]
    migrate.upgrade()
    assert points() == before
    command.check(migrate.alembic_config())
    write_days(1, series=1, photometry_kind="refined")
    before = points()
    with pytest.raises(IntegrityError, match="photometry_kind_check"):
        command.downgrade(migrate.alembic_config(), _before("0022"))
    assert points() == before


@pytest.mark.heavy
def test_runs_of_before_the_reckoning_stay_as_they_are(bare_database):
    """0004: what they were given is not known, but for the files that they loaded; new runs are reckoned."""
    migrate.upgrade(_before("0004"))
    columns = "task, arguments, state, code_version, schema_version, host, pid"
    run = f"INSERT INTO ops.load_run ({columns}, {{}}) VALUES "
    file = "INSERT INTO ops.input_file (kind, filename, path, sha256, size_bytes, load_run_id) VALUES "
    execute(
        bare_database,
        run.format("n_read, n_loaded, n_rejected")
        + "('load exposure', '{}', 'succeeded', '0.1.0', '1', 'h', 1, 3, 2, 1), "
        "('run daily', '{}', 'failed', '0.1.0', '1', 'h', 1, 0, 0, 0)",
        file + "('exposure', 'a', '/in/a', 'aa', 5, 1), ('exposure', 'b', '/in/b', 'bb', 6, 1)",
        # The same path with another content, which replaced the first.
        file + "('exposure', 'b', '/in/b', 'cc', 7, 1)",
        "INSERT INTO ops.task_run (mode, task, unit, state, load_run_id) "
        "VALUES ('daily', 'psf', 'u', 'succeeded', 2), ('daily', 'psf', 'v', 'failed', 2)",
    )
    migrate.upgrade()
    counts = "SELECT load_run_id, state, n_expected, n_read, n_failed_unit FROM ops.run_overview ORDER BY 1"
    assert execute(bare_database, counts) == [(1, "succeeded", None, 3, 0), (2, "failed", None, 0, 1)]
    attempts = "SELECT unit, state, arguments, n_expected, n_read FROM ops.task_run ORDER BY 1"
    assert execute(bare_database, attempts) == [
        ("u", "succeeded", None, None, 0),
        ("v", "failed", None, None, 0),
    ]
    inputs = (
        "SELECT load_run_id, role, path, sha256, size_bytes, file_id FROM ops.load_run_input ORDER BY path"
    )
    assert execute(bare_database, inputs) == [
        (1, "exposure", "/in/a", "aa", 5, 1),
        (1, "exposure", "/in/b", "cc", 7, 3),
    ]
    ours = run.format("n_expected") + "('load', '{{}}', '{}', '1', '1', 'h', 1, 1)"
    execute(bare_database, ours.format("failed"))
    for state in ("succeeded", "partly_failed"):
        with pytest.raises(CheckViolation, match="all_accounted_for"):
            execute(bare_database, ours.format(state))


@pytest.mark.heavy
def test_models_that_were_stored_have_no_posterior_and_go_back_as_they_were(bare_database):
    """0023: what was not sampled is empty; values and errors are not touched, either way."""
    migrate.upgrade(_before("0023"))
    execute(
        bare_database,
        "SET session_replication_role = replica; "
        "INSERT INTO roman.event_model (event_id, rank, name, n_lens, n_source, has_finite_source, "
        "has_parallax, chi2, n_point, n_parameter, bic, is_converged, software, load_run_id) "
        "VALUES (1, 1, '1L1S', 1, 1, false, false, 10, 12, 5, 20, true, 's', 1); "
        "INSERT INTO roman.event_model_parameter (event_model_id, name, value, err) "
        "SELECT event_model_id, 'u_0', 0.5, 0.1 FROM roman.event_model",
    )
    both = "roman.event_model m JOIN roman.event_model_parameter p USING (event_model_id)"
    stored = f"SELECT m.*, p.* FROM {both}"
    before = execute(bare_database, stored)
    migrate.upgrade()
    columns = "posterior_method, n_effective, value_lower, value_median, value_upper, value, err"
    assert execute(bare_database, f"SELECT {columns} FROM {both}") == [(*[None] * 5, 0.5, 0.1)]
    command.downgrade(migrate.alembic_config(), _before("0023"))
    assert execute(bare_database, stored) == before


def _before(revision):
    """Revision that comes before another."""
    return ScriptDirectory.from_config(migrate.alembic_config()).get_revision(revision).down_revision


_PARTITIONS = """
SELECT relname, relowner, relacl::text FROM pg_class
WHERE relnamespace = 'roman_partition'::regnamespace ORDER BY 1
"""
