"""Measurements and catalogs made up for tests."""

from __future__ import annotations

import dataclasses

import numpy as np

from loaders.astrometry.place import CatalogAstrometry
from loaders.astrometry.stars import CatalogStars
from loaders.photometry.measure import ExposureMeasurement


def catalog(flux: np.ndarray) -> CatalogStars:
    """Stars with those fluxes (nJy), numbered in steps of 3."""
    zeros = np.zeros(flux.size)
    fields = {field.name: zeros for field in dataclasses.fields(CatalogAstrometry)}
    object_id = 10**18 + 3 * np.arange(flux.size, dtype=np.int64)
    return CatalogStars(object_id, CatalogAstrometry(**fields), flux, 1)


def measurement(star: np.ndarray, flux: np.ndarray, **changes) -> ExposureMeasurement:
    """Measurement of some rows of a catalog, with nothing to say against it but what is changed."""
    n = star.size
    made = ExposureMeasurement(
        exposure_id=1,
        star=star.astype(np.int64),
        flux=flux,
        flux_err=flux / 500,
        background=np.zeros(n),
        flags=np.zeros(n, np.uint16),
        reduced_chi2=np.ones(n),
        crowding=np.zeros(n),
        offset_ra=np.zeros(n),
        offset_dec=np.zeros(n),
        offset_ra_err=np.ones(n),
        offset_dec_err=np.ones(n),
        shape=np.zeros((6, n)),
        shift=(0.0, 0.0),
    )
    return dataclasses.replace(made, **changes)
