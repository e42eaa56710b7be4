"""TAP over shards, and a move that is killed: whole processes, for `make test-all`."""

from __future__ import annotations

import pytest
import requests

from roman_db.shards import moving
from roman_db.shards.ranges import Range
from tests.loaders.light_curve import killed
from tests.loaders.light_curve.synthetic import points, write_days
from tests.roman_db.shards.conftest import FIRST, LAST, OBJECTS, command, done
from tests.roman_db.tap.service.conftest import served

pytestmark = pytest.mark.heavy


def ask(address: str, object_id: int) -> requests.Response:
    query = f"SELECT exposure_id, flux FROM roman.light_curve WHERE object_id = {object_id}"
    given = {"LANG": "ADQL", "QUERY": query, "RESPONSEFORMAT": "csv"}
    return requests.get(f"{address.rstrip('/')}/sync", given, timeout=60)


def test_queries_from_outside_are_answered_whole_or_refused(database, halves):
    with served(database) as address:
        whole = ask(address, OBJECTS[0]).text
        assert len(whole.splitlines()) > 10
        halves.servers[0].stop()
        try:
            refused = ask(address, OBJECTS[0])
            assert refused.status_code == 503
            assert "are on the shard one, which does not answer" in refused.text
            assert ask(address, OBJECTS[-1]).status_code == 200
        finally:
            halves.servers[0].start()
        assert ask(address, OBJECTS[0]).text == whole


def move_and_die(step: str) -> None:
    """Move all objects, but die after the first copy or the first partition in its place."""
    whole = getattr(moving, step)

    def dying(*arguments):
        whole(*arguments)
        killed.kill_me()

    setattr(moving, step, dying)
    moving.move(Range(FIRST, LAST, "one"), lambda *_: None)


@pytest.mark.parametrize("step", ["_checked", "_replace"])
def test_a_move_that_is_killed_is_taken_up_again(shards, step):
    write_days(3, objects=OBJECTS.size)
    before = points()
    assert killed.in_process(move_and_die, step) == -9
    assert points() == before
    done(command("move", "one", "--from", FIRST, "--to", LAST))
    assert points() == before
    assert done(command("move", "here")).endswith("partitions were rewritten.\n")
    assert points() == before
