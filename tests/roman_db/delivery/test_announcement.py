"""What is announced to us: files that come, come late, twice, damaged or never, and how long they took."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest

from roman_db.delivery.announcement import read
from roman_db.delivery.refusal import DeliveryError
from roman_db.queue.alert import raise_alerts

from .conftest import ask, change

#: What alerts look for.
WRONG = "state IN ('missing', 'corrupted')"


def sha256_of(name: str, letter: str) -> str:
    """Checksum of a version of a file."""
    return hashlib.sha256(f"{name} {letter}".encode()).hexdigest()


@pytest.fixture
def announce(run, tmp_path):
    """Read a notification of some files, with some changes."""
    count = iter(range(100))

    def do(*files: dict, **said: object):
        path = tmp_path / f"{next(count)}.json"
        path.write_text(json.dumps({"sender": "SOC", "files": files} | said))
        return run("announce", path)

    return do


def file(name: str, letter: str = "a") -> dict:
    return {"filename": name, "sha256": sha256_of(name, letter), "size_bytes": 10}


def load(name: str, letter: str, role: str = "exposure", is_loaded: bool = True) -> None:
    """A run is given a file, and loads it or refuses it."""
    sha256 = sha256_of(name, letter)
    change(
        "INSERT INTO ops.load_run (task, arguments, code_version, schema_version, host, pid) "
        "VALUES ('load exposure', '{}', '1', '1', 'h', 1)",
        "INSERT INTO ops.load_run_input (load_run_id, role, path, sha256, size_bytes) "
        f"SELECT max(load_run_id), '{role}', '/in/{name}', '{sha256}', 10 FROM ops.load_run",
    )
    if is_loaded:
        change(
            "INSERT INTO ops.input_file (kind, filename, path, sha256, size_bytes, load_run_id) "
            f"SELECT 'exposure', '{name}', '/', '{sha256}', 10, max(load_run_id) FROM ops.load_run"
        )


def states() -> dict[str, tuple[str, int]]:
    rows = ask("SELECT filename, state, n_notification FROM ops.input_arrival")
    return {name: (state, number) for name, state, number in rows}


def test_each_file_is_told_what_became_of_it(announce, run):
    assert "2 files of SOC are noted" in announce(file("come.asdf"), file("harmed.asdf")).output
    announce(file("late.asdf"), file("again.asdf"))
    load("come.asdf", "a")
    load("harmed.asdf", "b", is_loaded=False)
    announce(file("again.asdf", "c"))
    assert states() == {
        "come.asdf": ("loaded", 1),
        "harmed.asdf": ("corrupted", 1),
        "late.asdf": ("expected", 1),
        "again.asdf": ("expected", 2),
    }
    change("UPDATE ops.data_notification SET received_at = received_at - interval '13 hours'")
    assert states()["late.asdf"] == ("missing", 1)
    raise_alerts()
    raised = "SELECT message FROM ops.alert WHERE kind = 'input_missing' AND cleared_at IS NULL"
    assert {message.split(":")[0] for (message,) in ask(raised)} == {
        f"1 announced files are missing or corrupted, such as {name}.asdf"
        for name in ("harmed", "late", "again")
    }
    listed = run("inputs").output
    assert "fetch it again" in listed
    assert "come.asdf" not in listed
    assert "come.asdf" in run("inputs", "--state", "loaded").output
    for name, letter in (("harmed.asdf", "a"), ("late.asdf", "a"), ("again.asdf", "c")):
        load(name, letter)
    assert {state for state, _ in states().values()} == {"loaded"}
    raise_alerts()
    assert ask(raised) == []


def test_what_is_loaded_is_noted_and_not_read_again(announce):
    """Whichever comes first, the file or its notification; what was not noted is asked for all the same."""
    load("early.asdf", "a")
    announce(file("early.asdf"), file("come.asdf"), file("late.asdf"))
    load("come.asdf", "a")
    load("late.asdf", "b")
    noted = "SELECT filename FROM ops.notified_file WHERE file_id IS NOT NULL ORDER BY filename"
    assert ask(noted) == [("come.asdf",), ("early.asdf",)]
    before = states()
    assert {name: state for name, (state, _) in before.items()} == {
        "early.asdf": "loaded",
        "come.asdf": "loaded",
        "late.asdf": "corrupted",
    }
    plan = "\n".join(line for (line,) in ask(f"EXPLAIN SELECT * FROM ops.input_arrival WHERE {WRONG}"))
    assert "file_id IS NULL" in plan
    assert "Append" not in plan, plan
    change("UPDATE ops.notified_file SET file_id = NULL")
    assert states() == before


def test_a_notification_that_comes_twice_counts_once(announce, run, tmp_path):
    announce(file("a.asdf"))
    assert "were noted before" in run("announce", tmp_path / "0.json").output
    assert states() == {"a.asdf": ("expected", 1)}


def test_what_is_announced_again_is_missing_from_when_it_was_announced_first(announce):
    announce(file("late.asdf"))
    change("UPDATE ops.data_notification SET received_at = received_at - interval '13 hours'")
    announce(file("late.asdf"), sender="SOC, again")
    assert states() == {"late.asdf": ("missing", 2)}
    announce(file("late.asdf", "b"))
    assert states() == {"late.asdf": ("expected", 3)}


def test_the_legs_of_the_way_are_counted_apart(announce):
    way = {"observed_until": "2027-03-01T00:00:00Z", "on_ground_at": "2027-03-02T00:00:00Z"}
    announce(file("a"), **way, at_soc_at="2027-03-03T00:00:00Z")
    announce(file("b"), **way, at_soc_at="2027-03-03T01:00:00+00:00")
    announce(file("c"), observed_until="2027-03-01T00:00:00Z", on_ground_at="2027-03-02T00:30:00Z")
    announce(file("d"))
    day = timedelta(days=1)
    columns = "to_ground, to_soc, is_late, to_ground_allowed, to_soc_allowed"
    rows = ask(f"SELECT {columns} FROM ops.transmission ORDER BY 1, 2")
    assert {row[3:] for row in rows} == {(day, day)}
    assert [row[:3] for row in rows] == [
        (day, day, False),
        (day, day + timedelta(hours=1), True),
        (day + timedelta(minutes=30), None, True),
        (None, None, None),
    ]


@pytest.mark.parametrize(
    ("files", "said", "words"),
    [
        ([], {}, "files: List should have at least 1 item"),
        ([file("a"), file("a", "b")], {}, "it names files twice: a"),
        ([file("../a")], {}, "files.0.filename"),
        ([file("a") | {"sha256": "x"}], {}, "files.0.sha256"),
        ([file("a") | {"size_bytes": 0}], {}, "files.0.size_bytes"),
        (
            [file("a")],
            {"on_ground_at": "2027-03-01T00:00:00"},
            "on_ground_at: Input should have time",
        ),
        ([file("a")], {"sender": ""}, "sender"),
    ],
)
def test_what_is_no_notification_is_told(tmp_path, files, said, words):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"sender": "SOC", "files": files} | said))
    with pytest.raises(DeliveryError, match="is no notification") as refused:
        read(path)
    assert words in str(refused.value)
