"""An image with a distorted WCS, as files of exposures and reference images have them."""

from __future__ import annotations

from pathlib import Path

import asdf
import gwcs
import numpy as np
from astropy import units as u
from astropy.coordinates import ICRS
from astropy.modeling import models
from gwcs import coordinate_frames as cf

SHAPE = (120, 160)
#: Degrees per pixel.
SCALE = 0.11 / 3600


def distorted_wcs(ra: float, dec: float, bend: float = 2e-5) -> gwcs.WCS:
    """Turned gnomonic WCS whose pixels bend, so that corners are off by some pixels."""
    n_y, n_x = SHAPE
    bent = [
        models.Polynomial2D(2, **{f"c{'1_0' if axis == 0 else '0_1'}": 1.0, "c2_0": bend, "c1_1": -bend})
        for axis in (0, 1)
    ]
    transform = (
        (models.Shift(-(n_x - 1) / 2) & models.Shift(-(n_y - 1) / 2))
        | models.Mapping((0, 1, 0, 1))
        | (bent[0] & bent[1])
        | models.Rotation2D(30)
        | (models.Scale(-SCALE) & models.Scale(SCALE))
        | models.Pix2Sky_TAN()
        | models.RotateNative2Celestial(ra, dec, 180.0)
    )
    detector = cf.Frame2D(name="detector", axes_names=("x", "y"), unit=(u.pix, u.pix))
    sky = cf.CelestialFrame(name="icrs", reference_frame=ICRS(), unit=(u.deg, u.deg))
    return gwcs.WCS([(detector, transform), (sky, None)])


def pixels() -> np.ndarray:
    """Pixels that say where they are: 1000 times the row, plus the column."""
    return np.add.outer(1000.0 * np.arange(SHAPE[0]), np.arange(SHAPE[1])).astype(np.float32)


def write_image(path: Path, ra: float, dec: float) -> gwcs.WCS:
    """Write an image whose planes follow from `pixels`, and return its WCS."""
    wcs = distorted_wcs(ra, dec)
    tree = {
        "meta": {"wcs": wcs}, "data": pixels() * u.Unit("DN / s"), "err": np.ones(SHAPE, np.float16),
        "dq": np.full(SHAPE, 3, np.uint32),
    }  # fmt: skip
    asdf.AsdfFile({"roman": tree}).write_to(path)
    return wcs
