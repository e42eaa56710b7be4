"""Catalogs as HATS collections: tiles of the sky as Parquet, which LSDB and any reader open."""
