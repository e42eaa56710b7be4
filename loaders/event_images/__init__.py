"""Detection efficiency in images: the light of injected events put into exposures, and measured in them."""
