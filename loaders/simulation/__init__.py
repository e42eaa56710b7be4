"""Idealised scenes: stars, galaxies and microlensing events to Level-2 files with known truth."""
