"""Databases in the states that tests begin with, each made once a worker and then copied."""

from __future__ import annotations

import enum
import functools
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from roman_db import migrate
from tests.faults.command_line import succeed
from tests.faults.survey import Survey
from tests.roman_db.conftest import execute, forget, point_at

_count = itertools.count()


class State(enum.Enum):
    """What has been done to a database."""

    NEW = "nothing is loaded"
    LOADED = "exposures and catalog are loaded"
    PHOTOMETERED = "the daily mode has run, too"


def _load(survey: Survey) -> None:
    succeed("load", "exposure", survey.folder)
    succeed("load", "catalog", survey.catalog)


def _photometer(survey: Survey) -> None:
    succeed("run", "daily")


@functools.cache
def template(server: str, survey: Survey, state: State) -> str:
    """Name of a database in a state; it goes with the server at the end of the test run."""
    name = f"state_{os.getpid()}_{next(_count)}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROMAN_DB_WORKERS", "1")
        if state is State.NEW:
            point_at(url_of(server, name), patch)
            migrate.upgrade()
        else:
            before, step = {
                State.LOADED: (State.NEW, _load),
                State.PHOTOMETERED: (State.LOADED, _photometer),
            }[state]
            execute(server, f"CREATE DATABASE {name} TEMPLATE {template(server, survey, before)}")
            point_at(url_of(server, name), patch)
            step(survey)
        forget()
    return name


@contextmanager
def copied(server: str, survey: Survey, state: State, patch: pytest.MonkeyPatch) -> Iterator[str]:
    """URL of a database of the test's own in a state, which ``roman_db`` uses, in one process."""
    source, name = template(server, survey, state), f"copy_{os.getpid()}_{next(_count)}"
    execute(server, f"CREATE DATABASE {name} TEMPLATE {source}")
    point_at(url_of(server, name), patch)
    patch.setenv("ROMAN_DB_WORKERS", "1")
    yield url_of(server, name)
    forget()
    execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def url_of(server: str, name: str) -> str:
    """URL of another database of a server."""
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)
