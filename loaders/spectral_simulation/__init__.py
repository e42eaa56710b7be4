"""Exposures of a small field through grism or prism, with known truth."""
