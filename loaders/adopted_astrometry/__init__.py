"""Astrometric solutions taken over by the catalog of objects, where they are better than what it has."""
