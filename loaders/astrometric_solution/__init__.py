"""Positions, proper motions and parallaxes of all stars from their offsets in exposures."""
