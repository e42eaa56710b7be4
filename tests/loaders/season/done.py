"""The small survey of the queries' tests after the mode ``season``, which takes seconds, has run once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loaders.season.tasks import SEASON, arguments
from roman_db.jobs import run_mode
from tests.queries.conftest import copied, filled_template
from tests.queries.filling import Survey
from tests.roman_db.conftest import made_once

__all__ = ["filled_template", "own_season"]


@pytest.fixture
def own_season(
    cluster_url: str,
    filled_template: tuple[str, Survey],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Survey]:
    """What is in a database of the test's own in which season 1 has its events and what follows from them."""
    monkeypatch.setenv("ROMAN_DB_WORKERS", "1")
    source, survey = filled_template
    name = made_once(cluster_url, "filled_season", _run_season, source)
    with copied(cluster_url, (name, survey), monkeypatch) as own:
        yield own


def _run_season() -> None:
    assert not run_mode(SEASON, arguments("gbtds", 1, "psf"), lambda *_: None).failed
