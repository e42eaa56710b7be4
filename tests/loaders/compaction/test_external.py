"""Light curves that others measured, and those of mosaics, beside blocks that are compacted."""

import dataclasses

import numpy as np
import pytest
import sqlalchemy as sa

from loaders.compaction.load import Window, season_window
from loaders.compaction.tasks import seal_season
from loaders.light_curve.block import NONE
from roman_db import session
from roman_db.query.audit import chosen, run_audits
from roman_db.retired_partitions import drop_retired
from tests.loaders.compaction.runs import ask, compact, generations, in_small_chunks, pending
from tests.loaders.light_curve.synthetic import (
    EXCLUDING,
    FIRST_DAY,
    epochs,
    fluxes,
    key,
    object_ids,
    photometry,
    points,
    write,
    write_days,
)

BLOCKS = """
SELECT block_id, start_mjd, end_mjd, n_epoch, n_object, n_point, exposure_id FROM roman.light_curve_block
WHERE detector IS NULL AND superseded_at IS NULL ORDER BY block_id
"""


def write_external(day=FIRST_DAY, days=300, kind="external", seed=1, n_object=9, element="F146"):
    """A long block without field, detector and files, of some of the same objects."""
    n = 12
    given = epochs(day, n)
    times = day + np.sort(np.random.default_rng(seed).uniform(0, days, n))
    none = np.full(n, NONE)
    numbers = -(seed << 32) - np.arange(1, n + 1)
    when = dataclasses.replace(
        given, exposure_id=numbers, mjd_tdb=times, bjd_tdb=times + 0.001, file_id=none, psf_model_id=none
    )
    ids = object_ids(n_object)
    made = photometry(seed, ids, n).segments
    block = key(day, days, field_id=None, detector=None, photometry_kind=kind, optical_element=element)
    return write(block, when, fluxes(ids, made.flux, made.flux_err, made.flags))


def failed_audits():
    return [result.name for result in run_audits(chosen(["segment_length", "summary_of_points"]), 0)
            if not result.passed]  # fmt: skip


@pytest.mark.parametrize("chunked", [False, True], ids=["whole", "chunks"])
def test_every_point_of_blocks_beside_others_stays(database, monkeypatch, chunked):
    """Two external blocks, one of mosaics, and days of a detector; compacted twice, and loaded in between."""
    if chunked:
        in_small_chunks(monkeypatch)
    write_days(2)
    mine = [write_external(), write_external(seed=2), write_external(kind="psf_mosaic", seed=3)]
    write_days(3, series=1, detector="WFI08")
    before, blocks = points(), ask(BLOCKS)
    assert [row[0] for row in blocks] == sorted(mine)
    compact()
    assert points() == before
    assert ask(BLOCKS) == blocks
    drop_retired(1)
    assert points() == before
    assert pending() == []
    assert failed_audits() == []
    mine.append(write_external(day=FIRST_DAY + 3, seed=4))
    write_days(1, series=2, optical_element="F213")
    write(key(), epochs(n=3, first=50, step=7), photometry(400, object_ids(12), 3))
    before, blocks = points(), ask(BLOCKS)
    assert len(blocks) == 4
    compact()
    drop_retired(1)
    assert points() == before
    assert ask(BLOCKS) == blocks
    assert failed_audits() == []


def test_a_window_of_external_blocks_alone_is_left_as_it_is(database):
    write_external()
    write_external(seed=2)
    before, blocks = points(), ask(BLOCKS)
    assert pending() == []
    compact()
    assert drop_retired(1) == 0
    assert points() == before
    assert ask(BLOCKS) == blocks


def test_generations_of_external_blocks_do_not_pile_up(database):
    """That of the external blocks stays, and that of the merged ones; those between are dropped."""
    write_days(2)
    write_external()
    for again in range(3):
        write(key(), epochs(first=20 + 10 * again), photometry(50 + again, object_ids(), 5))
        compact()
        drop_retired(1)
    assert len(generations()) == 2


@pytest.fixture
def season(database):
    """A season of three windows with days of a detector in each, and external blocks in two of them."""
    with session.transaction() as connection:
        connection.execute(sa.text("INSERT INTO roman.survey VALUES ('small', 'a short season')"))
        values = {"first": FIRST_DAY + 2, "last": FIRST_DAY + 20}
        connection.execute(sa.text("INSERT INTO roman.season VALUES ('small', 1, :first, :last)"), values)
    for day in (2, 3, 10, 18):
        write(key(FIRST_DAY + day), epochs(FIRST_DAY + day), photometry(day, object_ids(), 5))
    write_external(day=FIRST_DAY, seed=1)
    write_external(day=FIRST_DAY + 9, seed=2)
    return "small", 1


def window_of(season):
    with session.reading() as connection:
        return season_window(connection, *season)


def seal(season):
    return seal_season(*season, EXCLUDING, lambda *progress: None)


def test_a_season_with_external_blocks_is_sealed_once(season):
    before, blocks = points(), ask(BLOCKS)
    assert window_of(season) == Window(FIRST_DAY, FIRST_DAY + 24, sealed=True)
    assert seal(season).succeeded
    assert points() == before
    assert ask(BLOCKS) == blocks
    others = "SELECT start_mjd, end_mjd, n_epoch FROM roman.light_curve_block WHERE detector IS NOT NULL "
    assert ask(others + "AND superseded_at IS NULL") == [(FIRST_DAY + 2, FIRST_DAY + 19, 20)]
    # The second window lives on for what is not merged, and is nothing to be sealed.
    assert window_of(season) is None
    assert seal(season) is None
    assert failed_audits() == []


def test_late_data_beside_external_blocks_of_a_sealed_season_are_sealed(season):
    seal(season)
    late = FIRST_DAY + 12
    write(key(late), epochs(late, first=60), photometry(70, object_ids(), 5))
    write_external(day=FIRST_DAY, seed=5)
    before = points()
    assert seal(season).succeeded
    assert points() == before
    assert window_of(season) is None
    assert len(ask(BLOCKS)) == 3


def test_a_season_of_external_blocks_alone_has_nothing_to_seal(database):
    with session.transaction() as connection:
        connection.execute(sa.text("INSERT INTO roman.survey VALUES ('small', 'a short season')"))
        values = {"first": FIRST_DAY, "last": FIRST_DAY + 8}
        connection.execute(sa.text("INSERT INTO roman.season VALUES ('small', 1, :first, :last)"), values)
    write_external()
    assert window_of(("small", 1)) is None
