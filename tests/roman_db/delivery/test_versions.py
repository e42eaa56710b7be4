"""Of the versions of a delivery the archive sees the newest that is published, whoever is slow or dies."""

from __future__ import annotations

import contextlib

import pytest

from roman_db.delivery import publish
from roman_db.delivery.outbox import Outbox

from .conftest import ask, change
from .test_delivery import DAILY, PRODUCTS, SERIES, STATE
from .test_send import one_day

__all__ = ["one_day"]

FIRST, SECOND = f"{SERIES}_v1", f"{SERIES}_v2"


@pytest.fixture
def two_made(outbox, run):
    """Two versions that are made and not published."""
    for _ in range(2):
        assert run("make", *DAILY).exit_code == 0
    return outbox


@pytest.fixture
def meanwhile(run, monkeypatch):
    """Publish the second version once when the first has been moved to its place, and is not recorded."""
    said: list[str] = []
    move = Outbox.publish

    def slow(outbox, name):
        move(outbox, name)
        if not said:
            said.append("")
            said[0] = run("publish", 2).output

    monkeypatch.setattr(Outbox, "publish", slow)
    return said


def seen(outbox) -> list[str]:
    """What the archive finds of the series, and where the link leads."""
    found = sorted(path.name for path in outbox.root.glob(f"{SERIES}_v*"))
    return [*found, str((outbox.root / SERIES).readlink())]


@pytest.mark.heavy
def test_two_versions_are_published_one_after_the_other(two_made, run, meanwhile):
    assert run("publish", 1).exit_code == 0
    assert "or another version of it, is being published" in meanwhile[0]
    assert run("publish", 2).exit_code == 0
    assert seen(two_made) == [FIRST, SECOND, SECOND]


@pytest.mark.heavy
def test_who_loses_its_lock_does_not_take_the_place_of_a_later_version(two_made, run, meanwhile, monkeypatch):
    """The connection that holds the lock breaks before the first version is recorded."""
    monkeypatch.setattr(publish, "held", lambda lock: contextlib.nullcontext())
    assert f"{SECOND}, which replaces it, is" in run("publish", 1).output
    assert seen(two_made) == [SECOND, SECOND]
    assert [state for state, _ in ask(STATE)] == ["failed", "published"]
    assert ask(PRODUCTS) == [("dropped", 4), ("valid", 4)]


@pytest.mark.heavy
def test_what_was_moved_and_never_recorded_goes_with_its_version(two_made, run):
    """Whoever published the first was killed between the two."""
    two_made.publish(FIRST)
    assert run("publish", 2).exit_code == 0
    assert seen(two_made) == [SECOND, SECOND]
    assert not two_made.staging(FIRST).exists()


@pytest.mark.heavy
def test_what_was_moved_and_is_not_what_was_made_goes(two_made, run):
    two_made.publish(FIRST)
    path = next(two_made.published(FIRST).glob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-1])
    assert "it is not what was made" in run("publish", 1).output
    assert [path.name for path in two_made.root.iterdir()] == [".staging"]
    assert [path.name for path in two_made.staging("x").parent.iterdir()] == [SECOND]
    assert ask(STATE)[0][0] == "failed"


@pytest.mark.heavy
def test_what_an_earlier_release_made_without_rows_for_the_archive_is_made_again(one_day, run):
    """Files that were made before the database had a place for their rows, which an upgrade cannot know."""
    assert run("make", *DAILY).exit_code == 0
    change("UPDATE ops.product SET archive_row = NULL")
    done = run("send")
    assert "has no row for the archive, as it was made by an earlier release" in done.output
    assert ask(STATE)[0][0] == "failed"
    assert run("send").output == f"{SECOND} is published as delivery 2\n"
    assert ask("SELECT count(*) FROM ops.archive_row") == [(4,)]
    assert seen(one_day) == [SECOND, SECOND]
