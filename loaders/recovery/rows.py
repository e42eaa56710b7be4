"""What was found of artificial sources as columns of tables."""

from __future__ import annotations

from typing import Any

import numpy as np

from loaders.injection.sources import ArtificialSources
from loaders.recovery.match import Matches, MeasuredSources, Origin


def recovery_columns(
    sources: ArtificialSources, after: MeasuredSources, matches: Matches
) -> dict[str, dict[str, Any]]:
    """Columns of ``injection_recovery`` and ``spurious_detection``, by table, of one image."""
    found = matches.is_detected
    row = np.where(found, matches.measured, 0)
    measured = {
        name: [float(values[k]) if one else None for one, k in zip(found, row, strict=True)]
        for name, values in (("measured_flux", after.flux), ("measured_flux_err", after.flux_err))
    }
    spurious = matches.origin == Origin.SPURIOUS
    false = after.take(spurious)
    return {
        "injection_recovery": {
            "injected_source_id": sources.source_id,
            "is_detected": found,
            "distance": [
                float(value) if one else None for one, value in zip(found, matches.distance, strict=True)
            ],
            **measured,
            "density": matches.density,
        },
        "spurious_detection": {
            "spurious_number": np.arange(false.ra.size),
            "ra": false.ra,
            "dec": false.dec,
            "measured_flux": false.flux,
            "measured_flux_err": false.flux_err,
            "density": matches.origin_density[spurious],
        },
    }
