"""Refined light curves that later ones replaced stay readable, whatever compaction merges and drops."""

import pytest
import sqlalchemy as sa

from loaders.compaction.tasks import seal_season
from loaders.light_curve.block import epochs_in_order
from roman_db import session
from roman_db.query.audit import chosen, run_audits
from roman_db.retired_partitions import drop_retired
from tests.loaders.compaction.runs import ask, compact, generations
from tests.loaders.light_curve.synthetic import (
    EXCLUDING,
    FIRST_DAY,
    epochs,
    key,
    object_ids,
    photometry,
    write,
    write_days,
)

VERSIONS = """
SELECT object_id, optical_element, exposure_id, midpoint_mjd_tdb, flux::text, flux_err::text, flags
FROM roman.light_curve_version WHERE photometry_kind = '{}' AND superseded_at IS {}
ORDER BY object_id, exposure_id, flux
"""


def refine(day, seed, n_object=4):
    """Refined light curves of a day, in place of earlier ones."""
    measured = photometry(seed, object_ids(n_object), 5)
    return write(key(day, photometry_kind="refined"), epochs(day), measured)


def replaced(kind="refined"):
    return ask(VERSIONS.format(kind, "NOT NULL"))


def summaries():
    return ask(
        "SELECT s.object_id, s.mean_flux, s.n_point FROM roman.light_curve_summary s "
        "JOIN roman.light_curve_block b USING (block_id, start_mjd) "
        "WHERE b.photometry_kind = 'refined' AND b.superseded_at IS NOT NULL AND NOT b.is_merged "
        "ORDER BY 1, 2"
    )


AUDITS = [
    "block_epochs", "block_without_segments", "exposure_in_two_blocks", "partition_cover", "segment_length",
    "segment_without_block", "summary_of_points",
]  # fmt: skip


def failed_audits():
    return [one.name for one in run_audits(chosen(AUDITS), 0) if not one.passed]


def test_replaced_refined_light_curves_outlive_compaction(database):
    """Refined twice on two days; those of the first time are kept through three compactions."""
    write_days(2)
    for seed in (100, 200):
        for day in (FIRST_DAY, FIRST_DAY + 1):
            refine(day, seed + day - FIRST_DAY)
    first, whole, current = replaced(), summaries(), ask(VERSIONS.format("refined", "NULL"))
    assert len(first) > 30
    for again in range(3):
        write(key(), epochs(first=20 + 10 * again), photometry(50 + again, object_ids(), 5))
        compact()
        drop_retired(1)
        assert replaced() == first
        assert summaries() == whole
        assert ask(VERSIONS.format("refined", "NULL")) == current
        assert failed_audits() == []
    assert len(generations()) == 1
    assert replaced("psf") == []


def test_each_replacement_is_a_version_of_its_run(database):
    """What was merged before it was replaced is a version, too, and only once."""
    write_days(2)
    for day in (FIRST_DAY, FIRST_DAY + 1):
        refine(day, 100)
    merged = ask(VERSIONS.format("refined", "NULL"))
    compact()
    drop_retired(1)
    one, other = epochs(FIRST_DAY), epochs(FIRST_DAY + 1)
    both, _, _ = epochs_in_order([one, other])
    block = write(key(days=2, photometry_kind="refined"), both, photometry(300, object_ids(4), 10))
    assert replaced() == merged
    runs = "SELECT count(*) FROM roman.light_curve_block WHERE photometry_kind = 'refined' AND NOT is_merged"
    assert ask(runs) == [(2,)]
    write(key(), epochs(first=20), photometry(50, object_ids(), 5))
    compact()
    drop_retired(1)
    assert replaced() == merged
    assert ask(runs) == [(2,)]
    assert ask(f"SELECT superseded_at FROM roman.light_curve_block WHERE block_id = {block}") != [(None,)]


@pytest.fixture
def season(database):
    """A season of three windows; events in the second are refined twice."""
    with session.transaction() as connection:
        connection.execute(sa.text("INSERT INTO roman.survey VALUES ('small', 'a short season')"))
        values = {"first": FIRST_DAY, "last": FIRST_DAY + 24}
        connection.execute(sa.text("INSERT INTO roman.season VALUES ('small', 1, :first, :last)"), values)
    for day in (0, 10, 18):
        write(key(FIRST_DAY + day), epochs(FIRST_DAY + day), photometry(day, object_ids(), 5))
    for seed in (100, 200):
        refine(FIRST_DAY + 10, seed)
    return "small", 1


def test_replaced_refined_light_curves_move_into_the_sealed_season(season):
    first = replaced()
    assert len(first) > 15
    assert seal_season(*season, EXCLUDING, lambda *progress: None).succeeded
    drop_retired(1)
    assert replaced() == first
    assert len(generations()) == 1
    days = "SELECT start_mjd FROM roman.light_curve_block WHERE NOT is_merged AND photometry_kind = 'refined'"
    assert {FIRST_DAY <= day < FIRST_DAY + 24 for (day,) in ask(days)} == {True}
    assert failed_audits() == []


def test_a_window_of_replaced_refined_light_curves_alone_stays(database):
    for seed in (100, 200):
        refine(FIRST_DAY, seed)
    with session.transaction() as connection:
        connection.execute(sa.text("UPDATE roman.light_curve_block SET superseded_at = now()"))
    before = replaced()
    assert len(before) > 30
    assert drop_retired(1) == 0
    assert replaced() == before
