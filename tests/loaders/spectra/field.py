"""A small field through the prism: its files, and what loads them."""

from __future__ import annotations

from pathlib import Path

from loaders.spectral_extraction.calibration_file import designed_sensitivity, write_sensitivity
from loaders.spectral_simulation.field import changed_parameters
from loaders.spectral_simulation.simulate import simulate_field, write_field
from tests.faults.command_line import succeed

FIELD = {
    "optical_element": "PRISM",
    "detector": "WFI03",
    "window": {"x": 1900, "y": 1900, "width": 60, "height": 330},
    "sources": 3,
    "star_fraction": 0.0,
    "magnitude": [18.5, 19.5],
    "redshift": [0.7, 1.4],
    "equivalent_width": [200.0, 300.0],
    "exposures": 2,
    "dithers": [[0.0, 0.0], [0.47, 1.31]],
    "seed": 8,
}


def make_prism_field(folder: Path) -> Path:
    """Write exposures, truth.parquet, geometry.asdf and sensitivity.asdf into a folder."""
    list(write_field(simulate_field(changed_parameters(FIELD)), folder))
    write_sensitivity(folder / "sensitivity.asdf", designed_sensitivity("PRISM"))
    return folder


def load_sky(folder: Path) -> None:
    """Load exposures and catalog."""
    succeed("load", "exposure", folder)
    succeed("load", "catalog", folder / "truth.parquet")


def load_references(folder: Path) -> None:
    """Load geometry and sensitivity."""
    succeed("load", "spectral-reference", folder / "geometry.asdf", folder / "sensitivity.asdf")
