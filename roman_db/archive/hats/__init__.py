"""Catalogs as HATS collections: tiles of the sky as Parquet, which LSDB, Dask and any reader of Parquet open."""
