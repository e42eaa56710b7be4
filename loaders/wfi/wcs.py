"""The projection that the WCS of a Level-2 file describes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import gwcs
import numpy as np
import numpy.typing as npt
from astropy import units
from gwcs.coordinate_frames import CelestialFrame

from loaders.rejection import Rejected
from loaders.wfi.product_file import DECODING_ERRORS, one_line
from loaders.wfi.projection import SkyProjection
from loaders.wfi.projection_fit import MARGIN, fit_projection

FloatArray = npt.NDArray[np.float64]

# romanisim labels the frame FK5 but fills it with ICRS positions, as meta.coordinates.reference_frame says.
_FRAMES = ("icrs", "fk5")

_PIXEL_SIDE = (0.05, 0.25)
"""Sides of a pixel, arcsec, between which a WCS is believed; the Wide Field Instrument has 0.11."""

_REMEDY = "Process the exposure again from assign_wcs on"


def projection_of_wcs(
    look_up: Callable[[], gwcs.WCS | None], shape: tuple[int, int], path: Path, margin: float = MARGIN
) -> SkyProjection:
    """Make the projection of a detector image.

    Parameters
    ----------
    look_up
        Gives ``meta.wcs``, which is decoded when it is looked up. Its inverse is not used: the files of
        romanisim have none that works.
    shape
        Pixels of the image (ny, nx).
    path
        The file, for messages.
    margin
        Pixels beyond the edge up to which to project.

    Returns
    -------
    SkyProjection

    Raises
    ------
    Rejected
        Codes ``no_wcs``, ``unusable_wcs``.
    """
    where = f"{path}: meta.wcs"
    try:
        wcs = look_up()
        if wcs is None:
            raise Rejected(where, "the file has no WCS", _REMEDY, "no_wcs")
        to_degrees = _output_scale(wcs)
        projection = fit_projection(lambda x, y: _evaluate(wcs, to_degrees, x, y), shape, margin)
        _check_pixel_side(projection)
    except Rejected:
        raise
    except (*DECODING_ERRORS, ArithmeticError, LookupError, RuntimeError) as error:
        raise Rejected(where, f"unusable: {one_line(error)}", _REMEDY, "unusable_wcs") from error
    return projection


def _output_scale(wcs: gwcs.WCS) -> float:
    """Degrees per unit of the WCS's output, which must be right ascension and declination."""
    frame = wcs.output_frame
    if not isinstance(frame, CelestialFrame):
        raise ValueError(f"its output frame is {getattr(frame, 'name', frame)!r}, not a celestial one")
    name = getattr(frame.reference_frame, "name", None)
    if name not in _FRAMES:
        raise ValueError(f"its reference frame is {name!r}, not ICRS")
    return float(units.Unit(frame.unit[0]).to(units.deg))


def _evaluate(
    wcs: gwcs.WCS, to_degrees: float, x: FloatArray, y: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Positions in degrees, beyond the bounding box too."""
    ra, dec = (np.asarray(getattr(c, "value", c)) for c in wcs(x, y, with_bounding_box=False))
    return ra * to_degrees, dec * to_degrees


def _check_pixel_side(projection: SkyProjection) -> None:
    """Reject a projection whose pixels cannot be those of the instrument."""
    side = np.degrees(np.sqrt(projection.pixel_area)) * 3600
    if not _PIXEL_SIDE[0] <= side <= _PIXEL_SIDE[1]:
        raise ValueError(f"its pixels are {side:.3g} arcsec wide")
