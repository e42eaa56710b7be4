"""The task that makes the mosaics of fields."""

from __future__ import annotations

from loaders.field_mosaic.load import make_field_mosaic, pending_field_mosaics
from roman_db.jobs import Task, Unit


def _images(unit: Unit) -> tuple[str, ...]:
    """Name what a unit has to account for: the reference images."""
    return tuple(f"reference image {number}" for number in unit.arguments["reference_image_id"])


FIELD_MOSAIC = Task(
    "field_mosaic",
    "Put the images of all detectors of a field onto one grid",
    pending_field_mosaics,
    make_field_mosaic,
    _images,
)
