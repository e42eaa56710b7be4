"""Three stars through the prism, references that are wrong, and the spectra of the stars from elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from astropy import units as u
from astropy.table import Table

from loaders.spectral_calibration.geometry import Correction, corrected
from loaders.spectral_extraction.calibration_file import (
    SensitivityReference,
    designed_sensitivity,
    write_sensitivity,
)
from loaders.spectral_geometry.nominal import nominal_reference
from loaders.spectral_geometry.reference_file import write_reference
from loaders.spectral_simulation.field import changed_parameters
from loaders.spectral_simulation.simulate import simulate_field, write_field
from tests.faults.command_line import succeed

DETECTOR = "WFI03"
FIELD = {
    "optical_element": "PRISM",
    "detector": DETECTOR,
    "window": {"x": 1900, "y": 1900, "width": 130, "height": 420},
    "sources": 3,
    "star_fraction": 1.0,
    "magnitude": [16.5, 17.0],
    "exposures": 2,
    "dithers": [[0.0, 0.0], [0.47, 1.31]],
    "seed": 339,
}
SHIFT, STRETCH, FACTOR = -1.7, 0.004, 0.8
"""By what references are wrong: pixels along y, share of the length of traces, share of the sensitivity."""


def make_star_field(folder: Path) -> Path:
    """Write exposures, truth.parquet, wrong references and spectra of the stars into a folder."""
    list(write_field(simulate_field(changed_parameters(FIELD)), folder))
    zero = np.zeros((1, 1))
    wrong = Correction(zero, zero + SHIFT, 0.0, STRETCH, {}, 0.0, SHIFT, 0)
    write_reference(folder / "wrong.asdf", corrected(nominal_reference("PRISM"), DETECTOR, wrong))
    curves = designed_sensitivity("PRISM").curves[DETECTOR]
    low = {order: replace(curve, value=FACTOR * curve.value) for order, curve in curves.items()}
    write_sensitivity(folder / "low.asdf", SensitivityReference("PRISM", {DETECTOR: low}))
    for row in pq.read_table(folder / "truth.parquet").to_pylist():
        _write_spectrum(folder / f"star{row['source_id']}.ecsv", row)
    return folder


def _write_spectrum(path: Path, row: dict) -> None:
    wave, flux = np.array(row["wavelength"]), np.array(row["flux_density"])
    unit = u.W / u.m**2 / u.um
    table = Table({"wave": wave * u.um, "flux": flux * unit, "err": 0.01 * flux * unit})
    table.meta = {"RA": row["ra"], "DEC": row["dec"], "OBJECT": path.stem}
    table.write(path)


def load_stars(folder: Path) -> None:
    """Load exposures, catalog and references that are wrong."""
    succeed("load", "exposure", folder)
    succeed("load", "catalog", folder / "truth.parquet")
    succeed("load", "spectral-reference", folder / "wrong.asdf", folder / "low.asdf", "--detector", DETECTOR)


def load_standards(folder: Path) -> None:
    """Load the spectra of the stars."""
    succeed("load", "spectra", *sorted(folder.glob("star*.ecsv")), "--resolution", "800")
