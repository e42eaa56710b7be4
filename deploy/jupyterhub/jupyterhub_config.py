"""JupyterHub beside the database: docs/operator/accounts.md says how it is started.

Users sign in with their account and a token (roman_db.accounts.hub). The hub reaches the database by the
settings of roman-db (ROMAN_DB_URL, ROMAN_DB_HOME).
"""

c = get_config()  # noqa: F821  # JupyterHub gives it

c.JupyterHub.authenticator_class = "roman_db.accounts.hub.RomanAuthenticator"
c.RomanAuthenticator.tap_url = "http://127.0.0.1:8080/tap"
# An account that is suspended is let in nowhere after five minutes, and starts no server.
c.Authenticator.auth_refresh_age = 300
c.Authenticator.refresh_pre_spawn = True

# TLS ends at a proxy in front; tokens are never to cross a network without it.
c.JupyterHub.bind_url = "http://127.0.0.1:8000"

# Servers as processes of the hub's own user: for one machine and people who trust each other. For others take
# dockerspawner or kubespawner, and keep ROMAN_DB_URL from their servers: those need ROMAN_TAP_URL alone.
c.JupyterHub.spawner_class = "simple"
c.Spawner.env_keep = ["PATH", "LANG", "LC_ALL"]
c.Spawner.default_url = "/lab"
