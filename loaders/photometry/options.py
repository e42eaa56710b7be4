"""What a user may choose of the joint fit."""

from __future__ import annotations

from dataclasses import dataclass

from loaders.photometry.parallel import available_threads
from loaders.photometry.psf_table import STAMP


@dataclass(frozen=True)
class FitOptions:
    """Options of `loaders.photometry.fit.photometer`.

    Parameters
    ----------
    fit_positions
        Fit the positions of bright stars together with all fluxes, instead of holding the catalog's; the
        errors of the fluxes then are marginal over the positions too.
    position_snr, shape_snr
        Signal-to-noise ratio of the flux from which position offsets, and size and ellipticity, are measured;
        infinity for none.
    max_offset
        Offset in pixels beyond which a position is taken to have failed.
    max_shape
        Size excess or ellipticity beyond which a shape is taken to have failed.
    merge_radius
        Distance in pixels below which stars are fitted as one.
    background_spacing
        Distance of the knots of the background surface in pixels; None to hold the background at zero.
    tile_size, margin
        Side of the tiles in pixels, and width of the margin around a tile whose stars are solved with it.
    max_sweeps, tolerance
        Number of sweeps over the tiles after each weighting, and the largest step of a flux, in its standard
        errors, at which they end before.
    reweight_tolerance
        Relative change of the information on a star's flux from which its weights are computed again.
    wing_tolerance
        Light in a pixel, in standard deviations of an empty one, below which wings of stars are left out.
    crowded, poor_fit
        Crowding and reduced chi-square above which a star is flagged.
    threads
        Threads to use; None for all processors this process may use.
    """

    fit_positions: bool = False
    position_snr: float = 30.0
    shape_snr: float = 100.0
    max_offset: float = 0.5
    max_shape: float = 0.5
    merge_radius: float = 0.05
    background_spacing: float | None = 128.0
    tile_size: int = 20
    margin: float = 4.0
    max_sweeps: int = 12
    tolerance: float = 0.01
    reweight_tolerance: float = 0.05
    wing_tolerance: float = 0.02
    crowded: float = 0.8
    poor_fit: float = 3.0
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.tile_size < 2 * (STAMP // 2 + 2):
            raise ValueError(f"tile_size must be at least {2 * (STAMP // 2 + 2)}, got {self.tile_size}")
        if not 0 <= self.margin < self.tile_size:
            raise ValueError(f"margin must be >= 0 and below tile_size, got {self.margin}")
        if self.max_sweeps < 1 or self.tolerance <= 0:
            raise ValueError(
                f"need max_sweeps >= 1 and tolerance > 0, got {self.max_sweeps}, {self.tolerance}"
            )

    @property
    def thread_count(self) -> int:
        """Threads to use."""
        return self.threads or available_threads()
