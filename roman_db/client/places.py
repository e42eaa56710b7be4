"""Places and angles as people give them, and as ADQL has them."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import Angle, SkyCoord
from astropy.table import Table

from roman_db.client.failure import BadQuery


def read_place(given: SkyCoord | str) -> SkyCoord:
    """Read one place.

    Parameters
    ----------
    given
        Coordinates in any frame, or a text in ICRS: degrees (``267.5 -30.01``), or hours and degrees.

    Raises
    ------
    BadQuery
        If it is none, or many.
    """
    if isinstance(given, str):
        is_sexagesimal = len(given.replace(",", " ").split()) > 2 or any(one in given for one in "hms:")
        try:
            return SkyCoord(given, unit=(u.hourangle, u.deg) if is_sexagesimal else u.deg, frame="icrs")
        except (ValueError, TypeError) as error:
            raise BadQuery(
                f"{given!r} is no place ({error}): write 267.5 -30.01, or give a SkyCoord"
            ) from error
    if not isinstance(given, SkyCoord) or not given.isscalar:
        raise BadQuery(
            f"a place must be one SkyCoord or a text, got {type(given).__name__}; many go to match()"
        )
    return given


def angle_in_deg(given: Any) -> float:
    """Angle in deg; a bare number is in deg, a text such as ``5 arcsec`` has its unit.

    Raises
    ------
    BadQuery
        If it is no angle, or negative.
    """
    try:
        value = float(Angle(given, unit=None if isinstance(given, str | u.Quantity) else u.deg).deg)
    except (u.UnitsError, ValueError, TypeError) as error:
        raise BadQuery(f"{given!r} is no angle ({error}): give 5 * u.arcsec, or a number in deg") from error
    if not 0 <= value <= 180:
        raise BadQuery(f"an angle around a place must be 0 to 180 deg, got {value:g} deg")
    return value


def place_table(places: SkyCoord) -> Table:
    """Places as a table to upload: ``place`` (index), ``ra`` and ``dec`` (ICRS, deg)."""
    if not isinstance(places, SkyCoord):
        raise BadQuery(
            f"places must be a SkyCoord, got {type(places).__name__}: SkyCoord(ra, dec, unit='deg')"
        )
    where = places.icrs.reshape(-1)
    columns = {"place": np.arange(where.size), "ra": where.ra.deg, "dec": where.dec.deg}
    return Table(columns, units={"ra": "deg", "dec": "deg"})


def polygon(corners: SkyCoord) -> str:
    """POLYGON of ADQL with three or more corners."""
    if not isinstance(corners, SkyCoord) or corners.ndim != 1 or corners.size < 3:
        raise BadQuery("corners must be a SkyCoord of shape (n,), n at least 3")
    where = corners.icrs
    numbers = np.column_stack([where.ra.deg, where.dec.deg]).ravel().tolist()
    return f"POLYGON({', '.join(map(repr, numbers))})"
