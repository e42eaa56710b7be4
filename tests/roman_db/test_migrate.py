"""The stored schema: made from nothing, brought forward, and by two at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic import command

from roman_db import migrate, session
from roman_db.schema.metadata import metadata
from roman_db.schema.model import POSTGRESQL_SCHEMAS

from .conftest import execute, forget, point_at


def snapshot(url: str) -> list[tuple]:
    """Every relation, column, constraint, index, function, view and grant of our schemas."""
    return execute(
        url,
        """
        SELECT 'column', format('%s.%s.%s', table_schema, table_name, column_name), data_type || is_nullable
        FROM information_schema.columns WHERE table_schema IN ('roman', 'ops', 'uws', 'roman_partition')
        UNION ALL SELECT 'index', indexdef, '' FROM pg_indexes WHERE schemaname IN ('roman', 'ops', 'uws')
        UNION ALL SELECT 'constraint', conname || conrelid::regclass, pg_get_constraintdef(oid)
        FROM pg_constraint
        WHERE connamespace IN ('roman'::regnamespace, 'ops'::regnamespace, 'uws'::regnamespace)
        UNION ALL SELECT 'function', oid::regprocedure::text, prosrc || proacl::text || proowner::regrole
        FROM pg_proc WHERE pronamespace IN ('roman'::regnamespace, 'ops'::regnamespace, 'uws'::regnamespace)
        UNION ALL SELECT 'relation', oid::regclass::text, relowner::regrole || coalesce(relacl::text, '')
        FROM pg_class WHERE relnamespace IN ('roman'::regnamespace, 'ops'::regnamespace, 'uws'::regnamespace)
        UNION ALL SELECT 'view', format('%s.%s', schemaname, viewname), definition
        FROM pg_views WHERE schemaname IN ('roman', 'ops', 'uws')
        ORDER BY 1, 2, 3
        """,
    )


def test_an_empty_database_becomes_what_the_descriptions_say(bare_database):
    migrate.upgrade()
    with session.engine().connect() as connection:
        present = {f"{s}.{t}" for s in POSTGRESQL_SCHEMAS for t in sa.inspect(connection).get_table_names(s)}
    assert present - {"ops.alembic_version"} == set(metadata().tables)
    command.check(migrate.alembic_config())


def test_alembic_check_notices_a_difference(database):
    execute(database, "ALTER TABLE roman.object ADD COLUMN stray integer")
    with pytest.raises(Exception, match="stray"):
        command.check(migrate.alembic_config())


@pytest.mark.heavy
def test_a_missing_database_is_made(cluster_url, monkeypatch):
    point_at(sa.make_url(cluster_url).set(database="made_here").render_as_string(False), monkeypatch)
    try:
        migrate.ensure_current()
        command.check(migrate.alembic_config())
    finally:
        forget()
        execute(cluster_url, "DROP DATABASE IF EXISTS made_here WITH (FORCE)")


def test_upgrading_twice_changes_nothing(database):
    before = snapshot(database)
    migrate.upgrade()
    assert snapshot(database) == before


def test_a_current_database_is_left_alone(database, monkeypatch):
    monkeypatch.setattr(migrate, "upgrade", lambda: pytest.fail("there was nothing to upgrade"))
    migrate.ensure_current()


def test_a_database_of_a_later_release_is_refused_and_stays_as_it_is(database):
    execute(database, "UPDATE ops.alembic_version SET version_num = '9999'")
    before = snapshot(database)
    with pytest.raises(migrate.LaterRelease, match="9999"):
        migrate.ensure_current()
    assert snapshot(database) == before


@pytest.mark.heavy
@pytest.mark.parametrize("exists", [True, False], ids=["empty", "missing"])
def test_two_upgrades_at_once(cluster_url, monkeypatch, exists):
    name = f"upgraded_at_once_{exists}".lower()
    if exists:
        execute(cluster_url, f"CREATE DATABASE {name}")
    point_at(sa.make_url(cluster_url).set(database=name).render_as_string(False), monkeypatch)
    try:
        with ThreadPoolExecutor(3) as pool:
            upgrades = [pool.submit(migrate.upgrade) for _ in range(3)]
        assert [upgrade.exception() for upgrade in upgrades] == [None, None, None]
        command.check(migrate.alembic_config())
    finally:
        forget()
        execute(cluster_url, f"DROP DATABASE {name} WITH (FORCE)")


def test_an_operators_change_survives_and_a_definition_is_restored(database):
    execute(
        database,
        "UPDATE ops.quality_limit SET upper = 99 WHERE metric = 'scatter_ratio'",
        "UPDATE ops.light_curve_layout SET window_days = 4, sky_cut = '{100, 200}'",
        "INSERT INTO roman.survey (survey, description) VALUES ('mine', 'another layout')",
        "UPDATE roman.photometry_flag SET name = 'wrong' WHERE bit = 0",
        "DELETE FROM roman.photometry_flag WHERE bit = 1",
    )
    migrate.upgrade()
    asked = """
        SELECT (SELECT upper FROM ops.quality_limit WHERE metric = 'scatter_ratio'),
               (SELECT (window_days, sky_cut)::text FROM ops.light_curve_layout),
               (SELECT count(*) FROM roman.survey WHERE survey = 'mine'),
               (SELECT array_agg(name ORDER BY bit) FROM roman.photometry_flag WHERE bit < 2)
    """
    assert execute(database, asked) == [(99, '(4,"{100,200}")', 1, ["SATURATED", "MASKED"])]


def test_views_that_build_on_views_do_not_stop_an_upgrade(database):
    execute(
        database,
        "CREATE VIEW roman.a_first AS SELECT object_id FROM roman.light_curve",
        "CREATE VIEW roman.z_last AS SELECT object_id FROM roman.a_first",
    )
    migrate.upgrade()
    assert execute(database, "SELECT to_regclass('roman.light_curve') IS NOT NULL") == [(True,)]


def test_a_failing_migration_leaves_the_database_as_it_was(database, monkeypatch):
    before = snapshot(database)

    def fail(connection):
        raise RuntimeError("in the middle")

    monkeypatch.setattr(migrate, "after_migrations", fail)
    with pytest.raises(RuntimeError, match="in the middle"):
        migrate.upgrade()
    assert snapshot(database) == before
