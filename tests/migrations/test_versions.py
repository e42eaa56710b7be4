"""Migrations: one line of them, and data that come through every one."""

import pytest
from alembic.script import ScriptDirectory
from psycopg2.errors import UniqueViolation

from loaders.compaction.load import drop_retired
from roman_db import migrate
from tests.loaders.compaction.runs import compact
from tests.loaders.light_curve.synthetic import points, write_days
from tests.roman_db.conftest import execute


def test_there_is_one_line_of_revisions():
    scripts = ScriptDirectory.from_config(migrate.alembic_config())
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1
    assert all(not script.is_merge_point for script in scripts.walk_revisions())


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


_PARTITIONS = """
SELECT relname, relowner, relacl::text FROM pg_class
WHERE relnamespace = 'roman_partition'::regnamespace ORDER BY 1
"""
