"""DaCHS' command line, run by the system's Python, in a database whose pgsphere was made from its script."""

from gavo.user import cli, initdachs

_load = initdachs._loadPgExtension
initdachs._loadPgExtension = lambda connection, name: name == "pg_sphere" or _load(connection, name)
cli.main()
