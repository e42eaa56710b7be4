"""Artificial stars and galaxies: put into images, found again, and counted."""
