import os
import pwd
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import psycopg2
import pytest
import sqlalchemy as sa

from roman_db.cluster import lifecycle
from roman_db.cluster.lifecycle import ClusterStatus

from .conftest import installation, settings_of


@pytest.fixture
def psql(settings):
    """Run psql, as another user of the system if one is named."""

    def run(url, user=None, password=None):
        environment = installation().environment | ({"PGPASSWORD": password} if password else {})
        return subprocess.run(
            [installation().bin / "psql", "--no-password", "-Atc", "SELECT current_user", url],
            env=environment,
            user=user,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_new_home_gets_a_cluster_with_q3c_checksums_and_plain_utf8(folder, ask):
    url = lifecycle.ensure_running(settings_of(folder / "a new/home"))
    assert ask(url, "SELECT q3c_ang2ipix(266.4, -29.0) IS NOT NULL, current_database()") == [(True, "roman")]
    assert ask(url, "SELECT usesuper FROM pg_user WHERE usename = current_user") == [(True,)]
    names = "'data_checksums', 'server_encoding', 'jit', 'listen_addresses', 'TimeZone'"
    shown = dict(ask(url, f"SELECT name, setting FROM pg_settings WHERE name IN ({names})"))
    assert shown == {
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "jit": "off",
        "listen_addresses": "",
        "TimeZone": "GMT",
    }
    assert ask(url, "SELECT datcollate, datctype FROM pg_database WHERE datname = 'roman'") == [("C", "C")]
    assert not [path for path in (folder / "a new/home").iterdir() if "unfinished" in path.name]


def test_dump_of_the_database_creates_its_extension(settings):
    dump = [installation().bin / "pg_dump", "--schema-only", lifecycle.ensure_running(settings)]
    done = subprocess.run(
        dump, env=installation().environment, cwd="/", capture_output=True, text=True, check=True
    )
    assert "CREATE EXTENSION IF NOT EXISTS q3c" in done.stdout


def test_running_server_is_used_again(settings):
    url = lifecycle.ensure_running(settings)
    first = lifecycle.status(settings)
    assert lifecycle.ensure_running(settings) == url
    assert lifecycle.start(settings) == first == lifecycle.status(settings)


def test_no_process_is_started_while_the_server_runs(settings, monkeypatch):
    url = lifecycle.ensure_running(settings)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a process was started"))
    monkeypatch.setattr(psutil, "process_iter", lambda *_: pytest.fail("all processes were looked at"))
    assert lifecycle.ensure_running(settings) == url


def test_url_of_a_server_is_taken_as_it_is(folder):
    url = "postgresql://someone@db.example/science"
    assert lifecycle.ensure_running(settings_of(folder / "home", url=url)) == url
    assert not (folder / "home").exists()


def test_status_tells_absent_stopped_and_running(folder, settings):
    nowhere = settings_of(folder / "nowhere")
    assert lifecycle.status(nowhere) == ClusterStatus("absent", nowhere.home, nowhere.home / "server.log")
    assert lifecycle.status(settings).state == "stopped"
    lifecycle.start(settings)
    found = lifecycle.status(settings)
    assert (found.state, found.tcp_address) == ("running", None)
    assert psutil.Process(found.pid).name().startswith("postgres")
    assert found.socket.is_socket()
    assert timedelta() <= datetime.now(UTC) - found.started < timedelta(minutes=1)


def test_stop_ends_every_process_and_may_be_repeated(settings, ask):
    url = lifecycle.ensure_running(settings)
    ask(url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)")
    assert lifecycle.stop(settings) is True
    assert lifecycle.status(settings).state == "stopped"
    assert lifecycle.stop(settings) is False
    assert lifecycle.stop(settings_of(settings.home / "nowhere")) is False
    assert ask(lifecycle.ensure_running(settings), "SELECT n FROM kept") == [(7,)]


def test_stop_does_not_wait_for_open_sessions(settings):
    connection = psycopg2.connect(lifecycle.ensure_running(settings))
    connection.cursor().execute("SELECT 1")
    assert lifecycle.stop(settings, "fast") is True
    connection.close()


@pytest.mark.parametrize("name", ["home", "a " + 120 * "long" + " home", 'o\'clock, "the" home'])
def test_any_folder_name_will_do(folder, finished_home, ask, name):
    long = folder / name[:200]
    subprocess.run(["cp", "-a", finished_home, long], check=True)
    url = lifecycle.ensure_running(settings_of(long))
    assert ask(url, "SELECT 1") == [(1,)]
    with sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg2")).connect() as connection:
        assert connection.exec_driver_sql("SELECT current_database()").scalar() == "roman"
        connection.engine.dispose()
    found = lifecycle.status(settings_of(long))
    assert len(os.fsencode(found.socket)) <= 103
    lifecycle.stop(settings_of(long))
    if not found.socket.is_relative_to(long):
        found.socket.parent.rmdir()


def test_nobody_gets_in_over_tcp_without_the_password(home, free_port, psql):
    found = lifecycle.start(settings_of(home, pg_port=free_port))
    assert found.tcp_address == f"127.0.0.1:{free_port}"
    over_tcp = f"postgresql://roman_admin@127.0.0.1:{free_port}/roman"
    assert "no password supplied" in psql(over_tcp).stderr
    assert "authentication failed" in psql(over_tcp, password="guessed").stderr
    assert psql(f"{over_tcp}?passfile={home}/passfile").stdout == "roman_admin\n"
    assert (home / "passfile").stat().st_mode & 0o777 == 0o600


def test_only_the_loopback_interface_listens(home, free_port):
    server = psutil.Process(lifecycle.start(settings_of(home, pg_port=free_port)).pid)
    listening = {
        connection.laddr for connection in server.net_connections("inet") if connection.status == "LISTEN"
    }
    assert listening == {("127.0.0.1", free_port)}


def test_nothing_listens_on_tcp_unless_asked(settings):
    server = psutil.Process(lifecycle.start(settings).pid)
    assert server.net_connections("inet") == []


def test_other_roles_need_a_password_on_the_socket(settings, ask, psql):
    url = lifecycle.ensure_running(settings)
    ask(url, "CREATE ROLE guest LOGIN PASSWORD 'guest-secret'")
    as_guest = url.replace("roman_admin@", "guest@")
    assert "no password supplied" in psql(as_guest).stderr
    assert psql(as_guest, password="guest-secret").stdout == "guest\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_other_users_of_the_system_are_kept_out(settings, psql):
    url = lifecycle.ensure_running(settings)
    found = lifecycle.status(settings)
    assert "Permission denied" in psql(url, user="nobody").stderr
    found.socket.parent.chmod(0o755)
    found.socket.chmod(0o777)
    refusal = psql(url.partition("&requirepeer")[0], user="nobody").stderr
    assert "Peer authentication failed" in refusal


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
def test_root_runs_it_as_an_ordinary_user(settings):
    server = psutil.Process(lifecycle.start(settings).pid)
    assert server.username() == pwd.getpwuid((settings.home / "cluster").stat().st_uid).pw_name != "root"


def test_url_refuses_a_server_of_another_user(settings):
    url = lifecycle.ensure_running(settings)
    impostor = url.replace("requirepeer=", "requirepeer=not-")
    with pytest.raises(psycopg2.OperationalError, match="requirepeer"):
        psycopg2.connect(impostor)


def test_configuration_has_no_setting_that_postgresql_rejects(settings, ask):
    url = lifecycle.ensure_running(settings)
    files = ask(url, "SELECT name, error FROM pg_file_settings WHERE error IS NOT NULL")
    rules = ask(url, "SELECT line_number, error FROM pg_hba_file_rules WHERE error IS NOT NULL")
    assert files == rules == []
    assert ask(url, "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method = ANY('{trust,ident}')") == [
        (0,)
    ]


def test_operators_own_setting_wins(settings, ask):
    url = lifecycle.ensure_running(settings)
    ask(url, "ALTER SYSTEM SET work_mem = '5MB'")
    lifecycle.stop(settings)
    assert ask(lifecycle.ensure_running(settings), "SHOW work_mem") == [("5MB",)]


def test_long_log_is_put_aside(settings):
    log = settings.home / "server.log"
    log.write_bytes(b"x" * (11 * 1024**2))
    lifecycle.start(settings)
    assert (settings.home / "server.log.1").stat().st_size == 11 * 1024**2
    assert "ready to accept connections" in log.read_text()


def test_many_threads_start_one_server(settings):
    urls = []
    threads = [
        threading.Thread(target=lambda: urls.append(lifecycle.ensure_running(settings))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(urls) == 4
    assert len(set(urls)) == 1
    assert (
        Path(settings.home / "server.log").read_text().count("starting PostgreSQL") == 2
    )  # one made the copy
