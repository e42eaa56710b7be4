"""``roman-db run spectral-calibration``: wrong references to right ones, and what cannot be derived."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loaders.spectral_extraction.calibration_file import designed_sensitivity, read_sensitivity
from loaders.spectral_geometry.nominal import nominal_reference
from loaders.spectral_geometry.read import read_geometry
from tests.faults.command_line import roman_db
from tests.loaders.spectral_calibration.field import DETECTOR
from tests.roman_db.conftest import execute

STANDARDS = ("--standard", "star0", "--standard", "star1", "--standard", "star2")
COMMAND = ("run", "spectral-calibration", "--pedigree", "SIMULATION", *STANDARDS)
REFERENCES = """
SELECT r.reftype, r.version, r.detector, r.pedigree, f.path FROM roman.calibration_reference AS r
JOIN ops.input_file AS f USING (file_id) ORDER BY r.calibration_reference_id
"""
SOURCES = """
SELECT r.reftype, f.kind, s.n_source, s.zero_point, s.throughput FROM roman.calibration_source AS s
JOIN roman.calibration_reference AS r USING (calibration_reference_id)
JOIN ops.input_file AS f ON f.file_id = s.file_id ORDER BY r.reftype, f.kind, s.file_id
"""
REJECTED = "SELECT source, code FROM ops.load_rejection ORDER BY load_rejection_id"
QUALITY = """
SELECT q.metric, q.value, q.verdict FROM ops.quality_metric AS q
JOIN roman.calibration_reference AS r USING (calibration_reference_id) ORDER BY q.metric
"""
STATE = "SELECT DISTINCT stale_reason FROM roman.spectral_exposure_state"


def check_geometry(path: str) -> None:
    """Wavelengths fall within 0.1 pixel of the truth; the dispersion is right to 0.02 nm a pixel."""
    x, y = np.array([1925.0, 1975.0, 2010.0]), np.array([2129.0, 2089.0, 2002.0])
    wavelength = np.linspace(0.8, 1.75, 20)
    found, true = (
        reference.on(DETECTOR).disperse(1, x, y, wavelength)[1]
        for reference in (read_geometry(Path(path)), nominal_reference("PRISM"))
    )
    assert np.abs(found - true).mean(axis=1).max() < 0.1
    dispersion, designed = (np.diff(wavelength * 1000) / np.diff(one, axis=1) for one in (found, true))
    assert np.abs(dispersion - designed).max() < 0.02


def check_sensitivity(path: str) -> None:
    """The curve is that of the effective area to 0.2 %, as is required."""
    curve = read_sensitivity(Path(path)).curves[DETECTOR][1]
    true = designed_sensitivity("PRISM").curves[DETECTOR][1]
    inside = (true.wavelength > 0.8) & (true.wavelength < 1.75)
    ratio = curve.value[inside] / true.value[inside]
    assert abs(np.median(ratio) - 1) < 0.002
    assert np.abs(ratio - 1).max() < 0.01
    assert curve.covariance is not None
    assert np.linalg.eigvalsh(curve.covariance.value).min() > 0


def test_wrong_references_become_right_ones(stars):
    outcome = roman_db(*COMMAND)
    assert "Geometry of PRISM WFI03, version 1: 2 exposures with 6 spectra of sources" in outcome.out
    rows = execute(stars, REFERENCES)
    assert [row[:4] for row in rows[2:]] == [
        ("geometry", 1, DETECTOR, "SIMULATION"),
        ("sensitivity", 1, DETECTOR, "SIMULATION"),
    ]
    check_geometry(rows[2][4])
    assert {row[2] for row in execute(stars, QUALITY)} == {"good"}
    sources = execute(stars, SOURCES)
    assert [row[:3] for row in sources if row[0] == "geometry"] == [("geometry", "exposure", 3)] * 2
    kinds = [row[1] for row in sources if row[0] == "sensitivity"]
    assert kinds == ["exposure"] * 2 + ["spectral_reference"] + ["spectrum"] * 3
    # What could not be derived is said, and costs nothing else.
    assert outcome.code == 1
    assert execute(stars, REJECTED) == [
        ("flat PRISM WFI03", "noisy_flat"),
        ("sensitivity PRISM WFI03", "one_dither"),
    ]
    again = roman_db(*COMMAND, "--kind", "geometry", "--kind", "sensitivity")
    assert again.code == 0
    assert execute(stars, REFERENCES) == rows


@pytest.mark.heavy
def test_the_sensitivity_is_right_to_what_is_required(stars):
    roman_db(*COMMAND)
    check_sensitivity(execute(stars, REFERENCES)[3][4])


def test_without_references_each_kind_is_refused_with_a_row(stars):
    execute(stars, "UPDATE roman.calibration_reference SET superseded_at = now()")
    outcome = roman_db(*COMMAND)
    assert outcome.code == 1
    kinds = ("geometry", "flat", "sensitivity")
    assert execute(stars, REJECTED) == [(f"{kind} PRISM WFI03", "no_reference") for kind in kinds]


def test_files_that_are_gone_are_told_and_the_kind_is_refused(stars):
    execute(stars, "UPDATE ops.input_file SET path = '/gone/' || filename WHERE filename LIKE '%prism%'")
    outcome = roman_db(*COMMAND, "--kind", "geometry")
    assert outcome.code == 1
    codes = [code for _, code in execute(stars, REJECTED)]
    assert codes == ["missing_file", "missing_file", "no_calibration_source"]
    assert len(execute(stars, REFERENCES)) == 2


def test_what_is_selected_is_all_that_is_derived(stars):
    """No exposure is of that program, or of that element."""
    for chosen in (("--program", 99999), ("--optical-element", "GRISM")):
        assert roman_db(*COMMAND, *chosen).code == 0
    assert execute(stars, REJECTED) == []
    assert len(execute(stars, REFERENCES)) == 2
