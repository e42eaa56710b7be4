"""Access to the catalog by IVOA protocols; nothing outside this package imports it."""
