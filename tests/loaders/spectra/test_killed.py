"""kill -9 of ``run spectra`` at some moments, then the same command again: all rows, once."""

from __future__ import annotations

import itertools

import pytest

from roman_db import sqlfile
from tests.faults.killed import KILLED, Kill, run
from tests.loaders.spectra.field import load_references
from tests.roman_db.conftest import execute, url_of

COUNTS = """
SELECT (SELECT count(*) FROM roman.spectral_extraction), (SELECT count(*) FROM roman.exposure_spectrum),
       (SELECT count(*) FROM roman.spectrum_location), (SELECT count(*) FROM roman.spectrum),
       (SELECT count(*) FROM roman.spectrum_part), (SELECT count(*) FROM roman.redshift)
"""
ROWS = """
SELECT s.object_id, s.n_exposure, s.wavelength, s.flux, s.flux_err, r.z, r.chi2
FROM roman.spectrum AS s JOIN roman.redshift AS r USING (spectrum_id)
WHERE s.superseded_at IS NULL ORDER BY s.object_id
"""


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_what_was_killed_is_done_again(sky, spectra_template, cluster_url, prism_field, product_folder):
    """The rows are those of a run that was left alone, bit for bit, and no other file is left."""
    load_references(prism_field)
    seen = []
    for step in itertools.count(15, 20):
        outcome = run(("run", "spectra"), Kill("loader", step))
        seen.append(execute(sky, COUNTS)[0])
        assert execute(sky, sqlfile.find("audits", "spectra").text) == []
        if outcome.code == 0:
            break
        assert outcome.code == KILLED
    assert {row[0] for row in seen} >= {0, 2}
    assert all(row[1] == row[2] == 3 * row[0] for row in seen)
    assert seen[-1] == (2, 6, 6, 3, 6, 3)
    alone = execute(url_of(cluster_url, spectra_template), ROWS)
    assert repr(execute(sky, ROWS)) == repr(alone)
    files = execute(sky, "SELECT cutout_path FROM roman.spectral_extraction ORDER BY 1")
    assert [row[0] for row in files] == sorted(map(str, product_folder.rglob("*.parquet")))
