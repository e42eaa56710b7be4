"""Stars found in crowded images: nothing is known beforehand but the PSF."""
