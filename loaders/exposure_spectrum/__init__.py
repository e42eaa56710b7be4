"""Spectra of the catalogued objects on single dispersed exposures."""
