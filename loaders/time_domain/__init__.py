"""Difference-imaging variability catalogs: what changed in each exposure against all the others."""
