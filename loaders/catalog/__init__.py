"""Object catalogs: read any table of stars, map its columns, merge duplicates, upsert objects."""
