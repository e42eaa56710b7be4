"""kill -9 of PostgreSQL under a loader, of one session or all of it; then the same command again."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg2
import pytest

from roman_db.cluster import lifecycle
from roman_db.cluster.error import ClusterError
from roman_db.settings import Settings
from tests.faults.databases import State, template, url_of
from tests.faults.killed import Kill, Outcome, run
from tests.faults.rows import assert_same, stored_rows
from tests.faults.survey import DAYS, Survey
from tests.roman_db.cluster.conftest import settings_of, short_folder
from tests.roman_db.conftest import execute

#: What is run, and on which state.
COMMANDS: dict[str, tuple[State, Callable[[Survey], tuple[object, ...]]]] = {
    "load exposure": (State.NEW, lambda survey: ("load", "exposure", *survey.exposures()[:2])),
    "load catalog": (State.NEW, lambda survey: ("load", "catalog", survey.catalog)),
    "run daily": (
        State.LOADED,
        lambda survey: ("run", "daily", "--day", DAYS[0], "--optical-element", "F087"),
    ),
}


@dataclass(frozen=True)
class PrivateServer:
    """The server that ``roman-db`` runs for a user who configures nothing; a test may break it."""

    settings: Settings

    def url(self) -> str:
        """URL of the database, the server started if need be; one that recovers is waited for."""
        for _ in range(200):
            try:
                url = lifecycle.ensure_running(self.settings)
                execute(url, "SELECT 1")
            except (psycopg2.OperationalError, ClusterError):
                time.sleep(0.05)
            else:
                return url
        raise AssertionError("the server does not come back")

    def begin_with(self, survey: Survey, state: State) -> str:
        """Put the database into a state and return its URL."""
        url = self.url()
        server = url_of(url, "postgres")
        source = template(server, survey, state)
        execute(
            server, "DROP DATABASE IF EXISTS roman WITH (FORCE)", f"CREATE DATABASE roman TEMPLATE {source}"
        )
        # A copied sequence counts on WAL that its original wrote: after a crash it would give numbers twice.
        execute(server, "CHECKPOINT")
        return url_of(url, "roman")

    def run(self, arguments: tuple[object, ...], kill: Kill | None = None) -> Outcome:
        """Run a command on this server."""
        ours = self.settings
        environment = {"ROMAN_DB_HOME": str(ours.home), "ROMAN_DB_PG_BIN": str(ours.pg_bin)}
        environment |= {"ROMAN_DB_PG_MEMORY_MB": "256", "ROMAN_DB_WORKERS": "1"}
        return run(arguments, kill, **environment)


@pytest.fixture(scope="module")
def server() -> Iterator[PrivateServer]:
    """A private server with a home of its own."""
    with short_folder() as folder:
        private = PrivateServer(settings_of(folder / "home"))
        lifecycle.start(private.settings)
        yield private


@pytest.fixture(autouse=True)
def unconfigured(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server is configured."""
    monkeypatch.delenv("ROMAN_DB_URL", raising=False)


def check(server: PrivateServer, survey: Survey, command: str, victim: str, fractions: list[float]) -> None:
    """Kill at fractions of the steps of a command, each time beginning anew."""
    state, arguments = COMMANDS[command]
    url = server.begin_with(survey, state)
    whole = server.run(arguments(survey))
    assert whole.code == 0, whole
    undisturbed = stored_rows(url)
    for fraction in fractions:
        server.begin_with(survey, state)
        struck = server.run(arguments(survey), Kill(victim, round(whole.n_step * fraction)))
        # Sessions outlive the first process by a moment, in which the last commit may get through.
        assert struck.code == 1 or (victim == "server" and fraction == 1.0), struck
        with contextlib.suppress(psycopg2.OperationalError):  # the server may be down: the command sees to it
            execute(url, "SELECT 1")
        again = server.run(arguments(survey))
        assert again.code == 0, again
        assert_same(stored_rows(server.url()), undisturbed)
        lost = "SELECT count(*) FROM ops.load_run WHERE state = 'running' OR n_read <> n_loaded + n_rejected"
        assert execute(server.url(), lost) == [(0,)]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("victim", ["server", "backend"])
def test_killed_at_many_moments(server, survey, command, victim):
    check(server, survey, command, victim, [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])
