"""Events as the search would store them, with the models that are true."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import sqlalchemy as sa

from loaders.light_curve.block import NONE, BlockKey, Epochs
from loaders.light_curve.load import BlockContext, write_block
from loaders.simulation.throughput import flux_njy
from roman_db import session
from tests.loaders.light_curve.synthetic import fluxes
from tests.loaders.refined_photometry.blended import Blended

_EVENT = """
INSERT INTO roman.event (object_id, season, photometry_kind, is_event, classification, t_0_guess, t_eff,
                         search_shape, search_gain, delta_chi2, explained, n_point, load_run_id)
VALUES (:object_id, :season, 'psf', true, 'single_lens', :t_0, 0.1, 1, 1000, 1000, 1, 32,
        (SELECT max(load_run_id) FROM ops.load_run)) RETURNING event_id
"""
_MODEL = """
INSERT INTO roman.event_model (event_id, rank, name, n_lens, n_source, has_finite_source, has_parallax, chi2,
                               n_point, n_parameter, bic, is_converged, software, load_run_id)
VALUES (:event_id, 1, '1L1S', 1, 1, false, false, 32, 32, 5, 50, true, 'test',
        (SELECT max(load_run_id) FROM ops.load_run)) RETURNING event_model_id
"""
_PARAMETER = (
    "INSERT INTO roman.event_model_parameter (event_model_id, name, value) VALUES (:model, :name, :value)"
)
_FLUX = """
INSERT INTO roman.event_model_flux (event_model_id, optical_element, source_number, flux, error_scale)
VALUES (:model, 'F146', :number, :flux, 1)
"""


def object_of(star: int) -> int:
    """Object of a star of the scene."""
    query = "SELECT object_id FROM roman.object_alias WHERE source_id = CAST(:name AS text)"
    with session.reading() as connection:
        return connection.execute(sa.text(query), {"name": str(1000 + star)}).scalar_one()


def model_of(blended: Blended) -> dict[str, float]:
    """Parameters of the event by the names of MulensModel, times in BJD."""
    events = blended.scene.events
    values = (events.t0[0] + 2_400_000.5, events.u0[0], events.t_einstein[0])
    return {name: float(value) for name, value in zip(("t_0", "u_0", "t_E"), values, strict=True)}


def truth(blended: Blended, bjd: np.ndarray) -> np.ndarray:
    """All light of source and neighbour, nJy."""
    source, beside = flux_njy(blended.scene.star_magnitude["F146"][[blended.source, blended.beside]])
    return beside + source * blended.scene.flux_factor(bjd - 2_400_000.5)[:, blended.source]


def store_curves(blended: Blended) -> None:
    """Store light curves of the event's object, one block a day, as if it had been photometered."""
    star = np.array([object_of(blended.source)])
    with session.transaction() as connection:
        run, version = connection.execute(sa.text(_ORIGIN)).one()
        for row in connection.execute(sa.text(_DAYS)).all():
            n = len(row.exposure_id)
            columns = (row.exposure_id, row.mjd, row.bjd, row.file_id)
            ids, mjd, bjd, files = (np.array(column) for column in columns)
            epochs = Epochs(ids, mjd, bjd, files, np.full(n, NONE))
            flux = truth(blended, bjd)[None].astype("f4")
            measured = fluxes(star, flux, np.full((1, n), 50, "f4"), np.zeros((1, n), "u2"))
            key = BlockKey(row.field_id, row.detector, "F146", "psf", row.day_mjd, row.day_mjd + 1)
            write_block(connection, key, epochs, measured, BlockContext(run, version, 0))


_ORIGIN = "SELECT max(load_run_id), max(catalog_version_id) FROM roman.catalog_version"
_DAYS = """
SELECT field_id, detector, day_mjd, array_agg(exposure_id ORDER BY midpoint_mjd_tdb) AS exposure_id,
       array_agg(midpoint_mjd_tdb ORDER BY midpoint_mjd_tdb) AS mjd,
       array_agg(midpoint_bjd_tdb ORDER BY midpoint_mjd_tdb) AS bjd,
       array_agg(file_id ORDER BY midpoint_mjd_tdb) AS file_id
FROM roman.exposure GROUP BY field_id, detector, day_mjd ORDER BY day_mjd
"""


def store_event(
    blended: Blended, object_id: int | None = None, model: Mapping[str, float] | None = None
) -> int:
    """Store an event, by default that of the scene; its identifier."""
    value = dict(model_of(blended) if model is None else model)
    star = object_of(blended.source) if object_id is None else object_id
    source, beside = flux_njy(blended.scene.star_magnitude["F146"][[blended.source, blended.beside]])
    with session.transaction() as connection:
        given = {"object_id": star, "season": 1, "t_0": value["t_0"]}
        event_id = connection.execute(sa.text(_EVENT), given).scalar_one()
        model_id = connection.execute(sa.text(_MODEL), {"event_id": event_id}).scalar_one()
        for name, number in value.items():
            connection.execute(sa.text(_PARAMETER), {"model": model_id, "name": name, "value": number})
        for number, flux in ((1, source), (0, beside)):
            connection.execute(sa.text(_FLUX), {"model": model_id, "number": number, "flux": float(flux)})
    return event_id
