"""A small survey of two seasons, both sealed, in a database of the test's own."""

import numpy as np
import pytest
import sqlalchemy as sa

from loaders.compaction.tasks import seal_season
from roman_db import session
from tests.loaders.light_curve.synthetic import (
    EXCLUDING,
    FIRST_DAY,
    epochs,
    key,
    object_ids,
    photometry,
    write,
)
from tests.roman_db.conftest import databases, made_once, upgraded_template

__all__ = ["upgraded_template"]

#: First days of the seasons, the objects that each has, and one that the second alone has.
FIRST, SECOND = FIRST_DAY, FIRST_DAY + 200
OLD, NEW = object_ids(7), object_ids(9)
ONLY_NEW = int(np.setdiff1d(NEW, OLD)[0])


@pytest.fixture
def survey(cluster_url, upgraded_template, monkeypatch):
    """URL of the database."""
    template = made_once(cluster_url, "two_sealed_seasons", _fill, upgraded_template)
    with databases(cluster_url, template, monkeypatch) as make:
        yield make()


def _fill():
    with session.transaction() as connection:
        connection.execute(sa.text("INSERT INTO roman.survey VALUES ('small', 'two seasons')"))
        for number, first in ((1, FIRST), (2, SECOND)):
            days = {"number": number, "first": first, "last": first + 20}
            connection.execute(
                sa.text("INSERT INTO roman.season VALUES ('small', :number, :first, :last)"), days
            )
    for first, objects in ((FIRST, OLD), (SECOND, NEW)):
        for day in (2, 3, 10):
            write(key(first + day), epochs(first + day), photometry(first + day, objects, 5))
    for number in (1, 2):
        assert not seal_season("small", number, EXCLUDING, lambda *step: None).failed
