"""What may be chosen when a static catalog is made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CatalogOptions:
    """Options of detection and photometry.

    Parameters
    ----------
    background_box
        Side in pixels of the boxes in which the background is estimated.
    background_filter
        Boxes, odd, over which the median of the background is taken.
    threshold
        Signal-to-noise ratio, of a point source at a pixel, from which the pixel is detected.
    min_pixels
        Connected pixels that make a source.
    contrast
        Share of the light of the source on the other side of a saddle that a branch must have above it to be
        a source of its own.
    min_depth
        Standard deviations by which its peak must stand above the saddle.
    aperture_radii
        Arcsec, in tenths: RAD's names hold no finer.
    annulus
        Inner and outer radius, arcsec, of the annulus of the local background.
    kron_factor, kron_minimum
        The Kron aperture has ``kron_factor`` times the first-moment radius; that radius is at least
        ``kron_minimum`` times the axes from moments.
    extended_limit, extended_sigma
        A source is extended if its `loaders.static_catalog.extended` statistic exceeds the limit plus so many
        standard errors.
    """

    background_box: int = 128
    background_filter: int = 3
    threshold: float = 4.5
    min_pixels: int = 5
    contrast: float = 0.005
    min_depth: float = 4.0
    aperture_radii: tuple[float, ...] = (0.1, 0.2, 0.4, 0.8, 1.6)
    annulus: tuple[float, float] = (2.4, 2.8)
    kron_factor: float = 2.5
    kron_minimum: float = 1.4
    extended_limit: float = 0.01
    extended_sigma: float = 3.0

    def __post_init__(self) -> None:
        if not (self.background_box > 0 and self.background_filter % 2 == 1 and self.background_filter > 0):
            raise ValueError(
                f"boxes must be > 0 and filters odd, got {self.background_box} and {self.background_filter}"
            )
        if not (self.threshold > 0 and self.min_pixels >= 1 and 0 <= self.contrast < 1):
            values = self.threshold, self.min_pixels, self.contrast
            raise ValueError(f"threshold > 0, min_pixels >= 1 and 0 <= contrast < 1 are needed, got {values}")
        tenths = [round(10 * r, 6) for r in self.aperture_radii]
        if any(t != int(t) or not 1 <= t <= 99 for t in tenths):
            raise ValueError(
                f"aperture radii must be tenths of an arcsec, 0.1 to 9.9, got {self.aperture_radii}"
            )
