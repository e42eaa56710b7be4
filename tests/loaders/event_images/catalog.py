"""The catalog of the small simulated survey, as the database would give it."""

from __future__ import annotations

import numpy as np
from astropy.table import Table

from loaders.astrometry.place import CatalogAstrometry
from loaders.astrometry.stars import CatalogStars


def catalog_of(survey, element: str = "F146") -> CatalogStars:
    """All stars that the catalog has, with its fluxes."""
    table = Table.read(survey.catalog)
    columns = [np.asarray(table[name], float) for name in ("ra", "dec", "ref_epoch", "pmra", "pmdec")]
    unknown = np.full(len(table), np.nan)
    flux = np.asarray(table[f"flux_{element}"], float)
    return CatalogStars(np.arange(len(table)), CatalogAstrometry(*columns, unknown), flux, 1)
