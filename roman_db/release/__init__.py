"""Data releases: frozen versions of the catalog that are queried by their names."""
