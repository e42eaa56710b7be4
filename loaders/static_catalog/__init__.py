"""Static catalogs: what is in Level-3 mosaics of extragalactic and sparse fields, measured and classified."""
