"""Relative proper motions of sources and lenses, from where their light lies and how far it is drawn out."""
