"""Refined photometry of events: where the light lies that varies, neighbours solved from all exposures."""
