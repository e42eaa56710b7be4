"""A private PostgreSQL server of roman-db's own, for when ``ROMAN_DB_URL`` names none.

``lifecycle`` is what others call; ``commands`` is ``roman-db cluster``. The other modules are one concern
each: the machine, the programs, the account, the folder, the configuration, the making of a cluster, the
server's process and what its log says.
"""
