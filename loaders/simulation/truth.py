"""What is true of a scene: a catalog, light curves without noise, the stars of an exposure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from astropy import units
from astropy.table import Column, Table, vstack

from loaders.simulation.scene import Scene
from loaders.simulation.season import PlannedExposure
from loaders.simulation.simulate import Simulation, true_state
from loaders.simulation.throughput import flux_njy

FloatArray = npt.NDArray[np.float64]

_MOTION = units.mas / units.yr


def truth_table(scene: Scene) -> Table:
    """The catalog of all sources of a scene, stars before galaxies, one a row.

    Columns: ``source_id`` (row number), ``kind`` (``star``, ``galaxy``, a kind of variable or of event),
    ``ra, dec`` (deg ICRS, barycentric, at ``ref_epoch``), ``pmra, pmdec, parallax``, ``mag_<filter>`` (AB, at
    rest) and parameters of variables, events and galaxies, NaN where they do not apply. Times are barycentric
    MJD (TDB).
    """
    table = vstack([_stars(scene), _galaxies(scene)])
    table["source_id"] = np.arange(len(table))
    table.meta = {"ref_epoch_scale": "TDB", "frame": "ICRS"}
    for name in table.colnames:
        if np.ma.isMaskedArray(table[name]):
            table[name] = table[name].filled(np.nan)
    return table


def write_truth(path: Path, scene: Scene) -> None:
    """Write the truth catalog as Parquet, each column's unit in the metadata of its field (key ``unit``)."""
    table = truth_table(scene)
    columns = [pa.array(np.asarray(table[name])) for name in table.colnames]
    fields = [
        pa.field(name, column.type, metadata={"unit": str(table[name].unit or "")})
        for name, column in zip(table.colnames, columns, strict=True)
    ]
    pq.write_table(pa.Table.from_arrays(columns, schema=pa.schema(fields)), path)


def true_light_curve(scene: Scene, star: int, optical_element: str, mjd_tdb: FloatArray) -> FloatArray:
    """Noiseless flux of one star in nJy at barycentric times (MJD TDB), shape (n_time,)."""
    rest = flux_njy(scene.star_magnitude[optical_element][star])
    return np.asarray(rest * scene.flux_factor(mjd_tdb)[:, star])


def exposure_truth(simulation: Simulation, planned: PlannedExposure) -> Table:
    """Places and fluxes of all stars in one exposure: ``source_id, ra, dec, x, y, flux``.

    ``ra, dec`` are what the observatory sees at the middle of the exposure, ``x, y`` are 0-based pixels of
    the window (also of stars outside of it) by the true pointing.
    """
    state = true_state(simulation, planned)
    rest = flux_njy(simulation.scene.star_magnitude[planned.optical_element])
    return Table(
        {
            "source_id": np.arange(state.x.size),
            "ra": Column(state.ra, unit=units.deg),
            "dec": Column(state.dec, unit=units.deg),
            "x": Column(state.x, unit=units.pix),
            "y": Column(state.y, unit=units.pix),
            "flux": Column(rest * state.factor, unit=units.nJy),
        }
    )


def _stars(scene: Scene) -> Table:
    stars, at = scene.stars, scene.stars.astrometry
    number = stars.magnitude.size
    kind = np.full(number, "star", dtype="U32")
    kind[scene.variables.star] = scene.variables.kind
    kind[scene.events.star] = scene.events.kind
    table = _positions(kind, at.ra, at.dec, at.reference_epoch)
    table["population"] = stars.population.astype("U32")
    for name, unit in (("pmra", _MOTION), ("pmdec", _MOTION), ("parallax", units.mas)):
        table[name] = Column(getattr(at, name), unit=unit)
    _add_magnitudes(table, scene.star_magnitude)
    table["temperature"] = Column(stars.temperature, unit=units.K)
    table["a_v"] = Column(stars.a_v, unit=units.mag)
    days = {"period": units.d, "amplitude": units.mag, "epoch": units.d}
    for name, unit in days.items():
        table[name] = _sparse(number, scene.variables.star, getattr(scene.variables, name), unit)
    event_units = {"t0": units.d, "t_einstein": units.d}
    for name in ("t0", "u0", "t_einstein", "rho", "source_fraction", "pi_e_north", "pi_e_east"):
        unit = event_units.get(name, units.dimensionless_unscaled)
        table[name] = _sparse(number, scene.events.star, getattr(scene.events, name), unit)
    return table


def _galaxies(scene: Scene) -> Table:
    galaxies = scene.galaxies
    kind = np.full(galaxies.ra.size, "galaxy", dtype="U32")
    table = _positions(kind, galaxies.ra, galaxies.dec, scene.parameters.scene.reference_epoch)
    table["population"] = np.full(galaxies.ra.size, "background", dtype="U32")
    for name, unit in (("pmra", _MOTION), ("pmdec", _MOTION), ("parallax", units.mas)):
        table[name] = Column(np.zeros(galaxies.ra.size), unit=unit)
    _add_magnitudes(table, scene.galaxy_magnitude)
    table["temperature"] = Column(galaxies.temperature, unit=units.K)
    table["sersic_n"] = galaxies.sersic_n
    table["half_light_radius"] = Column(galaxies.half_light_radius, unit=units.arcsec)
    table["axis_ratio"] = galaxies.axis_ratio
    table["position_angle"] = Column(galaxies.position_angle, unit=units.deg)
    return table


def _positions(kind: npt.NDArray[np.str_], ra: FloatArray, dec: FloatArray, epoch: float) -> Table:
    table = Table({"source_id": np.zeros(ra.size, dtype=np.int64), "kind": kind})
    table["ra"] = Column(ra, unit=units.deg)
    table["dec"] = Column(dec, unit=units.deg)
    table["ref_epoch"] = Column(np.full(ra.size, epoch), unit=units.yr)
    return table


def _add_magnitudes(table: Table, magnitudes: dict[str, FloatArray]) -> None:
    for element, values in magnitudes.items():
        table[f"mag_{element.lower()}"] = Column(values, unit=units.ABmag)


def _sparse(number: int, rows: npt.NDArray[np.int64], values: FloatArray, unit: units.UnitBase) -> Column:
    """A column that is NaN but in some rows."""
    column = np.full(number, np.nan)
    column[rows] = values
    return Column(column, unit=unit)
