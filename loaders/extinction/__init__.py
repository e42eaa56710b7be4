"""Maps of reddening and extinction: how much fainter and redder the red clump of the bulge is than without dust."""
