"""Light curves on servers of their own: the same points from whatever server, or an error."""

from __future__ import annotations

import re
import threading

import pytest
import sqlalchemy as sa

from loaders.rejection import Rejected
from loaders.season_archive.load import season_of
from roman_db import session
from roman_db.failure import words
from roman_db.query.error import explained
from roman_db.retired_partitions import drop_retired
from roman_db.session import Role
from roman_db.shards.moving import drop_leftovers
from roman_db.tap.server_words import from_server
from tests.loaders.compaction.runs import compact
from tests.loaders.light_curve.synthetic import (
    FIRST_DAY,
    epochs,
    key,
    photometry,
    points,
    summaries,
    write,
    write_days,
)
from tests.roman_db.conftest import execute
from tests.roman_db.shards.conftest import FIRST, LAST, MIDDLE, OBJECTS, command, done

_CURVE = "SELECT count(*), sum(flux) FILTER (WHERE flux <> 'NaN') FROM roman.light_curve WHERE object_id = {}"


def ask(query: str, role: Role = Role.READER) -> list[tuple]:
    with session.reading(role) as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def plan(query: str) -> str:
    return "\n".join(row[0] for row in ask(f"EXPLAIN (VERBOSE) {query}"))


def partitions(url: str) -> list[str]:
    """Partitions that a shard has, asked there."""
    return [
        name for (name,) in execute(url, "SELECT partition FROM roman_partition.shard_partition ORDER BY 1")
    ]


def rows_of(url: str) -> int:
    """Segments that a shard has, asked there."""
    names = [name for name in partitions(url) if name.startswith("light_curve_segment")]
    return sum(execute(url, f"SELECT count(*) FROM roman_partition.{name}")[0][0] for name in names)


@pytest.fixture
def expected(new_database) -> tuple:
    """Points and summaries of the same light curves where there is one server."""
    new_database()
    write_days(3, objects=OBJECTS.size)
    return points(), summaries()


def test_loaders_write_to_shards_and_readers_see_the_same_points(expected, halves):
    assert [rows_of(url) for url in halves.urls] == [12, 12]
    assert points() == expected[0]
    assert summaries().tobytes() == expected[1].tobytes()
    compact()
    drop_retired(30)
    assert points() == expected[0]
    drop_leftovers()
    assert {
        re.sub("^.*(_g[0-9]+)_s[0-9]+$", r"\1", name) for url in halves.urls for name in partitions(url)
    } == {"_g1"}


def test_one_object_is_asked_of_its_shard_alone(halves):
    for object_id, mine, other in ((OBJECTS[0], "_s1", "_s2"), (OBJECTS[-1], "_s2", "_s1")):
        found = plan(f"SELECT * FROM roman.light_curve WHERE object_id = {object_id}")
        assert re.search(f"Foreign Scan on roman_partition.light_curve_segment_.*{mine}", found)
        assert f"object_id = {object_id}" in re.search("Remote SQL: .*light_curve_segment.*", found)[0]
        assert not re.search(f"light_curve_segment_[0-9_g]*{other}", found)


def test_groups_are_counted_by_the_shards(halves):
    grouped = (
        "SELECT object_id, block_id, start_mjd, sum(n_point) FROM roman.light_curve_summary "
        "GROUP BY object_id, block_id, start_mjd"
    )
    assert len(re.findall(r"Remote SQL: SELECT .*sum\(n_point\).* GROUP BY", plan(grouped))) == 2
    assert len(ask(grouped)) == 3 * OBJECTS.size


def test_a_shard_that_is_away_is_an_error_and_never_fewer_points(expected, halves):
    curve, everything = _CURVE.format(OBJECTS[0]), "SELECT count(*) FROM roman.light_curve"
    other = ask(_CURVE.format(OBJECTS[-1]))
    halves.servers[0].stop()
    try:
        session.disconnect()
        for query in (curve, everything, "SELECT max(n_point) FROM roman.light_curve_summary"):
            for role in (Role.READER, Role.LOADER):
                with pytest.raises(
                    sa.exc.DBAPIError, match='could not connect to server "shard_one"'
                ) as away:
                    ask(query, role)
        [said] = words(away.value)
        assert said.startswith(
            "some of the light curves asked for are on the shard one, which does not answer"
        )
        with session.arrow_connection() as connection, connection.cursor() as cursor:
            with pytest.raises(Exception, match="could not connect") as refused:
                cursor.execute(everything)
            failure = from_server(str(refused.value), 60)
        assert (failure.status, "are on the shard one" in str(failure)) == (503, True)
        assert ask(_CURVE.format(OBJECTS[-1])) == other
        with pytest.raises(sa.exc.OperationalError, match='could not connect to server "shard_one"'):
            write(key(FIRST_DAY + 4), epochs(FIRST_DAY + 4), photometry(4, OBJECTS, 5))
    finally:
        halves.servers[0].start()
    assert points() == expected[0]
    write(key(FIRST_DAY + 4), epochs(FIRST_DAY + 4), photometry(4, OBJECTS, 5))
    assert rows_of(halves.urls[0]) == 16


def test_a_shard_that_goes_away_in_the_middle_is_an_error(halves):
    def stop_between_queries() -> None:
        with session.reading() as connection:
            connection.execute(sa.text(_CURVE.format(OBJECTS[0])))
            halves.servers[0].stop()
            connection.execute(sa.text("SELECT count(*) FROM roman.light_curve"))

    try:
        with pytest.raises(sa.exc.DBAPIError) as lost:
            stop_between_queries()
    finally:
        halves.servers[0].start()
    assert explained(str(lost.value.orig)).startswith(
        "some of the light curves asked for are on a shard that"
    )


@pytest.mark.heavy
def test_ranges_are_moved_while_people_read_and_loaders_write(shards):
    write_days(3, objects=OBJECTS.size)
    stop, wrong = threading.Event(), []
    curves = [ask(_CURVE.format(one) + f" AND start_mjd < {FIRST_DAY + 3}") for one in OBJECTS]

    def read() -> None:
        while not stop.is_set():
            for one, curve in zip(OBJECTS, curves, strict=True):
                if (found := ask(_CURVE.format(one) + f" AND start_mjd < {FIRST_DAY + 3}")) != curve:
                    wrong.append((one, found, curve))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        done(command("move", "one", "--from", FIRST, "--to", LAST))
        write(key(FIRST_DAY + 3), epochs(FIRST_DAY + 3), photometry(3, OBJECTS, 5))
        assert rows_of(shards.urls[0]) == 32
        done(command("move", "two", "--from", MIDDLE))
        assert [rows_of(url) for url in shards.urls] == [16, 16]
        done(command("move", "here"))
    finally:
        stop.set()
        reader.join()
    assert not wrong
    assert [partitions(url) for url in shards.urls] == [[], []]
    assert done(command("remove", "one")) == "one is no shard any more; its database stays as it is.\n"
    assert "two" in done(command("list"))
    assert "one" not in done(command("list"))


def test_what_cannot_be_done_is_said(halves, empty_database):
    for given, said in (
        (("add", "One", empty_database), "'One' is no name of a shard"),
        (("add", "here", empty_database), "'here' is this server"),
        (("add", "one", empty_database), "there is a shard one already"),
        (
            ("add", "three", "mysql://host/x"),
            "a shard's URL is postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
        ),
        (("add", "three", "postgresql://nobody@127.0.0.1:1/x"), "the shard at 127.0.0.1 cannot be prepared"),
        (("add", "three", halves.urls[0]), "name an empty one"),
        (("move", "three"), "there is no shard 'three': there are one, two"),
        (("move", "one", "--from", 5, "--to", 5), "objects 5 to 5 are no range"),
        (("remove", "one"), "move its objects before"),
        (("remove", "three"), "there is no shard 'three'"),
    ):
        refused = command(*given)
        assert refused.exit_code == 1, given
        assert said in refused.output, given


def test_a_season_with_light_curves_on_shards_is_not_detached(halves):
    days = {"first": FIRST_DAY, "last": FIRST_DAY + 8}
    with session.transaction(Role.OWNER) as connection:
        connection.execute(sa.text("INSERT INTO roman.survey VALUES ('small', 'one season')"))
        connection.execute(sa.text("INSERT INTO roman.season VALUES ('small', 1, :first, :last)"), days)
        connection.execute(sa.text("UPDATE ops.light_curve_partition SET sealed = true"))
        with pytest.raises(Rejected, match="on shards") as refused:
            season_of(connection, "small", 1)
    assert refused.value.code == "season_on_shards"
