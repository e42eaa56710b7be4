"""The PSF library in the database: built per detector, optical element and day, chosen by epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.psf.model import EffectivePsf
from loaders.psf.optics import optical_psf
from roman_db.schema.metadata import table

_CHOOSE = """
SELECT * FROM roman.psf_model
WHERE detector = :detector AND optical_element = :optical_element AND superseded_at IS NULL
ORDER BY abs(epoch_mjd_tdb - CAST(:mjd AS float8)) LIMIT 1
"""


def psf_for(connection: sa.Connection, detector: str, optical_element: str, mjd_tdb: float) -> EffectivePsf:
    """Library PSF nearest in time; that of the optics alone where the library has none."""
    values = {"detector": detector, "optical_element": optical_element, "mjd": mjd_tdb}
    row = connection.execute(sa.text(_CHOOSE), values).mappings().first()
    return optical_psf(detector, optical_element) if row is None else psf_of_row(dict(row))


def psf_of_row(row: dict[str, Any]) -> EffectivePsf:
    """Effective PSF of a row of ``roman.psf_model``."""
    x, y = np.array(row["x_node"], np.float64), np.array(row["y_node"], np.float64)
    stamps = np.frombuffer(row["stamp"], "<f4").reshape(y.size, x.size, row["size"], row["size"])
    return EffectivePsf(stamps.astype(np.float64), row["oversampling"], x, y)


def row_of_psf(psf: EffectivePsf) -> dict[str, Any]:
    """Columns of ``roman.psf_model`` that hold the PSF itself."""
    return {
        "oversampling": psf.oversampling,
        "size": psf.size,
        "x_node": psf.x_node.tolist(),
        "y_node": psf.y_node.tolist(),
        "stamp": psf.stamps.astype("<f4").tobytes(),
    }


def superseded(exposure_id: list[int]) -> sa.Update:
    """Statement that marks current library PSFs built from any of the exposures as superseded."""
    models = table("roman.psf_model")
    wanted = sa.cast(sa.bindparam("wanted", exposure_id), sa.ARRAY(sa.BigInteger))
    built = models.c.exposure_id.op("&&")(wanted)
    return models.update().where(built, models.c.superseded_at.is_(None)).values(superseded_at=sa.func.now())
