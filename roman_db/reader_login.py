"""Letting readers log in to a private server that a release without a login of theirs made or started.

A new cluster has the login from the start (`roman_db.cluster.creation`).
"""

from __future__ import annotations

import time

import sqlalchemy as sa

from roman_db.cluster import lifecycle
from roman_db.cluster.configuration import READER
from roman_db.settings import Settings

_LOCK = 7_466_219
_STATE = sa.text("SELECT rolcanlogin FROM pg_roles WHERE rolname = :role")
#: The server reads its files a moment after it was told to.
_PATIENCE_S = 10.0
_PAUSE_S = 0.05


def admit_reader(owner: sa.Engine, settings: Settings) -> None:
    """Give readers their login, and have the server read anew who may connect.

    Parameters
    ----------
    owner
        Engine of the administrator.
    settings
        For the home of the cluster.

    Raises
    ------
    ClusterError
        Where the server's files cannot be written.
    """
    with owner.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        may_log_in = connection.execute(_STATE, {"role": READER}).scalar_one_or_none()
        if not may_log_in:
            verb = "CREATE" if may_log_in is None else "ALTER"
            connection.exec_driver_sql(f"{verb} ROLE {READER} LOGIN")
        lifecycle.renew_access(settings)
        connection.exec_driver_sql("SELECT pg_reload_conf()")


def wait_for_login(reader: sa.Engine) -> None:
    """Wait until the server lets the reader in.

    Raises
    ------
    sqlalchemy.exc.OperationalError
        Where it does not, with its words.
    """
    end = time.monotonic() + _PATIENCE_S
    while True:
        try:
            reader.connect().close()
            return
        except sa.exc.OperationalError:
            if time.monotonic() > end:
                raise
        time.sleep(_PAUSE_S)
