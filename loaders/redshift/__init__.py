"""Redshifts, classes and lines from spectra in one dimension, of any telescope.

Wavelengths are in Å in vacuum everywhere here; `rows` makes them µm, as the database has them.
"""
