"""Files of ``queries/jobs`` as statements with bound parameters."""

from __future__ import annotations

from functools import cache

import sqlalchemy as sa

from roman_db import sqlfile


@cache
def statement(name: str) -> sa.TextClause:
    """Statement of a file, read once."""
    return sa.text(sqlfile.find("jobs", name).text)
