"""``roman-db run spectra``: a simulated field to redshifts in the database, and what makes them stale."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from loaders.combined_spectrum.load import pending_ranges
from loaders.exposure_spectrum.warning_bits import SpectrumBit
from loaders.spectral_extraction.calibration_file import (
    SensitivityReference,
    designed_sensitivity,
    write_sensitivity,
)
from loaders.spectral_extraction.exposure import read_dispersed
from loaders.spectral_geometry.nominal import nominal_reference
from loaders.spectral_geometry.reference_file import write_reference
from tests.faults.command_line import roman_db, succeed
from tests.loaders.spectra.field import load_references
from tests.roman_db.conftest import execute

REDSHIFTS = """
SELECT a.source_id::int, r.z, r.z_err, s.n_exposure FROM roman.spectrum AS s
JOIN roman.redshift AS r USING (spectrum_id) JOIN roman.object_alias AS a USING (object_id)
WHERE s.superseded_at IS NULL AND s.optical_element = 'PRISM' ORDER BY 1
"""
STATE = "SELECT stale_reason, count(*) FROM roman.spectral_exposure_state GROUP BY 1 ORDER BY 1"
CURRENT = """
SELECT x.exposure_id, x.spectral_extraction_id, x.n_source, x.n_extracted, x.reason
FROM roman.spectral_extraction AS x WHERE x.superseded_at IS NULL ORDER BY 1
"""
WITHOUT = """
SELECT DISTINCT s.warning, s.reason FROM roman.exposure_spectrum AS s
JOIN roman.spectral_extraction AS x USING (spectral_extraction_id)
WHERE x.superseded_at IS NULL AND s.n_pixel = 0
"""


def test_redshifts_are_those_of_the_truth(spectra, prism_field):
    """The catalog gives places; all else comes out of pixels."""
    truth = pq.read_table(prism_field / "truth.parquet").to_pylist()
    found = execute(spectra, REDSHIFTS)
    assert [row[0] for row in found] == [row["source_id"] for row in truth]
    for (_, z, error, number), row in zip(found, truth, strict=True):
        assert abs(z - row["redshift"]) < 0.003 * (1 + z)
        assert abs(z - row["redshift"]) < 5 * error
        assert number == 2
    lines = "SELECT count(*) FROM roman.line_measurement WHERE line_name = 'Halpha+[NII]' AND snr > 10"
    assert execute(spectra, lines)[0][0] == len(truth)


def test_a_combined_spectrum_is_the_light_of_the_source_with_its_error(spectra, prism_field):
    truth = {row["source_id"]: row for row in pq.read_table(prism_field / "truth.parquet").to_pylist()}
    rows = execute(
        spectra,
        "SELECT a.source_id::int, s.wavelength, s.flux, s.flux_err FROM roman.spectrum AS s "
        "JOIN roman.object_alias AS a USING (object_id)",
    )
    for source, wavelength, flux, error in rows:
        true = np.interp(wavelength, truth[source]["wavelength"], truth[source]["flux_density"]) * 1e20
        # Beside the lines and the edges of the band, which the prism blurs.
        lines = np.array([0.65646, 0.50082]) * (1 + truth[source]["redshift"])
        beside = np.all(np.abs(np.array(wavelength) - lines[:, None]) > 0.08, axis=0)
        clear = np.isfinite(flux) & beside & (np.abs(np.array(wavelength) - 1.2) < 0.4)
        pull = (np.array(flux)[clear] - true[clear]) / np.array(error)[clear]
        assert clear.sum() > 40
        assert abs(np.median(np.array(flux)[clear] / true[clear]) - 1) < 0.03
        assert 0.6 < np.std(pull) < 1.6


def test_every_object_on_an_exposure_has_its_rows(spectra):
    assert [row[2:] for row in execute(spectra, CURRENT)] == [(3, 3, None)] * 2
    orders = "SELECT count(*), min(spectral_order), max(spectral_order) FROM roman.spectrum_location"
    assert execute(spectra, orders) == [(6, 1, 1)]
    metrics = "SELECT metric, verdict FROM ops.quality_metric WHERE metric LIKE 'spectra%'"
    assert len(execute(spectra, metrics)) == 8
    assert {verdict for _, verdict in execute(spectra, metrics)} == {"good"}
    assert execute(spectra, STATE) == [(None, 2)]


def test_what_is_done_is_left_alone(spectra):
    before = execute(spectra, CURRENT), execute(spectra, REDSHIFTS)
    assert "0 exposures extracted with 0 spectra; 0 spectra combined" in succeed("run", "spectra").out
    assert (execute(spectra, CURRENT), execute(spectra, REDSHIFTS)) == before


#: Objects whose current spectra on exposures are not those of their combined spectrum: all are gone through.
DIFFERING = """
SELECT coalesce(n.object_id, c.object_id) FROM (
    SELECT s.object_id, array_agg(spectral_extraction_id ORDER BY spectral_extraction_id) AS parts
    FROM roman.exposure_spectrum AS s JOIN roman.spectral_extraction AS x USING (spectral_extraction_id)
    WHERE x.superseded_at IS NULL AND s.n_pixel > 0 GROUP BY s.object_id
) AS n FULL JOIN (
    SELECT s.object_id, array_agg(p.spectral_extraction_id ORDER BY p.spectral_extraction_id) AS parts
    FROM roman.spectrum AS s JOIN roman.spectrum_part AS p USING (spectrum_id)
    WHERE s.superseded_at IS NULL GROUP BY s.object_id
) AS c USING (object_id) WHERE n.parts IS DISTINCT FROM c.parts ORDER BY 1
"""
UNCOMBINED = "SELECT count(*) FROM roman.spectral_extraction WHERE combined_at IS NULL"


def test_only_extractions_that_changed_are_looked_at(spectra):
    arguments = {"optical_element": None, "redo": False}
    assert execute(spectra, UNCOMBINED) == [(2,)]
    assert pending_ranges(arguments) == []
    assert execute(spectra, UNCOMBINED) == [(0,)]
    objects = [row[0] for row in execute(spectra, "SELECT DISTINCT object_id FROM roman.spectrum ORDER BY 1")]
    (every,) = pending_ranges(arguments | {"redo": True})
    assert (every.arguments["first_object"], every.arguments["last_object"]) == (objects[0], objects[-1])
    # One object has nothing on the exposure that is taken back.
    gone = "(SELECT min(spectral_extraction_id) FROM roman.spectral_extraction)"
    execute(
        spectra,
        f"DELETE FROM roman.spectrum_part AS p USING roman.spectrum AS s WHERE s.spectrum_id = p.spectrum_id "
        f"AND s.object_id = {objects[0]} AND p.spectral_extraction_id = {gone}",
        f"UPDATE roman.spectral_extraction SET superseded_at = now(), combined_at = NULL "
        f"WHERE spectral_extraction_id = {gone}",
    )
    (unit,) = pending_ranges(arguments)
    differing = [row[0] for row in execute(spectra, DIFFERING)]
    assert differing == objects[1:]
    assert (unit.arguments["first_object"], unit.arguments["last_object"]) == (differing[0], differing[-1])


def test_a_better_direct_exposure_makes_spectra_stale(spectra):
    """One of the same sky that is nearer in time."""
    assert execute(spectra, STATE) == [(None, 2)]
    execute(
        spectra,
        """
        CREATE TABLE nearer AS SELECT * FROM roman.exposure WHERE optical_element = 'F158' LIMIT 1;
        UPDATE nearer SET exposure_id = exposure_id + 32, exposure = exposure + 1, midpoint_mjd_tdb = (
            SELECT midpoint_mjd_tdb FROM roman.exposure WHERE optical_element = 'PRISM'
            ORDER BY midpoint_mjd_tdb LIMIT 1);
        INSERT INTO roman.exposure SELECT * FROM nearer;
        """,
    )
    assert ("direct exposure", 1) in execute(spectra, STATE) or execute(spectra, STATE) == [
        ("direct exposure", 2)
    ]


@pytest.mark.heavy
def test_a_new_reference_makes_stale_what_it_is_for_and_only_that_is_done_again(spectra, tmp_path):
    designed = designed_sensitivity("PRISM").curves["WFI03"][1]
    higher = {"WFI03": {1: replace(designed, value=designed.value * 1.25)}}
    write_sensitivity(tmp_path / "better.asdf", SensitivityReference("PRISM", higher))
    (late,) = execute(spectra, "SELECT max(midpoint_mjd_tdb) FROM roman.spectral_exposure_state")[0]
    succeed("load", "spectral-reference", tmp_path / "better.asdf", "--valid-from", late - 1e-4)
    assert execute(spectra, STATE) == [("sensitivity", 1), (None, 1)]
    stale = "SELECT count(DISTINCT spectrum_id), count(DISTINCT exposure_id) FROM roman.stale_spectrum"
    assert execute(spectra, stale) == [(3, 1)]
    before, redshifts = execute(spectra, CURRENT), execute(spectra, REDSHIFTS)
    outcome = succeed("run", "spectra")
    assert "1 exposures extracted with 3 spectra; 3 spectra combined, 3 with a redshift" in outcome.out
    after = execute(spectra, CURRENT)
    assert after[0] == before[0]
    assert after[1][1] != before[1][1]
    assert execute(spectra, stale) == [(0, 0)]
    for (_, z, *_), (_, again, *_) in zip(redshifts, execute(spectra, REDSHIFTS), strict=True):
        assert again == pytest.approx(z, abs=0.002)
    # The same electrons are less light for a higher sensitivity.
    ratio = execute(
        spectra,
        "SELECT avg(b.flux[80] / a.flux[80]) FROM roman.exposure_spectrum AS a "
        "JOIN roman.exposure_spectrum AS b USING (object_id) "
        f"WHERE (a.spectral_extraction_id, b.spectral_extraction_id) = ({before[1][1]}, {after[1][1]})",
    )
    assert ratio[0][0] == pytest.approx(0.8, abs=0.01)
    assert execute(spectra, "SELECT count(*), count(superseded_at) FROM roman.spectrum") == [(6, 3)]


@pytest.mark.heavy
def test_without_references_all_objects_have_a_row_and_a_reason(sky, prism_field):
    outcome = succeed("run", "spectra")
    reason = "no valid reference of the geometry or the sensitivity"
    assert f"Without a spectrum: 6, {reason}." in outcome.out
    assert execute(sky, WITHOUT) == [(int(SpectrumBit.NO_REFERENCE), reason)]
    assert [row[2:] for row in execute(sky, CURRENT)] == [(3, 0, reason)] * 2
    assert execute(sky, "SELECT count(*) FROM roman.spectrum") == [(0,)]
    assert execute(sky, STATE) == [(None, 2)]
    load_references(prism_field)
    assert execute(sky, STATE) == [("geometry", 2)]


@pytest.mark.heavy
def test_a_direct_exposure_that_is_missing_is_said_and_makes_up_for_it_when_it_comes(
    new_database, prism_field
):
    succeed("load", "exposure", *prism_field.glob("*_prism_cal.asdf"))
    succeed("load", "catalog", prism_field / "truth.parquet")
    load_references(prism_field)
    succeed("run", "spectra")
    reason = "no direct exposure of this sky"
    found = execute(new_database, WITHOUT)
    assert all(bits & SpectrumBit.NO_DIRECT_IMAGE for bits, _ in found)
    assert {said for _, said in found} == {reason}
    assert execute(new_database, "SELECT count(*) FROM roman.spectrum_location") == [(6,)]
    succeed("load", "exposure", *prism_field.glob("*_f158_cal.asdf"))
    assert execute(new_database, STATE) == [("direct exposure", 2)]
    assert "2 exposures extracted with 6 spectra; 3 spectra combined" in succeed("run", "spectra").out


@pytest.mark.heavy
def test_objects_whose_spectra_fall_off_the_detector_have_a_reason(sky, prism_field, tmp_path):
    """With a geometry that sends light 1000 pixels away, nothing of what is on the detector is seen on it."""
    designed = nominal_reference("PRISM")
    away = designed.orders[1].y_map.copy()
    away[0, 0] += 10.0
    moved = replace(designed, orders={1: replace(designed.orders[1], y_map=away)})
    write_reference(tmp_path / "moved.asdf", moved)
    succeed("load", "spectral-reference", tmp_path / "moved.asdf", prism_field / "sensitivity.asdf")
    assert "6, the first order is off the detector." in succeed("run", "spectra").out
    (found,) = execute(sky, WITHOUT)
    assert found[0] & SpectrumBit.OFF_DETECTOR
    assert execute(sky, "SELECT DISTINCT verdict FROM ops.quality_metric WHERE metric ~ '^spectra_e'") == [
        ("failure",)
    ]


@pytest.mark.heavy
def test_objects_off_the_detector_are_found_where_their_spectra_are_on_it(spectra, prism_field, tmp_path):
    """Some 60 pixels above the window; only the catalog knows how bright it is."""
    dispersed = next(prism_field.glob("*_prism_cal.asdf"))
    image = read_dispersed(dispersed, 1.8).image
    ra, dec = (float(c[0]) for c in image.projection.to_sky(np.array([30.0]), np.array([390.0])))
    columns = {"source_id": [99, 98], "ra": [ra] * 2, "dec": [dec, dec + 0.001], "mag_f158": [19.0, np.nan]}
    catalog = Table(columns, units={"ra": "deg", "dec": "deg", "mag_f158": "mag"})
    catalog.write(tmp_path / "more.ecsv", format="ascii.ecsv")
    succeed("load", "catalog", tmp_path / "more.ecsv", "--anywhere")
    assert execute(spectra, STATE) == [("catalog", 2)]
    succeed("run", "spectra")
    found = execute(
        spectra,
        "SELECT DISTINCT a.source_id::int, s.warning, s.n_pixel > 0, s.reason "
        "FROM roman.exposure_spectrum AS s "
        "JOIN roman.spectral_extraction AS x USING (spectral_extraction_id) "
        "JOIN roman.object_alias AS a USING (object_id) "
        "WHERE x.superseded_at IS NULL AND a.source_id IN ('98', '99') ORDER BY 1",
    )
    assert [row[0] for row in found] == [98, 99]
    assert found[1][1] & SpectrumBit.DIRECT_OFF_IMAGE
    assert found[1][1] & SpectrumBit.ASSUMED_SHAPE
    assert found[1][2:] == (True, None)
    assert found[0][1] & SpectrumBit.NO_LIGHT
    assert found[0][2:] == (False, "neither the direct image nor the catalog says how bright it is")


@pytest.mark.heavy
def test_a_file_that_is_gone_costs_its_exposure_alone(sky, prism_field, tmp_path):
    first, _ = sorted(prism_field.glob("*_prism_cal.asdf"))
    copy = tmp_path / first.name
    shutil.copy(first, copy)
    succeed("load", "exposure", copy)
    load_references(prism_field)
    copy.unlink()
    outcome = roman_db("run", "spectra")
    assert outcome.code == 1
    assert "1 exposures extracted with 3 spectra" in outcome.out
    assert execute(sky, "SELECT code FROM ops.load_rejection WHERE source LIKE '%prism_cal.asdf'") == [
        ("missing_file",)
    ]
