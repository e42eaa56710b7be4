"""Two servers that databases of tests have as shards."""

from __future__ import annotations

import importlib.metadata
import itertools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from roman_db.cli import root
from roman_db.cluster import lifecycle
from roman_db.settings import Settings
from tests.loaders.light_curve.synthetic import object_ids, write_days
from tests.roman_db.cluster.conftest import finished_home, settings_of, short_folder
from tests.roman_db.conftest import execute, url_of

__all__ = ["finished_home"]

#: Objects of the light curves, the first of the second half of them, and the first number after all.
OBJECTS = object_ids(8)
FIRST, MIDDLE, LAST = (int(one) for one in (OBJECTS[0], OBJECTS[4], OBJECTS[-1] + 1))
_count = itertools.count()


@dataclass(frozen=True)
class ShardServer:
    """A private server, which a test may stop."""

    settings: Settings

    def start(self) -> str:
        """Start it unless it runs, and return its address."""
        return lifecycle.ensure_running(self.settings)

    def stop(self) -> None:
        """End it as a machine that fails does."""
        lifecycle.stop(self.settings, "immediate")

    def new_database(self) -> str:
        """Make an empty database and return its address."""
        name = f"light_curves_{next(_count)}"
        execute(self.start(), f"CREATE DATABASE {name}")
        return url_of(self.start(), name)


@dataclass(frozen=True)
class Shards:
    """Databases of two servers that are the shards ``one`` and ``two`` of a test's database."""

    servers: tuple[ShardServer, ShardServer]
    urls: tuple[str, str]


@pytest.fixture(scope="session")
def shard_servers(finished_home: Path) -> Iterator[tuple[ShardServer, ShardServer]]:
    """Two servers, each with a cluster of its own."""
    with short_folder() as folder:
        made = []
        for name in ("one", "two"):
            subprocess.run(["cp", "-a", finished_home, folder / name], check=True)
            made.append(ShardServer(settings_of(folder / name)))
        yield made[0], made[1]


@pytest.fixture
def shards(database: str, shard_servers: tuple[ShardServer, ShardServer]) -> Shards:
    """The shards of a database without light curves, which have no objects yet."""
    one, two = shard_servers
    made = Shards(shard_servers, (one.new_database(), two.new_database()))
    for name, url in zip(("one", "two"), made.urls, strict=True):
        done(command("add", name, url))
    return made


@pytest.fixture
def halves(shards: Shards) -> Shards:
    """Three days of light curves, of which each shard has half."""
    done(command("move", "one", "--from", FIRST, "--to", MIDDLE))
    done(command("move", "two", "--from", MIDDLE, "--to", LAST))
    write_days(3, objects=OBJECTS.size)
    return shards


def command(*words: object) -> Result:
    """Run ``roman-db shards``."""
    (entry,) = importlib.metadata.entry_points(group="roman_db.commands", name="shards")
    entry.load()(root)
    return CliRunner().invoke(root, ["shards", *map(str, words)])


def done(result: Result) -> str:
    """Output of a command that did what it was asked."""
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output
