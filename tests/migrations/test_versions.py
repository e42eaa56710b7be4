"""Migrations: one line of them, and data that come through every one."""

from alembic.script import ScriptDirectory

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


_PARTITIONS = """
SELECT relname, relowner, relacl::text FROM pg_class
WHERE relnamespace = 'roman_partition'::regnamespace ORDER BY 1
"""
