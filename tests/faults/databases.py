"""Databases in the states that tests begin with, each made once a run and then copied."""

from __future__ import annotations

import enum
import functools
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.command_line import succeed
from tests.faults.survey import Survey
from tests.roman_db.conftest import copy_database, execute, forget, made_once, point_at, upgraded, url_of

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
    """Name of a database in a state, which is made once a run and goes with the server at its end."""
    if state is State.NEW:
        return upgraded(server)
    before, step = {State.LOADED: (State.NEW, _load), State.PHOTOMETERED: (State.LOADED, _photometer)}[state]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROMAN_DB_WORKERS", "1")
        return made_once(server, state.name.lower(), lambda: step(survey), template(server, survey, before))


@contextmanager
def copied(server: str, survey: Survey, state: State, patch: pytest.MonkeyPatch) -> Iterator[str]:
    """URL of a database of the test's own in a state, which ``roman_db`` uses, in one process."""
    with copied_from(server, template(server, survey, state), patch) as url:
        yield url


@contextmanager
def copied_from(server: str, source: str, patch: pytest.MonkeyPatch) -> Iterator[str]:
    """URL of a copy of a database, of the test's own, which ``roman_db`` uses, in one process."""
    name = f"copy_{os.getpid()}_{next(_count)}"
    copy_database(server, source, name)
    point_at(url_of(server, name), patch)
    patch.setenv("ROMAN_DB_WORKERS", "1")
    yield url_of(server, name)
    forget()
    execute(server, f"DROP DATABASE {name} WITH (FORCE)")
