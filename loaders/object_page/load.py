"""What the page of an object asks for, from the database; `roman_db.portal` finds these by entry points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.object_page.finder import SIDE, cut_out_north_up, grey_levels, small_levels
from loaders.photometry.flags import EXCLUDING_FLAGS
from loaders.reference.product import opened_pixels
from loaders.rejection import Rejected
from loaders.stored_curve.band import usable_band
from loaders.stored_curve.load import read_curves
from loaders.variable_object.periods import period_at_best, periodogram
from roman_db import session

#: Images that are tried for a finder; pixels along an axis of an image of the sky.
_TRIED, _LARGEST = 6, 1024

#: Days of all light curves.
_ALL_DAYS = (0, 1_000_000)

#: Current images whose middle is near a place.
_IMAGES = """
SELECT r.path, r.detector, r.optical_element, r.start_mjd FROM roman.reference_image AS r
WHERE r.superseded_at IS NULL
  AND q3c_join(CAST(:ra AS float8), CAST(:dec AS float8), r.ra_ref, r.dec_ref, CAST(0.15 AS float8))
ORDER BY r.reference_kind = 'season' DESC,
         r.optical_element = 'F146' DESC, r.start_mjd DESC LIMIT :most
"""

_IMAGE = "SELECT path FROM roman.reference_image WHERE reference_image_id = :number"


def finder(ra: float, dec: float, half: float) -> dict[str, Any] | None:
    """Cutout of a current reference image about a place, north up and east left.

    Parameters
    ----------
    ra, dec
        Degrees ICRS.
    half
        Half the side, arcsec.

    Returns
    -------
    dict or None
        ``levels`` of grey, shape (n, n), ``scale`` in arcsec a pixel, and the ``name`` of the image; None
        where no image shows the place or its file cannot be read.
    """
    with session.reading() as connection:
        given = {"ra": ra, "dec": dec, "most": _TRIED}
        images = connection.execute(sa.text(_IMAGES), given).all()
    for image in images:
        try:
            with opened_pixels(Path(image.path)) as (frame, data):
                values = cut_out_north_up(data, frame, (ra, dec), half)
        except Rejected:
            continue
        if values is not None:
            name = f"{image.detector} {image.optical_element} from MJD {image.start_mjd}"
            return {"levels": grey_levels(values), "scale": 2 * half / (SIDE - 1), "name": name}
    return None


def sky_image(reference_image_id: int) -> dict[str, Any] | None:
    """A whole reference image for a view of the sky.

    Returns
    -------
    dict or None
        ``levels`` of grey, first row at the top of a picture, and its ``wcs`` as FITS keywords (Greisen &
        Calabretta 2002, A&A 395, 1061), first row as FITS has it, at the bottom; None where there is none.
    """
    with session.reading() as connection:
        row = connection.execute(sa.text(_IMAGE), {"number": reference_image_id}).one_or_none()
    if row is None:
        return None
    try:
        with opened_pixels(Path(row.path)) as (frame, data):
            levels, step = small_levels(data, _LARGEST)
    except Rejected:
        return None
    matrix = frame.matrix * step / 3600
    wcs = {
        "NAXIS": 2,
        "NAXIS1": levels.shape[1],
        "NAXIS2": levels.shape[0],
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CRVAL1": frame.ra,
        "CRVAL2": frame.dec,
        "CRPIX1": (frame.middle[0] + 0.5) / step + 0.5,
        "CRPIX2": (frame.middle[1] + 0.5) / step + 0.5,
        **{f"CD{i + 1}_{j + 1}": float(matrix[i, j]) for i in range(2) for j in range(2)},
        "CUNIT1": "deg",
        "CUNIT2": "deg",
        "RADESYS": "ICRS",
    }
    return {"levels": levels[::-1], "wcs": wcs}


def object_periodogram(object_id: int, photometry_kind: str) -> dict[str, Any] | None:
    """Periodogram of all light curves of an object of a kind, as `loaders.variable_object` computes it.

    Returns
    -------
    dict or None
        ``frequency`` (cycles a day) and ``power`` (fall of chi-square over its greatest), shape (n,); and
        of the best period ``period``, ``period_err`` (days), ``log_false_alarm``, ``explained`` and
        ``n_point``. None where points are too few.
    """
    bands = []
    for curve in read_curves([object_id], photometry_kind, *_ALL_DAYS, session.Role.READER):
        bad = curve.flags & EXCLUDING_FLAGS != 0
        bands.append(usable_band(curve.optical_element, curve.time, curve.flux, curve.error, bad))
    found = periodogram(bands)
    if found is None:
        return None
    best = period_at_best(bands, *found)
    frequency, gain = found
    return {
        "frequency": frequency,
        "power": gain / max(float(np.max(gain)), 1e-300),
        "period": best.period,
        "period_err": best.error,
        "log_false_alarm": best.log_false_alarm,
        "explained": best.explained,
        "n_point": best.n_point,
    }
