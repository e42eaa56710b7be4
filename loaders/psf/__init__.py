"""Point spread functions: the effective PSF of a detector image, its construction, moments and library."""
