"""The reference image of a season, of those of its spans."""
