"""Made-up references in the forms in which others publish theirs, and those of Roman where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

OPTICAL_MODELS = Path(__file__).resolve().parents[4] / "shared" / "data" / "roman_optical_model"

GRISMCONF = """# made up
FILTER G150
DISPX_1_0 2.0 1e-4 -2e-4
DISPX_1_1 -5.0 2e-4 1e-4
DISPY_1_0 -400.0 1e-3 2e-3 1e-7 -2e-7 3e-7
DISPY_1_1 850.0 2e-3 -1e-3 0 1e-7 0
DISPY_1_2 4.0
DISPL_1_0 9900 0.01 0.02
DISPL_1_1 9400
DISPL_1_2 50 ; with a bend
DISPX_0_0 0
DISPY_0_0 1375
DISPY_0_1 10
DISPL_0_0 9900
DISPL_0_1 9400
"""

AXE = """INSTRUMENT made-up
BEAMA -60 75
XOFF_A 1.5
YOFF_A -0.25 1e-4 2e-4
DYDX_ORDER_A 2
DYDX_A_0 0.5 1e-4 0
DYDX_A_1 0.02 1e-6 2e-6
DYDX_A_2 1e-4
DISP_ORDER_A 1
DLDP_A_0 14000 0.1 0.2
DLDP_A_1 46.0 1e-4 0
"""


def made_up_model() -> dict[str, Any]:
    """An optical model in the layout of Roman's, with numbers of our own."""
    rng = np.random.default_rng(5)
    scale = 0.3 ** np.arange(3)
    field = scale[:, None] * scale

    def cube(terms: list[float]) -> list[Any]:
        noise = rng.normal(0, 0.02, (len(terms), 3, 3)) * field
        noise[:, 0, 0] += 1
        noise[np.array(terms) == 0] = 0
        return (np.array(terms)[:, None, None] * noise).tolist()

    x_map = np.array([[0.1, 0.2, 0.1], [320.0, -3.0, 1.0], [0.3, 0.1, 0.2]])
    order = {
        "xmap_ij_coeff": x_map.tolist(),
        "ymap_ij_coeff": x_map.T.tolist(),
        "ids_ijk_coeff": cube([0.0, 9.1, 0.05, -0.01]),
        "crv_ijk_coeff": cube([0.0, 0.05, 0.002]),
    }
    missing = dict.fromkeys(order)
    return {
        "meta": {"unit_wl": "micron", "optical_element": "grism"},
        "detector_model": {
            "crpix1": 2044.5,
            "crpix2": 2044.5,
            "pos_angle_detector": 0.0,
            "plate_scale": 100,
            "xy_centers": {1: [-22.14, 12.15], 7: [-110.7, 42.2]},
        },
        "optical_model": {
            "wl_min": 0.9,
            "wl_max": 2.0,
            "wl_reference": 1.55,
            "wl_transform": "linear",
            "orders": {"1": order, "m1": missing},
        },
    }


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    """The made-up optical model as a file."""
    path = tmp_path / "model.yaml"
    path.write_text(yaml.safe_dump(made_up_model()))
    return path


@pytest.fixture(params=["grism", "prism"])
def published_model(request: pytest.FixtureRequest) -> Path:
    """An optical model that the SSC published."""
    path = OPTICAL_MODELS / f"Roman_{request.param}_OpticalModel_v0.8.yaml"
    if not path.exists():
        pytest.skip(f"the optical models are not at {OPTICAL_MODELS}")
    return path
