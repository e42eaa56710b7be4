"""As whom people's queries run, and whether such a query could do more than read."""

from __future__ import annotations

import sqlalchemy as sa

#: Whoever may act as somebody who writes can do so, whatever role he has taken on, if he can leave that.
_RIGHTS = sa.text(
    """
    SELECT session_user, current_user,
        EXISTS (
            SELECT FROM pg_roles AS other WHERE pg_has_role(session_user, other.oid, 'MEMBER')
            AND has_table_privilege(other.oid, 'roman.object', 'INSERT, UPDATE, DELETE')
        ),
        has_function_privilege('pg_catalog.set_config(text, text, boolean)', 'EXECUTE')
    """
)


def describe_reader(connection: sa.Connection) -> str:
    """Say it in a line, of the connection of a reader."""
    login, role, may_write, may_leave = connection.execute(_RIGHTS).one()
    if not may_write:
        return f"login {login}, which may only read"
    if role == login:
        return f"login {login}, which may also write: set ROMAN_DB_READER_URL"
    if may_leave:
        return f"role {role} of login {login}, which a query can leave: set ROMAN_DB_READER_URL"
    return f"role {role} of login {login}; set_config, the way out of it, is closed"
