"""The core: settings, cluster, sessions, schema, bulk loading, provenance, jobs and the command line."""
