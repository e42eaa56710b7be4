"""Roles: what each may do, and that a connection has one no longer than it should."""

import pytest
import sqlalchemy as sa
from psycopg2.extensions import parse_dsn

from roman_db import migrate, session
from roman_db.session import Role

from .conftest import execute, point_at

_VIEWS = ["roman.light_curve", "roman.light_curve_array", "roman.astrometry_curve", "roman.shape_curve"]


def attempt(role, *statements):
    """Run statements as a role and roll them back; return the rows of the last."""
    with session.engine().connect() as connection, connection.begin() as transaction:
        connection.execute(sa.text(f"SET LOCAL ROLE {role}"))
        for statement in statements:
            result = connection.execute(sa.text(statement))
        rows = result.all() if result.returns_rows else []
        transaction.rollback()
        return rows


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO roman.survey VALUES ('s', 's')",
        "UPDATE roman.object SET ra = 0",
        "DELETE FROM roman.light_curve_block",
        "TRUNCATE roman.detector",
        "CREATE TABLE roman.mine (a integer)",
        "CREATE TABLE public.mine (a integer)",
        "DROP VIEW roman.light_curve",
        "SELECT * FROM ops.alembic_version",
        "SELECT ops.open_light_curve_block(61520)",
        "SELECT ops.drop_light_curve_partition(61520, 61528, 0)",
        "SELECT * FROM roman_partition.light_curve_segment_61520_61528_g0",
        "SELECT nextval('roman.light_curve_block_block_id_seq')",
        "SELECT lo_creat(0)",
        "SELECT lo_from_bytea(0, 'a')",
        "SELECT pg_logical_emit_message(false, 'a', 'a')",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
        "SELECT pg_read_file('PG_VERSION')",
        "CREATE EXTENSION dblink",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'roman_admin'",
    ],
)
def test_a_reader_only_reads(database, statement):
    with session.transaction() as connection:
        connection.execute(sa.text("SELECT ops.open_light_curve_block(61520)"))
    with pytest.raises(sa.exc.ProgrammingError, match=r"permission denied|must be (owner|(a )?superuser)"):
        attempt("roman_reader", statement)


def test_a_reader_may_read_large_objects_and_make_none(database):
    query = """
        SELECT DISTINCT proname FROM pg_proc WHERE proname ~ '^(lo_|lo(read|write)$)'
        AND has_function_privilege('roman_reader', oid, 'EXECUTE') ORDER BY 1
    """
    harmless = ["lo_close", "lo_get", "lo_lseek", "lo_lseek64", "lo_open", "lo_tell", "lo_tell64", "loread"]
    assert [name for (name,) in execute(database, query)] == harmless


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE roman.object",
        "DROP TABLE roman_partition.light_curve_segment_61520_61528",
        "ALTER TABLE roman.object ADD COLUMN a integer",
        "TRUNCATE roman.light_curve_segment",
        "DELETE FROM roman.object",
        "DELETE FROM roman.exposure",
        "DELETE FROM ops.load_run",
        "UPDATE ops.alembic_version SET version_num = 'x'",
        "DELETE FROM ops.light_curve_partition",
        "UPDATE roman_partition.light_curve_segment_61520_61528_g0 SET start_mjd = 0",
        "CREATE TABLE roman.mine (a integer)",
        "CREATE TABLE roman_partition.mine (a integer)",
        "CREATE ROLE someone",
        "SELECT ops.add_light_curve_generation(61520, 61528)",
        "SELECT ops.attach_light_curve_partition('object', 'roman.object', 'a', '1', '2', NULL)",
    ],
)
def test_a_loader_writes_rows_and_changes_no_table(database, statement):
    with session.transaction() as connection:
        connection.execute(sa.text("SELECT ops.open_light_curve_block(61520)"))
    with pytest.raises(sa.exc.ProgrammingError, match=r"permission denied|must be owner"):
        attempt("roman_loader", statement)


def test_a_loader_cannot_drop_a_partition_in_use(database):
    """The function that drops looks first."""
    execute(database, "SELECT ops.open_light_curve_block(61520)", *_BLOCK)
    for generation in ("NULL", "0"):
        with session.transaction() as connection:
            connection.execute(sa.text(f"SELECT ops.drop_light_curve_partition(61520, 61528, {generation})"))
    rows = "SELECT count(*) FROM roman_partition.light_curve_segment_61520_61528_g0"
    assert execute(database, rows) == [(0,)]


_BLOCK = (
    """
    INSERT INTO ops.load_run (task, arguments, code_version, schema_version, host, pid)
    VALUES ('t', '{}', '', '', '', 1)
    """,
    """
    INSERT INTO roman.catalog_version (name, n_new, n_changed, n_unchanged, n_merged, load_run_id)
    SELECT 'v', 0, 0, 0, 0, load_run_id FROM ops.load_run
    """,
    """
    INSERT INTO roman.light_curve_block (
        field_id, detector, optical_element, photometry_kind, start_mjd, end_mjd, n_epoch, exposure_id,
        file_id, psf_model_id, midpoint_mjd_tdb, midpoint_bjd_tdb, n_object, n_point, catalog_version_id,
        load_run_id
    )
    SELECT 1, 'WFI01', 'F146', 'psf', 61520, 61521, 0, '{}', '{}', '{}', '{}', '{}', 0, 0, catalog_version_id,
           load_run_id
    FROM roman.catalog_version
    """,
)


@pytest.mark.parametrize(
    ("statement", "is_done"),
    [
        ("ALTER TABLE roman.object ADD COLUMN a integer", "SELECT count(a) = 0 FROM roman.object"),
        (
            "DROP TABLE roman.light_curve_summary CASCADE",
            "SELECT to_regclass('roman.light_curve_summary') IS NULL",
        ),
        ("CREATE TABLE roman.mine (a integer)", "SELECT count(*) = 0 FROM roman.mine"),
        (
            "DROP TABLE roman_partition.light_curve_segment_61520_61528_g0",
            "SELECT to_regclass('roman_partition.light_curve_segment_61520_61528_g0') IS NULL",
        ),
        (
            "UPDATE ops.alembic_version SET version_num = 'x'",
            "SELECT version_num = 'x' FROM ops.alembic_version",
        ),
        (
            "CREATE OR REPLACE FUNCTION roman.ab_magnitude(flux double precision) RETURNS double precision "
            "LANGUAGE sql AS 'SELECT 1.0::float8'",
            "SELECT roman.ab_magnitude(7.0) = 1",
        ),
    ],
)
def test_the_owner_may_change_everything(database, statement, is_done):
    with session.transaction() as connection:
        connection.execute(sa.text("SELECT ops.open_light_curve_block(61520)"))
    assert attempt("roman_owner", statement, is_done) == [(True,)]


def test_the_reader_alone_can_log_in_without_a_password_and_none_is_a_superuser(database):
    roles = "FROM pg_authid WHERE rolname IN ('roman_owner', 'roman_loader', 'roman_reader')"
    assert execute(database, f"SELECT rolname {roles} AND rolcanlogin") == [("roman_reader",)]
    rights = "rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
    query = f"SELECT rolname {roles} AND (rolpassword IS NOT NULL OR {rights})"
    assert execute(database, query) == []


def test_what_acts_with_its_owners_rights_has_the_owners_and_a_fixed_search_path(database):
    query = """
        SELECT oid::regprocedure FROM pg_proc
        WHERE prosecdef AND pronamespace IN ('roman'::regnamespace, 'ops'::regnamespace)
          AND (proowner <> 'roman_owner'::regrole
               OR proconfig IS DISTINCT FROM ARRAY['search_path=pg_catalog, pg_temp'])
    """
    assert execute(database, query) == []


@pytest.mark.parametrize("view", _VIEWS)
def test_a_reader_may_use_every_view(database, view):
    with session.reading() as connection:
        assert connection.execute(sa.text(f"SELECT * FROM {view}")).all() == []


def test_a_reader_may_read_every_science_table_and_function(database):
    with session.reading() as connection:
        for name in sa.inspect(session.engine()).get_table_names("roman"):
            connection.execute(sa.text(f"SELECT * FROM roman.{name} LIMIT 1"))
        connection.execute(sa.text("SELECT * FROM roman.object_at(1)"))
        assert connection.execute(sa.text("SELECT roman.season_start('gbtds', 1)")).scalar_one() == 61448


def test_connections_act_as_their_role_until_the_transaction_ends(database):
    who = sa.text("SELECT current_user")
    with session.transaction() as connection:
        assert connection.execute(who).scalar_one() == "roman_loader"
    with session.reading() as connection:
        assert connection.execute(who).scalar_one() == "roman_reader"
    with session.transaction(Role.OWNER) as connection:
        assert connection.execute(who).scalar_one() == "roman_admin"
    with session.engine().connect() as connection:
        assert connection.execute(who).scalar_one() == "roman_admin"


def test_reading_writes_nothing_whoever_reads(database):
    with session.reading(Role.OWNER) as connection, pytest.raises(sa.exc.InternalError, match="read-only"):
        connection.execute(sa.text("INSERT INTO roman.survey VALUES ('s', 's')"))
    with session.transaction(Role.OWNER) as connection:
        connection.execute(sa.text("INSERT INTO roman.survey VALUES ('s', 's')"))


def test_reading_sees_one_state(database):
    query = sa.text("SELECT count(*) FROM roman.survey")
    with session.reading() as connection:
        before = connection.execute(query).scalar_one()
        with session.transaction() as writer:
            writer.execute(sa.text("INSERT INTO roman.survey VALUES ('s', 's')"))
        assert connection.execute(query).scalar_one() == before


def test_an_exception_rolls_back(database):
    twice = [{"survey": "s", "description": "s"}] * 2
    with pytest.raises(sa.exc.IntegrityError), session.transaction() as connection:
        connection.execute(sa.text("INSERT INTO roman.survey VALUES (:survey, :description)"), twice)
    assert execute(database, "SELECT count(*) FROM roman.survey WHERE survey = 's'") == [(0,)]


def test_a_connection_that_the_server_closed_is_replaced(database):
    with session.transaction() as connection:
        connection.execute(sa.text("SELECT 1"))
    execute(database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                      "WHERE datname = current_database() AND pid <> pg_backend_pid()")  # fmt: skip
    with session.transaction() as connection:
        assert connection.execute(sa.text("SELECT 1")).scalar_one() == 1


def test_times_are_in_utc(database):
    with session.reading() as connection:
        assert connection.execute(sa.text("SHOW timezone")).scalar_one() == "UTC"


@pytest.fixture
def ordinary_account(cluster_url, empty_database, monkeypatch):
    """An account that is no superuser but a member of the owner's role, and owns a database with q3c."""
    execute(empty_database, "CREATE EXTENSION q3c")
    name = sa.make_url(empty_database).database
    roles = "roman_owner, roman_loader, roman_reader"
    execute(
        cluster_url,
        f"CREATE ROLE ordinary LOGIN PASSWORD 'x' IN ROLE {roles}",
        f"ALTER DATABASE {name} OWNER TO ordinary",
        f"GRANT CREATE ON DATABASE {name} TO roman_owner",
    )
    yield sa.make_url(empty_database).set(username="ordinary", password="x")
    session.engine().dispose()
    execute(
        empty_database,
        "REASSIGN OWNED BY ordinary TO roman_admin",
        "DROP OWNED BY ordinary",
        "DROP ROLE ordinary",
    )


@pytest.mark.heavy
def test_an_account_that_is_no_superuser_upgrades_and_loads(ordinary_account, upgraded_template, monkeypatch):
    point_at(ordinary_account.render_as_string(False), monkeypatch)
    migrate.upgrade()
    migrate.upgrade()
    with session.transaction() as connection:
        connection.execute(sa.text("SELECT ops.open_light_curve_block(61520)"))
    with session.reading() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM roman.light_curve")).scalar_one() == 0


@pytest.mark.parametrize(("own", "idle"), [("", "8"), ("keepalives_idle=60", "60")])
def test_connections_of_hosts_that_are_cut_off_are_given_up(database, monkeypatch, own, idle):
    """Unless the address says otherwise before a worker counts as dead, after 30 s."""
    url = sa.make_url(database)
    point_at(url.update_query_string(own).render_as_string(hide_password=False), monkeypatch)
    address = parse_dsn(session.libpq_address("queue"))
    assert [address[f"keepalives_{name}"] for name in ("idle", "interval", "count")] == [idle, "4", "4"]
    for name, value in (("idle", 8), ("interval", 4), ("count", 4)):
        assert f"-c tcp_keepalives_{name}={value}" in address["options"]
