"""Objects and their light curves, from the database into arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from roman_db import session
from roman_db.query.error import QueryError
from roman_db.query.statement import parse
from roman_db.query.stream import Request, Result, open_result

FloatArray = npt.NDArray[np.float64]

#: Objects of a cone that are looked at, the nearest first.
MOST_OBJECTS = 1000

_OBJECT = """
    SELECT o.object_id, o.ra, o.dec, o.ref_epoch, coalesce(
        jsonb_object_agg(f.optical_element, f.psf_flux) FILTER (WHERE f.psf_flux IS NOT NULL), '{}'
    )
    FROM roman.object AS o LEFT JOIN roman.object_flux AS f ON f.object_id = o.object_id
"""
_BY_IDENTIFIER = sa.text(f"{_OBJECT} WHERE o.object_id = CAST(:object_id AS bigint) GROUP BY o.object_id")
_IN_CONE = sa.text(
    f"""
    WITH near AS (
        SELECT object_id, q3c_dist(ra, dec, CAST(:ra AS float8), CAST(:dec AS float8)) AS distance
        FROM roman.current_object
        WHERE q3c_radial_query(
            ra, dec, CAST(:ra AS float8), CAST(:dec AS float8), CAST(:radius AS float8) / 3600
        )
        ORDER BY distance LIMIT {MOST_OBJECTS}
    ), known AS (
        {_OBJECT} WHERE o.object_id = ANY(ARRAY(SELECT object_id FROM near)) GROUP BY o.object_id
    )
    SELECT known.*, 3600 * near.distance FROM near JOIN known USING (object_id) ORDER BY near.distance
    """
)
_POINTS = parse(
    """
    SELECT object_id, optical_element, photometry_kind, detector, exposure_id,
           midpoint_mjd_tdb, midpoint_bjd_tdb, flux, flux_err, ab_mag, ab_mag_err, flags
    FROM roman.light_curve
    WHERE object_id = CAST(:object_id AS bigint)
      AND optical_element = coalesce(CAST(:optical_element AS text), optical_element)
      AND photometry_kind = coalesce(CAST(:photometry_kind AS text), photometry_kind)
    ORDER BY optical_element, photometry_kind, midpoint_mjd_tdb
    """
)


@dataclass(frozen=True)
class CataloguedObject:
    """An object.

    Parameters
    ----------
    object_id
        Identifier.
    ra, dec
        Position, deg ICRS, at ``ref_epoch``, a Julian year.
    flux
        Catalogued flux density in nJy by optical element.
    distance
        From the centre of the cone in which it was found, arcsec; NaN where it was named.
    """

    object_id: int
    ra: float
    dec: float
    ref_epoch: float
    flux: Mapping[str, float]
    distance: float = np.nan


@dataclass(frozen=True)
class Cone:
    """A circle on the sky: centre in deg ICRS, radius in arcsec."""

    ra: float
    dec: float
    radius: float

    def __post_init__(self) -> None:
        if not (0 <= self.ra < 360 and -90 <= self.dec <= 90 and 1e-6 <= self.radius <= 3600):
            raise QueryError(
                "a cone needs 0 <= ra < 360, -90 <= dec <= 90 and 1e-6 <= radius <= 3600 arcsec, "
                f"got ra={self.ra}, dec={self.dec}, radius={self.radius}"
            )


@dataclass(frozen=True)
class Series:
    """Points of one optical element and kind of photometry, in order of time; all arrays of shape (n_point,).

    Parameters
    ----------
    exposure_id
        Exposures.
    bjd_tdb
        Midpoints at the barycentre, BJD in TDB.
    flux, flux_err
        Flux density and standard error, nJy; NaN where the measurement failed.
    flags
        Bits as in ``roman.photometry_flag``.
    """

    optical_element: str
    photometry_kind: str
    exposure_id: npt.NDArray[np.int64]
    bjd_tdb: FloatArray
    flux: FloatArray
    flux_err: FloatArray
    flags: npt.NDArray[np.int32]

    @property
    def is_measured(self) -> npt.NDArray[np.bool_]:
        """Points that have a flux."""
        return np.asarray(np.isfinite(self.flux))

    @property
    def is_good(self) -> npt.NDArray[np.bool_]:
        """Points that have a flux and no flag."""
        return np.asarray(self.is_measured & (self.flags == 0))


@dataclass(frozen=True)
class LightCurve:
    """All that was asked for of one object.

    Parameters
    ----------
    target
        The object.
    points
        The points as a table, with unit, UCD and description in the metadata of its fields.
    series
        The same by optical element and kind of photometry.
    """

    target: CataloguedObject
    points: pa.Table
    series: tuple[Series, ...]

    def as_result(self) -> Result:
        """Return the points as a result, for the writers."""
        return Result(
            f"light curve of object {self.target.object_id}",
            self.points.schema,
            iter(self.points.to_batches()),
        )


def find_object(object_id: int) -> CataloguedObject:
    """Return the object of that identifier.

    Raises
    ------
    QueryError
        If there is none.
    """
    with session.reading() as connection:
        row = connection.execute(_BY_IDENTIFIER, {"object_id": object_id}).one_or_none()
    if row is None:
        raise QueryError(f"there is no object {object_id}: search by --ra, --dec and --radius instead")
    return CataloguedObject(*row)


def find_objects(cone: Cone) -> list[CataloguedObject]:
    """Return the objects of a cone, the nearest to its centre first.

    Raises
    ------
    QueryError
        If there is none.
    """
    centre = {"ra": cone.ra, "dec": cone.dec, "radius": cone.radius}
    with session.reading() as connection:
        found = [CataloguedObject(*row) for row in connection.execute(_IN_CONE, centre)]
    if not found:
        raise QueryError(
            f"there is no object within {cone.radius:g} arcsec of {cone.ra}, {cone.dec}: enlarge --radius"
        )
    return found


def read_light_curve(
    target: CataloguedObject, optical_element: str | None = None, photometry_kind: str | None = None
) -> LightCurve:
    """Read the points of an object, of all optical elements and kinds or of one.

    Raises
    ------
    QueryError
        If there is no such optical element.
    """
    if optical_element is not None:
        _check_optical_element(optical_element)
    wanted = {"optical_element": optical_element, "photometry_kind": photometry_kind}
    statement = parse(_POINTS.bind({"object_id": target.object_id, **wanted}))
    with open_result(Request(statement)) as result:
        points = pa.Table.from_batches(result.batches, schema=result.schema)
    kinds = points.select(["optical_element", "photometry_kind"]).group_by(
        ["optical_element", "photometry_kind"]
    )
    keys = sorted((row["optical_element"], row["photometry_kind"]) for row in kinds.aggregate([]).to_pylist())
    return LightCurve(target, points, tuple(_series(points, *key) for key in keys))


def _check_optical_element(name: str) -> None:
    """Check that there is such an optical element, or no photometry would be no news."""
    with session.reading() as connection:
        query = sa.text("SELECT optical_element FROM roman.optical_element ORDER BY 1")
        known = list(connection.execute(query).scalars())
    if name not in known:
        raise QueryError(f"there is no optical element {name!r}; there are {', '.join(known)}")


def _series(points: pa.Table, optical_element: str, photometry_kind: str) -> Series:
    """Points of one optical element and kind."""
    mine = points.filter(
        (pc.field("optical_element") == optical_element) & (pc.field("photometry_kind") == photometry_kind)
    )
    return Series(
        optical_element,
        photometry_kind,
        mine["exposure_id"].to_numpy(),
        mine["midpoint_bjd_tdb"].to_numpy(),
        mine["flux"].to_numpy().astype(np.float64),
        mine["flux_err"].to_numpy().astype(np.float64),
        mine["flags"].to_numpy(),
    )
