"""Level-2 files that the tests make themselves, valid under RAD unless a test asks for a fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import gwcs
import numpy as np
import pytest
import roman_datamodels.datamodels as rdm
from astropy import units as u
from astropy.coordinates import ICRS
from astropy.modeling import models
from astropy.time import Time
from gwcs import coordinate_frames as cf

NAME = "r0000202003004005006_0007_wfi11_f146_cal.asdf"
SHAPE = (64, 80)
REAL_DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "romanisim_l2"

MakeLevel2 = Callable[..., Path]


def tan_wcs(ra: float = 268.0, dec: float = -29.0, scale: float = 0.11 / 3600) -> gwcs.WCS:
    """A plain gnomonic WCS, pixels of `scale` degrees, its centre in the middle of SHAPE."""
    ny, nx = SHAPE
    transform = (
        (models.Shift(-(nx - 1) / 2) & models.Shift(-(ny - 1) / 2))
        | (models.Scale(-scale) & models.Scale(scale))
        | models.Pix2Sky_TAN()
        | models.RotateNative2Celestial(ra, dec, 180.0)
    )
    detector = cf.Frame2D(name="detector", axes_names=("x", "y"), unit=(u.pix, u.pix))
    sky = cf.CelestialFrame(name="icrs", reference_frame=ICRS(), unit=(u.deg, u.deg))
    return gwcs.WCS([(detector, transform), (sky, None)])


def _set(node: object, keyword: str, value: object) -> None:
    *way, last = keyword.split(".")
    for part in way:
        node = node[part]  # type: ignore[index]
    node[last] = value  # type: ignore[index]


@pytest.fixture
def make_level2(tmp_path: Path) -> MakeLevel2:
    """Return a function that writes a Level-2 file and returns its path."""

    def make(
        keywords: Mapping[str, object] | None = None,
        arrays: Mapping[str, np.ndarray] | None = None,
        name: str = NAME,
        wcs: gwcs.WCS | str | None = "default",
        tag: str | None = None,
    ) -> Path:
        model = rdm.ImageModel.create_fake_data(shape=SHAPE, tag=tag)
        rng = np.random.default_rng(1)
        model.data = rng.normal(3.0, 0.3, SHAPE).astype(np.float32)
        model.err = np.full(SHAPE, 0.3, dtype=model.err.dtype)
        model.var_poisson = np.full(SHAPE, 0.05, dtype=model.var_poisson.dtype)
        meta = model.meta
        meta.wcs = tan_wcs() if wcs == "default" else wcs
        start = Time("2027-03-01T06:00:00", scale="utc")
        defaults = {
            "filename": name,
            "instrument.detector": "WFI11",
            "instrument.optical_element": "F146",
            "exposure.start_time": start,
            "exposure.end_time": start + 66.4 * u.s,
            "photometry.conversion_megajanskys": -0.25,
            "photometry.pixel_area": -2.8e-13,
        }
        for keyword, value in {**defaults, **(keywords or {})}.items():
            _set(meta, keyword, value)
        for array, value in (arrays or {}).items():
            model[array] = value
        path = tmp_path / name
        model.save(path)
        return path

    return make


@pytest.fixture(scope="session")
def romanisim_files() -> list[Path]:
    """The three files of romanisim, with which tests on real input run."""
    files = sorted(REAL_DATA.glob("*_cal.asdf"))
    if len(files) != 3:
        pytest.skip(f"the romanisim files are not at {REAL_DATA}")
    return files
