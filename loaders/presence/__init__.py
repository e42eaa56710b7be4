"""Which objects of the catalog are there, as all images together say."""
