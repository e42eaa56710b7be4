"""Slitless spectra out of exposures: where they are, what contaminates them, and one-dimensional spectra."""
