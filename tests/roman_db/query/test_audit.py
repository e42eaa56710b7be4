"""Audits of what other tests of theirs do not make: light curves that were compacted and sealed."""

import pytest
import sqlalchemy as sa

from loaders.compaction.tasks import seal_season
from roman_db import session
from roman_db.query.audit import chosen, run_audits
from tests.loaders.light_curve.synthetic import (
    EXCLUDING,
    FIRST_DAY,
    epochs,
    key,
    object_ids,
    photometry,
    write,
)

from ..conftest import execute

#: Those that look at blocks and their rows alone; made-up light curves have no exposures and catalog.
AUDITS = (
    "block_epochs", "block_without_segments", "exposure_in_two_blocks", "partition_cover", "segment_length",
    "segment_without_block",
)  # fmt: skip


def failed():
    return [result.name for result in run_audits(chosen(AUDITS), 0) if not result.passed]


@pytest.fixture
def sealed(database):
    """A season of which three windows of eight days hold data, sealed into the first."""
    with session.transaction() as connection:
        connection.execute(sa.text("INSERT INTO roman.survey VALUES ('small', 'a short season')"))
        season = {"first": FIRST_DAY, "last": FIRST_DAY + 24}
        connection.execute(sa.text("INSERT INTO roman.season VALUES ('small', 1, :first, :last)"), season)
    for day in (2, 10, 18):
        write(key(FIRST_DAY + day), epochs(FIRST_DAY + day), photometry(day, object_ids(), 5))
    for day in (10, 18):
        when = epochs(FIRST_DAY + day, series=1)
        write(key(FIRST_DAY + day, optical_element="F213"), when, photometry(day, object_ids(), 5))
    assert failed() == []
    assert seal_season("small", 1, EXCLUDING, lambda *progress: None).succeeded
    return database


def test_a_season_sealed_into_one_window_is_sound(sealed):
    blocks = "SELECT start_mjd, end_mjd FROM roman.light_curve_block WHERE superseded_at IS NULL ORDER BY 1"
    windows = "SELECT from_mjd, to_mjd, sealed FROM ops.light_curve_partition"
    assert execute(sealed, blocks) == [(FIRST_DAY + 2, FIRST_DAY + 19), (FIRST_DAY + 7, FIRST_DAY + 19)]
    assert execute(sealed, windows) == [(FIRST_DAY, FIRST_DAY + 8, True)]
    assert failed() == []


@pytest.mark.parametrize(
    "fault",
    [
        "UPDATE ops.light_curve_partition SET sealed = false",
        f"UPDATE roman.light_curve_block SET start_mjd = {FIRST_DAY + 8} WHERE superseded_at IS NULL",
        f"UPDATE roman.light_curve_block SET start_mjd = {FIRST_DAY - 1} WHERE superseded_at IS NULL",
    ],
)
def test_a_block_outside_of_its_window_is_found(sealed, fault):
    execute(sealed, fault)
    assert "partition_cover" in failed()
