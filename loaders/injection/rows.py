"""Artificial sources as columns of their table, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from loaders.injection.sources import ArtificialSources

_PROFILE = ("sersic_n", "half_light_radius", "axis_ratio", "position_angle")


def stored_columns(sources: ArtificialSources) -> dict[str, Any]:
    """Columns of ``injected_source``."""
    is_galaxy = sources.is_galaxy
    profiles = np.stack([getattr(sources, name) for name in _PROFILE], axis=1)
    return {
        "injected_source_id": sources.source_id,
        "kind": ["galaxy" if one else "star" for one in is_galaxy],
        "ra": sources.ra,
        "dec": sources.dec,
        "true_flux": sources.flux,
        "model": [
            dict(zip(_PROFILE, map(float, profile), strict=True)) if one else None
            for one, profile in zip(is_galaxy, profiles, strict=True)
        ],
    }


def sources_of_rows(rows: Sequence[Mapping[str, Any]]) -> ArtificialSources:
    """Sources of rows of ``injected_source``: the inverse of `stored_columns`."""
    numbers = {
        name: np.array([row[name] for row in rows], dtype=np.float64) for name in ("ra", "dec", "true_flux")
    }
    profile = [
        np.array([(row["model"] or {}).get(name, np.nan) for row in rows], dtype=np.float64)
        for name in _PROFILE
    ]
    source_id = np.array([row["injected_source_id"] for row in rows], dtype=np.int64)
    return ArtificialSources(source_id, numbers["ra"], numbers["dec"], numbers["true_flux"], *profile)
