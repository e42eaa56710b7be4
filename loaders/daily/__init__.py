"""The daily pipeline: PSF, photometry and light curves of the exposures of a day."""
