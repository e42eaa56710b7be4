"""The mode ``spectra``: dispersed exposures to spectra and redshifts."""
