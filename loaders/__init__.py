"""Loaders: one folder a domain, science as plain functions on arrays, one ``load.py`` that touches the database."""
