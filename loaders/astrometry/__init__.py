"""Astrometry: where a catalogued object stands at the time of an exposure."""
