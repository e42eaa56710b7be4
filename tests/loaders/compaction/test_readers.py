"""Whoever reads or writes while windows are compacted sees every point once."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing

import psycopg2
import pytest
import sqlalchemy as sa

from loaders.compaction.load import Window, prepare_windows, season_window
from loaders.rejection import Rejected
from roman_db import session
from roman_db.retired_partitions import drop_retired
from roman_db.transactions import StillRunning
from tests.loaders.compaction.runs import WINDOW, ask, compact, compact_prepared, generations, pending
from tests.loaders.light_curve.synthetic import (
    FIRST_DAY,
    epochs,
    key,
    object_ids,
    photometry,
    points,
    write,
    write_days,
)

_COUNT = """
SELECT count(*), count(DISTINCT (object_id, exposure_id)), sum(hashfloat4(flux)::bigint)
FROM roman.light_curve
"""


def test_an_older_snapshot_goes_on_to_see_the_old_blocks(database):
    """Whether or not it has looked at light curves before."""
    write_days(3)
    expected = points()
    prepare_windows([WINDOW], 5)
    with session.reading() as early, session.reading() as late:
        late.execute(sa.text("SELECT count(*) FROM roman.detector"))
        assert points(early) == expected
        compact_prepared()
        write(key(), epochs(n=1, first=99), photometry(5, object_ids(), 1))
        assert drop_retired(0.1) == 0
        assert points(early) == expected
        assert points(late) == expected
        current = "JOIN roman.light_curve_block USING (block_id) WHERE superseded_at IS NULL"
        count = late.execute(
            sa.text(f"SELECT count(*) FROM roman.light_curve_summary {current}")
        ).scalar_one()
        assert count == 21
    assert drop_retired(1) == 1
    assert len(points()) > len(expected)


@pytest.mark.heavy
def test_a_snapshot_older_than_a_sealing(database):
    write_days(20)
    with session.transaction() as connection:
        connection.execute(sa.text("INSERT INTO roman.survey VALUES ('s', 's')"))
        connection.execute(
            sa.text(f"INSERT INTO roman.season VALUES ('s', 1, {FIRST_DAY}, {FIRST_DAY + 20})")
        )
    expected = points()
    with session.reading() as connection:
        window = season_window(connection, "s", 1)
    prepare_windows([window], 5)
    with session.reading() as late:
        late.execute(sa.text("SELECT 1"))
        compact_prepared(window)
        assert drop_retired(0.1) == 0
        assert points(late) == expected
    assert points() == expected
    assert drop_retired(1) == 3


@pytest.mark.heavy
def test_a_result_that_is_still_being_fetched(database):
    write_days(3, objects=3000)
    prepare_windows([WINDOW], 5)
    with psycopg2.connect(database) as connection, connection.cursor("slow") as cursor:
        cursor.itersize = 100
        cursor.execute("SELECT object_id, exposure_id FROM roman.light_curve")
        fetched = cursor.fetchmany(10)
        compact_prepared()
        assert drop_retired(0.1) == 0
        fetched += cursor.fetchall()
    assert sorted(fetched) == sorted(ask("SELECT object_id, exposure_id FROM roman.light_curve"))


@pytest.mark.heavy
@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
def test_a_loop_of_queries_never_sees_a_point_missing_or_doubled(database, isolation):
    write_days(8, objects=300)
    (expected,) = ask(_COUNT)
    done = threading.Event()

    def read() -> list[tuple]:
        seen = []
        with closing(psycopg2.connect(database)) as connection:
            connection.set_session(isolation_level=isolation)
            while not done.is_set():
                with connection, connection.cursor() as cursor:
                    for _ in range(2):
                        cursor.execute(_COUNT)
                        seen.append(cursor.fetchone())
        return seen

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        for _ in range(6):
            compact()
            drop_retired(5)
        done.set()
    seen = [row for reader in readers for row in reader.result()]
    assert len(seen) > 20
    assert set(seen) == {expected}


def test_readers_do_not_wait_for_a_compaction(database):
    write_days(3)
    expected = points()
    seen = []

    def read_in_the_middle(done: int, total: int) -> None:
        reader = threading.Thread(target=lambda: seen.append(points()), daemon=True)
        reader.start()
        reader.join(20)

    compact(progress=read_in_the_middle)
    assert seen == [expected]


class Beside:
    """A function that runs in a thread beside a compaction, begun in its middle."""

    def __init__(self, task) -> None:
        self._task, self._pool = task, ThreadPoolExecutor(1)
        self._future = None

    def begin(self, done: int, total: int) -> None:
        """For the compaction to call."""
        self._future = self._pool.submit(self._task)
        wait([self._future], timeout=0.5)

    def end(self) -> BaseException | None:
        """Wait for the end and return what was raised."""
        return self._future.exception(timeout=30)


def test_a_late_block_waits_and_then_stands_beside_the_merged_one(database):
    write_days(3)
    before = len(points())
    late = Beside(lambda: write(key(), epochs(n=1, first=99), photometry(5, object_ids(), 1)))
    compact(progress=late.begin)
    assert late.end() is None
    assert len(points()) > before
    assert pending() == [WINDOW]
    assert drop_retired(1) == 1
    compact()


def test_reprocessing_a_block_that_is_being_merged_is_refused_and_doubles_nothing(database):
    write_days(3)
    expected = points()
    again = Beside(lambda: write(key(), epochs(), photometry(5, object_ids(), 5)))
    compact(progress=again.begin)
    with pytest.raises(Rejected, match="stays as it was"):
        raise again.end()
    assert points() == expected


def test_reprocessing_from_another_window_while_a_block_is_being_merged(database):
    """The lock of the writer's window does not help here; the rows of the blocks do."""
    write_days(3)
    expected = points()
    again = Beside(lambda: write(key(FIRST_DAY - 1, days=2), epochs(), photometry(5, object_ids(), 5)))
    compact(progress=again.begin)
    with pytest.raises(Rejected, match="stays as it was"):
        raise again.end()
    assert points() == expected


def test_two_compactions_of_a_window_at_once(database):
    """The second would have to be prepared anew."""
    write_days(3)
    expected = points()
    other = Beside(compact_prepared)
    compact(progress=other.begin)
    with pytest.raises(sa.exc.OperationalError, match="days 61520 to 61528 are not prepared for compaction"):
        raise other.end()
    assert points() == expected
    drop_retired(1)
    assert points() == expected


def test_a_reader_who_keeps_a_partition_locked_is_waited_for_only_briefly(database, cluster_url):
    """Drop later rather than let the others queue."""
    write_days(3)
    compact()
    with psycopg2.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM roman.light_curve_segment")
        assert drop_retired(0.1) == 0
    assert len(generations()) == 2
    assert drop_retired(1) == 1
    assert generations() == ["light_curve_segment_61520_61528_g1"]


def test_a_block_that_comes_late_into_an_emptied_window(database):
    """Between the look and the drop."""
    write_days(1)
    write(key(FIRST_DAY + 9), epochs(FIRST_DAY + 9), photometry(1, object_ids(), 5))
    compact(Window(FIRST_DAY, FIRST_DAY + 16, sealed=True))
    write(key(FIRST_DAY + 9), epochs(FIRST_DAY + 9, first=70), photometry(2, object_ids(), 5))
    expected = points()
    with session.transaction() as connection:
        connection.execute(sa.text("SELECT ops.drop_light_curve_partition(61528, 61536, NULL)"))
    assert points() == expected


def test_a_query_planned_before_the_preparation_keeps_compaction_from_beginning(database):
    """Its plan does not know the new generation, and its snapshot may be taken after the compaction."""
    write_days(3)
    with session.reading() as connection:
        connection.execute(sa.text("SELECT 1"))
        with pytest.raises(StillRunning, match=r"1 transactions still run after 0.2 s"):
            prepare_windows([WINDOW], 0.2)
    assert len(generations()) == 2
    write(key(), epochs(n=1, first=99), photometry(5, object_ids(), 1))
    expected = points()
    compact()
    assert points() == expected
    assert drop_retired(5) == 1
    assert generations() == ["light_curve_segment_61520_61528_g1"]


def test_without_preparation_compaction_does_not_begin(database):
    write_days(3)
    expected = points()
    with pytest.raises(sa.exc.OperationalError, match="not prepared"):
        compact_prepared()
    assert points() == expected
