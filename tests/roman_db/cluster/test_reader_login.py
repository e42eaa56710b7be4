"""The reader's login on the private server: there from the start, and given to those of earlier releases."""

import socket
import threading

import psycopg2
import pytest
import sqlalchemy as sa

from roman_db import session
from roman_db.cluster import lifecycle
from roman_db.query.statement import parse
from roman_db.query.stream import Request, open_result

from ..conftest import forget
from .conftest import settings_of

#: Who could connect before readers had a login.
_EARLIER_ACCESS = """\
local   all       roman_admin                  peer map=roman_db
local   all       all                          scram-sha-256
host    all       all           127.0.0.1/32   scram-sha-256
"""


@pytest.fixture
def private(home, settings, monkeypatch):
    """Have ``roman_db`` use the private server of a home; its administrator's URL."""
    for name in ("URL", "READER_URL"):
        monkeypatch.delenv(f"ROMAN_DB_{name}", raising=False)
    monkeypatch.setenv("ROMAN_DB_HOME", str(home))
    monkeypatch.setenv("ROMAN_DB_PG_BIN", str(settings.pg_bin))
    monkeypatch.setenv("ROMAN_DB_PG_MEMORY_MB", "256")
    forget()
    yield lifecycle.ensure_running(settings)
    forget()


def make_earlier(url, home, ask, role):
    """Turn a running server into one that an earlier release has made and started."""
    ask(url, "DROP ROLE roman_reader", *role)
    for name, text in (("pg_hba.conf", _EARLIER_ACCESS), ("pg_ident.conf", "roman_db root roman_admin\n")):
        with (home / "cluster" / name).open("w") as file:  # in place: the server's account owns it
            file.write(text if name == "pg_hba.conf" else text + "roman_db postgres roman_admin\n")
    ask(url, "SELECT pg_reload_conf()")


def who_reads():
    with session.reading() as connection:
        return connection.execute(sa.text("SELECT session_user, current_user")).one()


def test_a_new_server_lets_readers_in(private):
    assert who_reads() == ("roman_reader", "roman_reader")
    with open_result(Request(parse("SELECT session_user::text AS a"))) as result:
        assert [row for batch in result.batches for row in batch.to_pylist()] == [{"a": "roman_reader"}]


@pytest.mark.parametrize("role", [(), ("CREATE ROLE roman_reader NOLOGIN",)], ids=["no role", "no login"])
def test_a_server_that_an_earlier_release_started_lets_readers_in(private, home, ask, role):
    make_earlier(private, home, ask, role)
    assert who_reads() == ("roman_reader", "roman_reader")
    # and without further ado from then on
    session.reader_engine.cache_clear()
    assert who_reads() == ("roman_reader", "roman_reader")


def test_many_readers_come_to_an_earlier_server_at_once(private, home, ask):
    make_earlier(private, home, ask, ("CREATE ROLE roman_reader NOLOGIN",))
    found, engines = [], [None] * 4

    def read(number):
        engines[number] = session._private_reader_engine()
        with engines[number].connect() as connection:
            found.append(connection.exec_driver_sql("SELECT session_user").scalar_one())

    session.engine()
    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for engine in engines:
        engine.dispose()
    assert found == ["roman_reader"] * 4


def test_what_keeps_readers_out_is_told(private, home, ask):
    """Such as a database that is not there."""
    session.reader_engine.cache_clear()
    ask(private.replace("/roman?", "/postgres?"), "DROP DATABASE roman WITH (FORCE)")
    with pytest.raises(sa.exc.OperationalError, match='database "roman" does not exist'):
        who_reads()


def test_nobody_reads_over_tcp_without_a_password(home):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lifecycle.start(settings_of(home, pg_port=port))
    for password in ("", "roman_reader"):
        with pytest.raises(psycopg2.OperationalError, match="password"):
            psycopg2.connect(f"host=127.0.0.1 port={port} user=roman_reader dbname=roman password={password}")
