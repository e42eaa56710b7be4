"""Where there is no room nothing is left, and the next attempt begins anew."""

from __future__ import annotations

import resource

import pytest

from .conftest import ask
from .test_delivery import DAILY, SERIES, status

ROOM = 60_000


@pytest.mark.heavy
def test_a_disk_that_is_full_fails_a_delivery_and_leaves_nothing(outbox, run):
    """Files may not grow beyond so many bytes: the first product fits, the second does not."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, limits[1]))
    try:
        done = run("make", *DAILY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert done.exit_code == 1
    assert "File too large" in done.output
    assert "Traceback" not in done.output
    assert list(outbox.staging("x").parent.iterdir()) == []
    (row,) = ask("SELECT state, message, n_file FROM ops.delivery")
    assert (row[0], row[2]) == ("failed", None)
    assert "File too large" in row[1]
    assert status()[0] == "failed"
    assert ask("SELECT count(*) FROM ops.product WHERE state <> 'dropped'") == [(0,)]
    assert ask("SELECT state FROM ops.load_run WHERE task = 'deliveries make'") == [("failed",)]
    assert run("retry", 1).output == f"{SERIES}_v2 is published as delivery 2.\n"
