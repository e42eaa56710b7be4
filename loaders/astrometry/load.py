"""Exposures with their files, and the catalogued objects that they may show, from the database."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from loaders.astrometry.place import CatalogAstrometry
from loaders.astrometry.stars import CatalogStars
from loaders.input_file import LoadedFile
from loaders.rejection import Rejected
from roman_db import session

#: Nominal side of a pixel (deg) and how far beyond the pixels (deg) stars are taken from the catalog.
_PIXEL, _BEYOND = 0.11 / 3600, 8.0 / 3600

_EXPOSURES = """
SELECT e.exposure_id, e.field_id, e.day_mjd, e.midpoint_mjd_tdb, e.midpoint_bjd_tdb, e.ra, e.dec,
       e.n_x, e.n_y, e.fraction_usable, e.median_background, e.file_id, f.path,
       f.sha256, f.size_bytes
FROM roman.exposure e JOIN ops.input_file f USING (file_id)
WHERE e.exposure_id = ANY(CAST(:exposure_id AS bigint[])) ORDER BY e.midpoint_mjd_tdb
"""

#: Objects (``o``) to be taken for real: those of the current catalog that a catalog names, that were never
#: looked for, or that the last search of some span shows. What only images showed that were made and searched
#: again was none.
CONFIRMED = """NOT EXISTS (
    SELECT FROM roman.dropped_object d WHERE d.object_id = o.object_id AND d.restored_by IS NULL
) AND (
    EXISTS (SELECT FROM roman.object_alias a WHERE a.object_id = o.object_id)
    OR NOT EXISTS (SELECT FROM roman.reference_source s WHERE s.object_id = o.object_id)
    OR EXISTS (
        SELECT FROM roman.reference_source s JOIN roman.reference_image r USING (reference_image_id)
        WHERE s.object_id = o.object_id AND s.state IN ('known', 'new')
          AND (r.superseded_at IS NULL OR NOT EXISTS (
              SELECT FROM roman.reference_image n
              WHERE (n.field_id, n.detector, n.optical_element, n.start_mjd, n.reference_kind)
                    = (r.field_id, r.detector, r.optical_element, r.start_mjd, r.reference_kind)
                AND n.reference_image_id > r.reference_image_id
                AND EXISTS (SELECT FROM roman.reference_source q
                            WHERE q.reference_image_id = n.reference_image_id)))))"""

_STARS = (
    """
SELECT o.object_id, o.ra, o.dec, o.ref_epoch, o.pm_ra::float8, o.pm_dec::float8, o.parallax::float8,
       f.psf_flux::float8, (SELECT max(catalog_version_id) FROM roman.catalog_version)
FROM roman.object o LEFT JOIN roman.object_flux f ON f.object_id = o.object_id AND f.optical_element = $1
WHERE q3c_radial_query(o.ra, o.dec, $2, $3, $4) AND """
    + CONFIRMED
    + " ORDER BY o.object_id"
)

_ANY_STAR = """
SELECT EXISTS (SELECT FROM roman.object WHERE q3c_radial_query(ra, dec, CAST(:ra AS double precision),
    CAST(:dec AS double precision), CAST(:radius AS double precision)))
"""

_ANY_FLUX = f"""
SELECT EXISTS (
    SELECT FROM roman.object AS o
    JOIN roman.object_flux AS f ON f.object_id = o.object_id AND f.optical_element = :optical_element
    WHERE q3c_radial_query(o.ra, o.dec, CAST(:ra AS double precision),
        CAST(:dec AS double precision), CAST(:radius AS double precision))
      AND f.psf_flux <> 'NaN' AND {CONFIRMED})
"""


@dataclass(frozen=True)
class StoredExposure:
    """An exposure as the photometry needs it; positions in deg ICRS, midpoints in TDB."""

    exposure_id: int
    field_id: int
    day_mjd: int
    midpoint_mjd_tdb: float
    midpoint_bjd_tdb: float
    ra: float
    dec: float
    n_x: int
    n_y: int
    fraction_usable: float
    median_background: float
    file_id: int
    path: Path
    sha256: str | None
    size_bytes: int | None

    @property
    def file(self) -> LoadedFile:
        """Its file, as it was when it was loaded."""
        return LoadedFile(self.path, self.sha256, self.size_bytes)


def read_exposures(connection: sa.Connection, exposure_id: Sequence[int]) -> list[StoredExposure]:
    """Read exposures in order of time."""
    rows = connection.execute(sa.text(_EXPOSURES), {"exposure_id": list(exposure_id)})
    return [StoredExposure(**_with_path(row._asdict())) for row in rows]


def read_stars(optical_element: str, exposures: Sequence[StoredExposure]) -> CatalogStars:
    """Read the catalogued objects that exposures may show.

    Raises
    ------
    Rejected
        If there is none.
    """
    return stars_around(optical_element, sky_circle(exposures), exposures[0].path)


def stars_around(optical_element: str, circle: tuple[float, float, float], source: Path) -> CatalogStars:
    """Read the catalogued objects in a circle on the sky.

    Parameters
    ----------
    optical_element
        Element in which their fluxes are wanted.
    circle
        Right ascension, declination and radius, deg ICRS.
    source
        File that is to be measured, for messages.

    Raises
    ------
    Rejected
        Code ``no_catalog`` if there is none.
    """
    with session.arrow_connection(session.Role.LOADER) as connection, connection.cursor() as cursor:
        cursor.execute(_STARS, (optical_element, *circle))
        columns = [column.to_numpy() for column in cursor.fetch_arrow_table().columns]
    if columns[0].size == 0:
        what = f"no catalogued object within {circle[2]:.3f} deg of {circle[0]:.5f} {circle[1]:+.5f}"
        remedy = "Load a catalog of this field first: roman-db load catalog FILE"
        raise Rejected(str(source), what, remedy, "no_catalog")
    return CatalogStars(columns[0], CatalogAstrometry(*columns[1:7]), columns[7], int(columns[8][0]))


def has_stars(
    connection: sa.Connection, exposures: Sequence[StoredExposure], optical_element: str | None = None
) -> bool:
    """Whether any catalogued object lies where exposures may show it; with a flux in an element, if named."""
    ra, dec, radius = sky_circle(exposures)
    where: dict[str, object] = {"ra": ra, "dec": dec, "radius": radius}
    if optical_element is None:
        return bool(connection.execute(sa.text(_ANY_STAR), where).scalar_one())
    where["optical_element"] = optical_element
    return bool(connection.execute(sa.text(_ANY_FLUX), where).scalar_one())


def sky_circle(exposures: Sequence[StoredExposure]) -> tuple[float, float, float]:
    """Centre and radius (deg) of a circle that holds the stars of all exposures."""
    ra, dec = exposures[0].ra, exposures[0].dec
    shrink = math.cos(math.radians(dec))
    wander = max(math.hypot(_turn(one.ra - ra) * shrink, one.dec - dec) for one in exposures)
    half = max(math.hypot(one.n_x, one.n_y) for one in exposures) / 2 * _PIXEL
    return ra, dec, half + wander + _BEYOND


def _turn(degrees: float) -> float:
    """Difference of right ascensions between -180 and 180 deg."""
    return (degrees + 180.0) % 360.0 - 180.0


def _with_path(row: dict[str, Any]) -> dict[str, Any]:
    """Row with its path as a path."""
    return row | {"path": Path(row["path"])}
