"""Models of microlensing events: single and binary lenses and sources, fitted to light curves."""
