"""The demonstration: some days of a simulated season, from pixels to light curves held against the truth."""
