"""Databases with exposures of a blended event, its light curves and the event, as if all had been found."""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.command_line import succeed
from tests.loaders.refined_photometry.blended import Blended, simulated
from tests.loaders.refined_photometry.stored import store_curves, store_event
from tests.roman_db.conftest import copy_database, execute, forget, made_once, point_at, upgraded, url_of

_count = itertools.count()


@pytest.fixture(scope="session")
def blended(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Blended:
    """The simulated exposures; its files are not to be changed."""
    base = tmp_path_factory.getbasetemp()
    return simulated(base.parent if hasattr(pytestconfig, "workerinput") else base)


@functools.cache
def _template(server: str, blended: Blended, has_event: bool) -> str:
    """Name of a database with exposures and catalog, with the event and its light curves or without."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROMAN_DB_WORKERS", "1")
        if has_event:
            before = _template(server, blended, False)
            return made_once(server, "blended_event", lambda: _store(blended), before)
        return made_once(server, "blended_files", lambda: _load(blended), upgraded(server))


def _load(blended: Blended) -> None:
    succeed("load", "exposure", blended.folder)
    succeed("load", "catalog", blended.catalog)


def _store(blended: Blended) -> None:
    store_curves(blended)
    store_event(blended)


@pytest.fixture
def photometered(cluster_url: str, blended: Blended, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """URL of a database of the test's own with the event, which ``roman_db`` uses, in one process."""
    with copied(cluster_url, _template(cluster_url, blended, True), monkeypatch) as url:
        yield url


@pytest.fixture
def loaded(cluster_url: str, blended: Blended, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """URL of the same with nothing but exposures and a catalog."""
    with copied(cluster_url, _template(cluster_url, blended, False), monkeypatch) as url:
        yield url


@contextmanager
def copied(cluster_url: str, source: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """URL of a copy of a database, which is gone afterwards."""
    name = f"own_blended_{os.getpid()}_{next(_count)}"
    copy_database(cluster_url, source, name)
    point_at(url_of(cluster_url, name), monkeypatch)
    monkeypatch.setenv("ROMAN_DB_WORKERS", "1")
    yield url_of(cluster_url, name)
    forget()
    execute(cluster_url, f"DROP DATABASE {name} WITH (FORCE)")
