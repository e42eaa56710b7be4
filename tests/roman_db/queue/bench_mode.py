"""A pipeline mode for tests, and workers that know it: ``python -m tests.roman_db.queue.bench_mode worker``.

Its units store a row each. A unit waits, with its row not yet committed, as long as `bench.gate` has it, and
fails as often as `bench.fault` says.
"""

import os
import sys
import time

import click
import sqlalchemy as sa

from roman_db import session
from roman_db.jobs import Mode, Task, Unit, itself, run_mode

TABLES = """
CREATE SCHEMA bench;
CREATE TABLE bench.unit (name text, pid integer);
CREATE TABLE bench.gate (name text PRIMARY KEY);
CREATE TABLE bench.waiting (name text, pid integer);
CREATE TABLE bench.fault (name text PRIMARY KEY, n integer);
GRANT USAGE ON SCHEMA bench TO PUBLIC;
GRANT ALL ON ALL TABLES IN SCHEMA bench TO PUBLIC;
"""


def pending(arguments):
    with session.reading() as connection:
        done = set(connection.exec_driver_sql("SELECT name FROM bench.unit").scalars())
    return [Unit(name, {}) for name in arguments["names"] if name not in done]


def store(unit, load_run, progress):
    given = {"name": unit.name, "pid": os.getpid()}
    with session.transaction() as connection:
        connection.execute(sa.text("INSERT INTO bench.unit VALUES (:name, :pid)"), given)
        load_run.count(connection, loaded=1)
        if taken("UPDATE bench.fault SET n = n - 1 WHERE name = :name AND n > 0 RETURNING n", given):
            raise ValueError(f"{unit.name} is to fail")
        if taken(
            "INSERT INTO bench.waiting SELECT name, :pid FROM bench.gate WHERE name = :name RETURNING 1",
            given,
        ):
            while taken("SELECT 1 FROM bench.gate WHERE name = :name", given):
                time.sleep(0.05)


def taken(statement, given):
    """Whether a statement gives a row, in a transaction of its own."""
    with session.transaction() as connection:
        return connection.execute(sa.text(statement), given).first() is not None


BENCH = Mode("bench", "for tests", (Task("bench", "for tests", pending, store, itself),), scope=("names",))


@click.command()
@click.option("--names", default="")
def bench(names):
    """Store units."""
    if run_mode(BENCH, {"names": names.split(",")}, lambda *_: None).failed:
        sys.exit(1)


if __name__ == "__main__":
    from roman_db.cli import root
    from roman_db.queue.commands import commands

    root.commands["run"].add_command(bench)
    commands(root)
    root.main(sys.argv[1:])
