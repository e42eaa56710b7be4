"""Static catalogs of single exposures, and what catalogs of mosaics are forced on in them."""
