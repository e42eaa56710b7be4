"""kill -9 of those who make, publish and freeze: the archive sees all of a delivery or nothing, once."""

from __future__ import annotations

import itertools

import pytest

from roman_db.delivery import manifest
from tests.faults.killed import KILLED, Kill, run, run_all
from tests.roman_db.delivery.conftest import ask, described, filled_template, outbox, own_survey
from tests.roman_db.delivery.test_delivery import DAILY, RECONCILED, SERIES

__all__ = ["described", "filled_template", "outbox", "own_survey"]

MAKE = ("deliveries", "make", *DAILY)
EVENTS = "SELECT kind, count(*) FROM ops.delivery_event GROUP BY kind HAVING count(*) > 1"


def published(outbox) -> list[str]:
    """Deliveries that the archive sees, each of which is whole."""
    found = [path for path in outbox.root.glob(f"{SERIES}_v*") if not path.is_symlink()]
    for path in found:
        ((sha256,),) = ask("SELECT manifest_sha256 FROM ops.delivery WHERE name = :name", name=path.name)
        assert list(manifest.faults(path, sha256)) == []
    return sorted(path.name for path in found)


PRODUCTS = """
    SELECT d.state, p.state, count(*) FROM ops.product AS p
    JOIN ops.delivery_file USING (product_id) JOIN ops.delivery AS d USING (delivery_id)
    GROUP BY d.state, p.state ORDER BY d.state
"""


def test_who_dies_with_products_written_leaves_no_product(outbox):
    """The last steps of a run say that the delivery is made: its files have their rows before."""
    n_step = run(MAKE).n_step
    assert run(MAKE, Kill("loader", n_step - 8)).code == KILLED
    assert ask(PRODUCTS) == [("made", "staged", 4), ("making", "staged", 4)]
    assert ask("SELECT count(*) FROM archive.WFIMSOSCatalog") == [(0,)]
    assert run(MAKE).code == 0
    assert ask(PRODUCTS) == [("failed", "dropped", 4), ("made", "staged", 8)]
    assert ask(RECONCILED) == [(True,)]
    assert run(("deliveries", "publish", 3)).code == 0
    assert ask(PRODUCTS) == [("failed", "dropped", 8), ("published", "valid", 4)]


@pytest.mark.heavy
def test_who_dies_while_making_leaves_what_the_next_one_takes_away(outbox):
    for step in (40, 60):
        assert run(MAKE, Kill("loader", step)).code == KILLED
        assert published(outbox) == []
    assert run(MAKE).code == 0
    states = ask("SELECT name, state FROM ops.delivery ORDER BY delivery_id")
    assert [state for _, state in states] == ["failed"] * (len(states) - 1) + ["made"]
    assert [path.name for path in outbox.staging("x").parent.iterdir()] == [states[-1][0]]


def test_whoever_dies_while_publishing_the_archive_sees_all_or_nothing(outbox):
    assert run(MAKE).code == 0
    killed = 0
    for step in itertools.count(14, 5):
        outcome = run(("deliveries", "publish", 1), Kill("loader", step))
        assert published(outbox) in ([], [f"{SERIES}_v1"])
        if outcome.code == 0:
            break
        assert outcome.code == KILLED
        killed += 1
    assert killed > 1
    assert published(outbox) == [f"{SERIES}_v1"]
    assert (outbox.root / SERIES).resolve() == outbox.published(f"{SERIES}_v1")
    assert ask("SELECT state FROM ops.delivery") == [("published",)]
    assert ask(EVENTS) == []


@pytest.mark.heavy
def test_two_who_publish_at_once_publish_once(outbox):
    assert run(MAKE).code == 0
    outcomes = run_all([("deliveries", "publish", 1)] * 2)
    assert 0 in {outcome.code for outcome in outcomes}
    for outcome in outcomes:
        assert outcome.code == 0 or "or another version of it, is being published" in outcome.text
    assert published(outbox) == [f"{SERIES}_v1"]
    assert ask(EVENTS) == []


@pytest.mark.heavy
def test_who_dies_while_freezing_leaves_nothing_of_a_release(outbox):
    for step in (20, 60):
        assert run(("release", "make", "dr1"), Kill("loader", step)).code == KILLED
        assert ask("SELECT count(*) FROM pg_namespace WHERE nspname = 'dr1'") == [(0,)]
        assert ask("SELECT count(*) FROM ops.data_release") == [(0,)]
    assert run(("release", "make", "dr1")).code == 0
    assert run(("release", "verify", "dr1")).code == 0


@pytest.mark.heavy
def test_who_dies_while_dropping_a_release_leaves_all_of_it_or_nothing(outbox):
    """It is dropped by the commit; who dies before leaves a whole release, after it the partitions alone."""
    assert run(("release", "make", "dr1")).code == 0
    words = ("release", "drop", "dr1", "--despite", "a test")
    seen = set()
    for step in itertools.count(8, 3):
        outcome = run(words, Kill("loader", step))
        (there,) = ask("SELECT count(*) FROM pg_namespace WHERE nspname = 'dr1'")[0]
        assert ask("SELECT count(*) FROM ops.data_release WHERE dropped_at IS NULL") == [(there,)]
        assert there == 0 or run(("release", "verify", "dr1")).code == 0
        seen.add((outcome.code, there))
        if outcome.code == 0:
            break
    assert seen == {(KILLED, 1), (KILLED, 0), (0, 0)}
