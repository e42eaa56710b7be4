"""The filled database of products, of which deliveries are made, and a folder for them."""

from __future__ import annotations

import click
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from roman_db import session
from roman_db.delivery.commands import commands
from roman_db.delivery.outbox import Outbox
from roman_db.settings import settings

from ..archive.conftest import described, filled_template, own_survey

__all__ = ["described", "filled_template", "own_survey"]

#: What came was received a day ago, and photometered since. The survey of the schema begins in 2027, and
#: all of it would be held. A day is of light curves alone.
_FACTS = (
    "UPDATE ops.load_run SET started_at = now() - interval '1 day'",
    "UPDATE ops.received_day SET stored_at = now() - interval '1 day'",
    "UPDATE ops.delivery_rule SET hold = NULL",
    "DELETE FROM ops.delivery_content WHERE rule = 'daily' AND product <> 'light_curve_catalog'",
    """
    INSERT INTO ops.load_run (task, arguments, state, started_at, code_version, schema_version, host, pid,
                              n_expected)
    SELECT task, '{}', 'succeeded', now() - interval '1 hour', '1', '1', 'h', 1, 0
    FROM (VALUES ('run daily')) AS t (task)
    """,
)


@pytest.fixture
def outbox(described, tmp_path, monkeypatch) -> Outbox:
    """The folder of deliveries, and the survey in the database."""
    monkeypatch.setenv("ROMAN_DB_DELIVERIES", str(tmp_path / "deliveries"))
    settings.cache_clear()
    change(*_FACTS)
    return Outbox(tmp_path / "deliveries")


@pytest.fixture
def run(outbox):
    """Run ``roman-db deliveries`` with some words."""

    @click.group()
    def root():
        pass

    commands(root)

    def invoke(*words: object) -> Result:
        result = CliRunner().invoke(root, ["deliveries", *map(str, words)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def change(*statements: str) -> None:
    """Change the database as its owner."""
    with session.transaction(session.Role.OWNER) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def ask(query: str, **values: object) -> list[tuple]:
    """Rows of a query."""
    with session.engine().connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query), values)]
