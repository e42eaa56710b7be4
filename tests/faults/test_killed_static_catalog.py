"""kill -9 of ``run static-catalog`` at some moments, then the same command again: all rows, once."""

from __future__ import annotations

import itertools

import pytest

from tests.faults.command_line import succeed
from tests.faults.killed import KILLED, Kill, run
from tests.loaders.static_catalog.field import Field, make_field
from tests.roman_db.conftest import execute

_COUNTS = """
SELECT (SELECT count(*) FROM roman.source_catalog), (SELECT count(*) FROM roman.source_catalog_mosaic),
       (SELECT count(*) FROM roman.source), (SELECT count(*) FROM roman.source_photometry),
       (SELECT count(*) FROM roman.object), (SELECT count(*) FROM roman.object_flux),
       (SELECT count(*) FROM roman.catalog_version)
"""
_ROWS = """
SELECT s.label, s.object_id, s.ra, s.photoz, p.kron_flux, p.aper_flux FROM roman.source s
JOIN roman.source_photometry p USING (source_catalog_id, label) ORDER BY s.label
"""


@pytest.fixture(scope="module")
def field(tmp_path_factory) -> Field:
    return make_field(tmp_path_factory.mktemp("field") / "files")


def test_what_was_killed_is_done_again(new_database, field, tmp_path):
    succeed("load", "mosaic", field.mosaics["F158"])
    words = ("run", "static-catalog", "--products", tmp_path)
    nothing = execute(new_database, _COUNTS)
    seen = []
    for step in itertools.count(20, 12):
        outcome = run(words, Kill("loader", step))
        seen.append(execute(new_database, _COUNTS))
        if outcome.code == 0:
            break
        assert outcome.code == KILLED
    first, counts = execute(new_database, _ROWS), execute(new_database, _COUNTS)
    assert len(seen) > 2
    assert all(one in (nothing, counts) for one in seen)
    assert seen[0] == nothing
    assert counts[0][:2] == (1, 1)
    assert counts[0][2] == counts[0][3] == len(first) > 20
    assert run(words).code == 0
    assert (execute(new_database, _ROWS), execute(new_database, _COUNTS)) == (first, counts)
