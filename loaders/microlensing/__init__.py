"""Microlensing events: found in light curves, modelled, and what their models say of lenses and sources."""
