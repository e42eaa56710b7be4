"""Maps of reddening and extinction: how much fainter and redder dust makes the red clump of the bulge."""
