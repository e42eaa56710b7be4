"""Super-sampled reference images from many dithered exposures, and their PSFs."""
