"""Variable objects: statistics of light curves, and what is variable by them."""
