"""The task of the mode ``mosaic-photometry``."""

from __future__ import annotations

from loaders.mosaic_photometry.load import pending_mosaics, photometer_unit
from loaders.static_catalog.tasks import mosaic_files, mosaic_names
from roman_db.jobs import Mode, Task

PHOTOMETER_MOSAIC = Task(
    "photometer_mosaic",
    "Photometer the catalogued objects in each mosaic and store blocks",
    pending_mosaics,
    photometer_unit,
    mosaic_names,
    mosaic_files,
)

MOSAIC_PHOTOMETRY = Mode(
    "mosaic-photometry",
    "Photometer every catalogued object in every new mosaic, write the light curves",
    (PHOTOMETER_MOSAIC,),
)
