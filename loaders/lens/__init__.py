"""Gravitational lenses: what they magnify, and how an observer who moves sees it."""
