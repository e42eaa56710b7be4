"""Refined photometry in the database: of a blended event, from pixels to light curves."""

from __future__ import annotations

import numpy as np
import pytest
import sqlalchemy as sa

from loaders.refined_photometry import load
from loaders.refined_photometry.load import summary_of_refinement
from loaders.refined_photometry.tasks import REFINE_MODE
from loaders.stored_curve.load import read_curves
from roman_db import session
from roman_db.jobs import run_mode
from tests.loaders.refined_photometry.blended import N_EXPOSURE, OFFSET
from tests.loaders.refined_photometry.stored import model_of, object_of, store_event, truth
from tests.processes import in_processes

GIVEN = {"survey": "gbtds", "season": 1, "photometry_kind": "psf", "redo": False}
CURVE = """
SELECT midpoint_bjd_tdb, flux::float8, flux_err::float8 FROM roman.light_curve
WHERE object_id = :object_id AND photometry_kind = :kind ORDER BY 1
"""


def refine(**more):
    report = run_mode(REFINE_MODE, GIVEN | more, lambda *_: None)
    assert not report.failed, report.failed
    return report


def ask(query, **values):
    with session.reading() as connection:
        return connection.execute(sa.text(query), values).all()


def change(query, **values):
    with session.transaction(session.Role.OWNER) as connection:
        connection.execute(sa.text(query), values)


def curve(object_id, kind):
    return np.array(ask(CURVE, object_id=object_id, kind=kind), dtype=float).T


ROWS = "SELECT * FROM roman.event_refinement WHERE superseded_at IS NULL ORDER BY event_id"


@pytest.mark.heavy
def test_a_blended_event_is_refined(photometered, blended):
    """The source is where it is, its light what it is, and a second run has nothing to do."""
    refine()
    (row,) = ask(ROWS)
    assert (row.status, row.n_exposure, row.optical_element) == ("fitted", N_EXPOSURE, "F146")
    # The catalogued place of the object is the centre of the light of both, with errors.
    at = blended.scene.stars.astrometry
    true = np.array([at.ra[blended.source], at.dec[blended.source]])
    off = (np.array([row.ra, row.dec]) - true) * 3.6e6 * [np.cos(np.radians(true[1])), 1]
    assert np.abs(off / [row.ra_err, row.dec_err]).max() < 4
    assert np.abs(off).max() < 3
    apart = np.array([row.offset_ra - row.baseline_offset_ra, row.offset_dec - row.baseline_offset_dec])
    assert apart == pytest.approx(OFFSET, abs=5)
    time, flux, error = curve(object_of(blended.source), "refined")
    pull = (flux - truth(blended, time)) / error
    assert 0.7 < np.std(pull) < 1.4
    assert abs(np.mean(flux / truth(blended, time)) - 1) < 0.01
    assert row.reduced_chi2 == pytest.approx(1, abs=0.15)
    assert list(summary_of_refinement(1, "psf")) == [
        f"Refined photometry: 1 fitted; median error {row.ra_err:.2f} mas."
    ]
    assert refine().succeeded == []
    _is_read_and_versions_stay(blended, row, flux)


def _is_read_and_versions_stay(blended, row, flux):
    """Who asks for the event gets the refined points; a second version replaces the first, which stays."""
    star = object_of(blended.source)
    seen = ask("SELECT DISTINCT photometry_kind FROM roman.event_light_curve WHERE event_id = 1")
    assert seen == [("refined",)]
    assert len(curve(star, "psf")[0]) == N_EXPOSURE
    neighbours = ask("SELECT DISTINCT object_id FROM roman.light_curve WHERE photometry_kind = 'refined'")
    assert (star,) in neighbours
    refine(redo=True)
    old, new = ask("SELECT * FROM roman.event_refinement ORDER BY event_refinement_id")
    assert old.superseded_at is not None
    assert (new.superseded_at, new.ra, new.dec) == (None, old.ra, old.dec)
    versions = ask(
        "SELECT load_run_id, superseded_at IS NULL, array_agg(flux ORDER BY midpoint_bjd_tdb)"
        " FROM roman.light_curve_version WHERE object_id = :star AND photometry_kind = 'refined'"
        " GROUP BY 1, 2 ORDER BY 1",
        star=star,
    )
    assert [(one[0], one[1]) for one in versions] == [(row.load_run_id, False), (new.load_run_id, True)]
    assert versions[0][2] == pytest.approx(flux.tolist(), rel=1e-6)
    assert versions[1][2] == versions[0][2]
    (found,) = read_curves([star], "refined", 0, 100_000)
    assert found.n_measured == N_EXPOSURE


@pytest.mark.heavy
def test_what_cannot_be_refined_has_a_row(photometered, blended, monkeypatch):
    """Events without a model, of an object that no exposure shows, and exposures whose files are gone."""
    in_processes(monkeypatch, load)
    change("DELETE FROM roman.event_model_flux")
    change("DELETE FROM roman.event_model_parameter")
    other = ask("SELECT object_id FROM roman.object ORDER BY object_id LIMIT 1")[0][0]
    unseen = store_event(blended, other, model_of(blended))
    change(
        "UPDATE ops.input_file SET path = '/nowhere/' || filename"
        " WHERE kind = 'exposure' AND file_id % 8 <> 0"
    )
    run = refine().load_run_id
    first, second = ask(ROWS)
    assert (first.status, first.n_exposure, first.detector) == ("no_model", 0, "WFI07")
    assert (second.event_id, second.status, second.detector) == (unseen, "no_exposure", None)
    assert first.ra is None
    lost = ask(
        "SELECT count(*) FROM ops.load_rejection WHERE load_run_id = :run AND code = 'missing_file'", run=run
    )
    kept = ask("SELECT count(*) FROM ops.input_file WHERE kind = 'exposure' AND file_id % 8 = 0")
    assert lost[0][0] + kept[0][0] == N_EXPOSURE
    assert ask("SELECT 1 FROM roman.light_curve_block WHERE photometry_kind = 'refined'") == []
    assert refine().succeeded == []


@pytest.mark.heavy
def test_refined_light_curves_are_not_refined_again(photometered):
    assert refine(photometry_kind="refined").succeeded == []
    assert refine(photometry_kind="external").succeeded == []
