"""Where light goes in slitless spectra: from a direct position, a wavelength and an order to a pixel."""
