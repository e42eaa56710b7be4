"""How sources are fitted in all images of a search."""

from __future__ import annotations

from dataclasses import dataclass

from loaders.detection.layer import SearchOptions
from loaders.photometry.options import FitOptions
from loaders.photometry.parallel import Workers

_TILE, _MARGIN = 20, 4.0
"""Side of the tiles and width of their margins in detector pixels: see `FitOptions`."""


@dataclass(frozen=True)
class FitConditions:
    """What the fits in all layers have in common.

    Parameters
    ----------
    search
        Options of the search that they are part of.
    tolerance
        Largest step of a flux, in its standard errors, at which a fit is said to have converged.
    workers
        Threads.
    """

    search: SearchOptions
    tolerance: float
    workers: Workers

    @property
    def fit(self) -> FitOptions:
        """Options of the fluxes' fit; lengths are those of the search in pixels of the images."""
        scale = self.search.oversampling
        return FitOptions(
            background_spacing=self.search.background_spacing * scale,
            threads=self.search.threads,
            shape_snr=self.search.shape_snr,
            tile_size=_TILE * scale,
            margin=_MARGIN * scale,
            tolerance=self.tolerance,
        )
