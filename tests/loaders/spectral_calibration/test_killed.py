"""kill -9 of ``run spectral-calibration`` at some moments, then the same again: each reference once."""

from __future__ import annotations

import itertools
from pathlib import Path

import asdf
import pytest

from roman_db.settings import settings
from tests.faults.killed import KILLED, Kill, run
from tests.loaders.spectral_calibration.test_run import COMMAND, REFERENCES, SOURCES
from tests.roman_db.conftest import execute

COMMANDS = *COMMAND, "--kind", "geometry", "--kind", "sensitivity"
UNFINISHED = """
SELECT count(*) FROM roman.calibration_reference AS r
WHERE r.version > 0 AND NOT EXISTS (
    SELECT FROM roman.calibration_source AS s WHERE s.calibration_reference_id = r.calibration_reference_id
)
"""


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_what_was_killed_is_done_again(stars):
    """References and what they were derived from are there together, once, and no other file is left."""
    seen = []
    for step in itertools.count(12, 17):
        outcome = run(COMMANDS, Kill("loader", step))
        seen.append(len(execute(stars, REFERENCES)) - 2)
        assert execute(stars, UNFINISHED) == [(0,)]
        if outcome.code != KILLED:
            break
    assert {0, 2} <= set(seen)
    assert seen == sorted(seen)
    rows = execute(stars, REFERENCES)[2:]
    assert [row[:2] for row in rows] == [("geometry", 1), ("sensitivity", 1)]
    written = sorted(map(str, (settings().product_folder / "spectral_calibration").iterdir()))
    assert written == sorted(row[4] for row in rows)
    for path in written:
        with asdf.open(Path(path)) as file:
            assert file.tree.get("roman", file.tree)
    # Geometry of two exposures; sensitivity of these, of that geometry, and of three standards.
    assert [row[0] for row in execute(stars, SOURCES)] == ["geometry"] * 2 + ["sensitivity"] * 6
