"""Spectra of objects combined of all exposures, with their redshifts."""
