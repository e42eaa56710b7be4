"""kill -9 of the loader, and of its server process, in the middle of a block; then the same again."""

import contextlib
import shutil
import tempfile
import time
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from loaders.light_curve import load
from roman_db import migrate, session
from roman_db.cluster import lifecycle
from roman_db.cluster.error import ClusterError
from roman_db.settings import Settings
from tests.loaders.light_curve import killed
from tests.loaders.light_curve.synthetic import FIRST_DAY, epochs, key, object_ids, photometry, points, write
from tests.roman_db.conftest import execute, forget, point_at

#: More objects than a chunk of the encoder holds.
_OBJECTS = 20_000


def write_season_start() -> None:
    """Two days, a late exposure, and the first day reprocessed."""
    write(key(), epochs(n=4), photometry(1, object_ids(50), 4))
    write(key(FIRST_DAY + 1), epochs(FIRST_DAY + 1, 3), photometry(2, object_ids(_OBJECTS), 3))
    write(key(), epochs(n=4), photometry(3, object_ids(60), 4))


def write_and_die(victim: str, table: str) -> None:
    """Write the same, but kill when the second chunk of a table of the second block is on its way."""
    whole = load.copy_segments

    def copy_segments(connection, place, name, rows):
        if name == table and rows.object_id.size > 5000:
            load.encode_segments = dying(load.encode_segments, victim)
        return whole(connection, place, name, rows)

    load.copy_segments = copy_segments
    write_season_start()


def dying(encode, victim):
    def chunks(rows):
        for number, chunk in enumerate(encode(rows)):
            if number == 1:
                getattr(killed, victim)()
            yield chunk

    return chunks


@pytest.fixture(scope="module")
def private_server():
    """A server that may be broken: other tests use the common one."""
    home = Path(tempfile.mkdtemp(prefix="rdb-"))
    home.chmod(0o711)
    settings = Settings(url=None, home=home / "home", pg_port=None, pg_memory_mb=256)
    yield settings
    with contextlib.suppress(psutil.NoSuchProcess):
        lifecycle.stop(settings, "immediate")
    shutil.rmtree(home)


def recovered(settings: Settings) -> str:
    """Wait until the server answers, which after a crash takes as long as the disk needs; give its URL."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return lifecycle.ensure_running(settings)
        except ClusterError:
            if time.monotonic() > deadline:
                raise


@pytest.fixture
def private_database(private_server, monkeypatch):
    """Make databases at this release's schema on the private server."""
    made = []

    def make():
        made.append(f"private_{len(made)}")
        server = sa.make_url(recovered(private_server))
        point_at(server.set(database=made[-1]).render_as_string(False), monkeypatch)
        migrate.upgrade()

    yield make
    forget()
    for name in made:
        execute(recovered(private_server), f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.heavy
@pytest.mark.parametrize("victim", ["kill_me", "kill_my_backend"])
@pytest.mark.parametrize("table", ["light_curve_segment", "astrometry_segment"])
def test_after_a_kill_the_same_again_gives_the_same_rows(private_server, private_database, victim, table):
    private_database()
    write_season_start()
    undisturbed = points()
    private_database()
    assert killed.in_process(write_and_die, victim, table) != 0
    recovered(private_server)
    assert {row[3] // 1000 for row in points()} == {FIRST_DAY}
    write_season_start()
    assert points() == undisturbed
    with session.reading() as connection:
        blocks = "SELECT count(*) FROM roman.light_curve_block"
        assert connection.execute(sa.text(blocks)).scalar_one() == 4
        kept = "SELECT count(DISTINCT block_id) FROM roman.light_curve_segment"
        assert connection.execute(sa.text(kept)).scalar_one() == 4
