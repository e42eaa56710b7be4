"""Loaders: one folder a domain, science as functions on arrays, one ``load.py`` that touches the database."""
