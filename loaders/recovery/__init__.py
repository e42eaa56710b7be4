"""Artificial sources found again: what was measured of them, and how complete and reliable that is."""
