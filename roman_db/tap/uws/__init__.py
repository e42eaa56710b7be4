"""Asynchronous queries: jobs as UWS 1.1 (IVOA) has them, stored in PostgreSQL."""
