"""The PSF of a mosaic, from those of its exposures."""
