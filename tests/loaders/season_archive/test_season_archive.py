"""A season in files: bit for bit the same when it is back, and never silently left out while it is away."""

import numpy as np
import psycopg2
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from loaders.rejection import Rejected
from loaders.season_archive import commands, tasks
from loaders.season_archive.tasks import attach_season, detach_season
from roman_db import session
from roman_db.query.audit import run_audits
from roman_db.query.commands import query_command
from roman_db.session import Role
from roman_db.sqlfile import read_all
from roman_db.verify.checksum import compare
from tests.loaders.light_curve import killed
from tests.loaders.light_curve.synthetic import epochs, key, photometry, points, summaries, write
from tests.loaders.season_archive.conftest import FIRST, NEW, OLD, ONLY_NEW, SECOND
from tests.roman_db.conftest import execute

AWAY = "light curves of season 1 of small .* are in the archive and not in the database"


def silently(*step):
    pass


def detach(folder):
    report = detach_season("small", 1, str(folder), silently)
    assert not report.failed, report.failed
    return report


def attach():
    return attach_season("small", 1, silently)


def ask(query, role=Role.READER, **values):
    with session.reading(role) as connection:
        return [tuple(row) for row in connection.execute(sa.text(query), values)]


def test_a_season_that_was_away_is_bit_for_bit_what_it_was(survey, tmp_path):
    assert all(not one.differences for one in compare())
    before, sums = points(), summaries()
    detach(tmp_path)
    assert detach(tmp_path).succeeded == []
    files = sorted(path.name for path in (tmp_path / "small_season_1").iterdir())
    tables = ("astrometry_segment", "light_curve_segment", "shape_segment")
    assert files == [f"{name}_{FIRST}_{FIRST + 8}_g1.parquet" for name in tables]
    assert not attach().failed
    assert attach().succeeded == []
    assert points() == before
    np.testing.assert_array_equal(summaries(), sums)
    assert all(one.n_new == 0 and not one.differences for one in compare())
    assert execute(survey, "SELECT count(*) FROM ops.load_run WHERE n_read <> n_loaded + n_rejected") == [
        (0,)
    ]


def test_a_file_can_be_read_without_us(survey, tmp_path):
    curve = (
        f"SELECT exposure_id, flux FROM roman.light_curve WHERE object_id = {OLD[2]} AND start_mjd < {SECOND}"
    )
    expected = {name: np.float32(flux) for name, flux in ask(f"{curve} AND flux <> 'NaN'")}
    blocks = dict(
        ask("SELECT block_id, exposure_id FROM roman.light_curve_block WHERE superseded_at IS NULL")
    )
    detach(tmp_path)
    [path] = tmp_path.glob("small_season_1/light_curve_segment*")
    rows = pq.read_table(path, filters=[("object_id", "==", int(OLD[2]))]).to_pylist()
    found = {}
    for row in rows:
        values = zip(blocks[row["block_id"]], row["flux"], strict=True)
        found |= {exposure: np.float32(flux) for exposure, flux in values if not np.isnan(flux)}
    assert found == expected


REFUSED = (
    f"SELECT * FROM roman.light_curve WHERE object_id = {OLD[0]}",
    "SELECT count(*) FROM roman.light_curve",
    f"SELECT flux FROM roman.light_curve_array WHERE object_id = {OLD[0]}",
    "SELECT max(offset_ra) FROM roman.astrometry_curve",
    "SELECT max(e1) FROM roman.shape_curve",
    f"SELECT block_id FROM roman.light_curve_segment WHERE object_id = {OLD[0]}",
    f"SELECT count(*) FROM roman.light_curve WHERE start_mjd < {SECOND}",
)


def test_who_needs_a_season_that_is_away_is_told_and_gets_nothing(survey, tmp_path):
    detach(tmp_path)
    for query in REFUSED:
        for role in (Role.READER, Role.LOADER):
            with pytest.raises(sa.exc.DBAPIError, match=AWAY) as refused:
                ask(query, role)
            assert f"Ask for other days alone (start_mjd < {FIRST}" in str(refused.value)
            assert "roman-db season attach 1 --survey small" in str(refused.value)
    with pytest.raises(psycopg2.Error, match=AWAY):
        execute(survey, "SELECT count(*) FROM roman.light_curve")
    told = CliRunner().invoke(query_command, [REFUSED[0]])
    assert told.exit_code == 1
    assert "in the archive and not in the database" in told.output
    with pytest.raises(sa.exc.DBAPIError, match="are detached: nothing can be written there"):
        write(key(FIRST + 4), epochs(FIRST + 4), photometry(4, OLD, 5))


@pytest.mark.heavy
def test_who_does_not_need_it_is_answered(survey, tmp_path):
    detach(tmp_path)
    mine = f"FROM roman.light_curve WHERE object_id = {OLD[0]} AND start_mjd >= {SECOND}"
    assert ask(f"SELECT count(*) > 0 {mine}") == [(True,)]
    assert ask(f"SELECT count(*) > 0 FROM roman.light_curve WHERE object_id = {ONLY_NEW}") == [(True,)]
    assert ask("SELECT count(DISTINCT object_id) FROM roman.light_curve_summary") == [(len(NEW),)]
    skipped = {one.table_name for one in compare() if one.skipped_days}
    assert skipped == {"light_curve_segment", "astrometry_segment", "shape_segment"}
    looking = [file for file in read_all("audits") if file.name == "segment_length"]
    assert [one.passed for one in run_audits(looking, SECOND)] == [True]


@pytest.mark.heavy
def test_a_file_that_changed_is_not_taken_for_the_season(survey, tmp_path):
    detach(tmp_path)
    [damaged] = tmp_path.glob("small_season_1/light_curve_segment*")
    kept = damaged.read_bytes()
    damaged.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    [(name, why)] = attach().failed.items()
    assert name.endswith(damaged.stem)
    assert "Bring the file back from a copy" in why
    damaged.unlink()
    assert "cannot be used" in attach().failed[name]
    damaged.write_bytes(kept)
    assert not attach().failed
    assert ask("SELECT count(*) > 0 FROM roman.light_curve") == [(True,)]


def test_a_season_that_may_still_grow_is_not_detached(survey, tmp_path):
    write(key(FIRST + 4), epochs(FIRST + 4, first=50), photometry(4, OLD, 5))
    execute(survey, "UPDATE ops.light_curve_partition SET sealed = false")
    with pytest.raises(Rejected, match="is not sealed"):
        detach(tmp_path)
    with pytest.raises(Rejected, match="has no light curves"):
        detach_season("small", 7, str(tmp_path), silently)


@pytest.mark.heavy
def test_what_comes_between_archive_and_detaching_is_not_lost(survey, tmp_path, monkeypatch):
    """A block that is written after its partition was archived: that partition is archived anew."""
    honest, late = tasks.units_to_detach, []

    def first_write(arguments):
        if not late:
            late.append(write(key(FIRST + 4), epochs(FIRST + 4, first=50), photometry(4, OLD, 5)))
        return honest(arguments)

    monkeypatch.setattr(
        tasks, "DETACH", tasks.Task("detach_season", "", first_write, tasks.detach_unit, tasks.itself)
    )
    report = detach_season("small", 1, str(tmp_path), silently)
    assert all("archived anew" in why for why in report.failed.values())
    assert report.failed
    detach(tmp_path)
    assert not attach().failed
    assert ask(f"SELECT count(*) > 0 FROM roman.light_curve WHERE block_id = {late[0]}") == [(True,)]


@pytest.mark.heavy
def test_commands(survey, tmp_path):
    run = CliRunner().invoke
    done = run(commands.season, ["detach", "1", "--survey", "small", "--to", str(tmp_path)])
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "Season 1 of small is detached.")
    assert run(commands.season, ["list"]).output.startswith(
        f"season 1 of small, days {FIRST - FIRST % 8} to "
    )
    back = run(commands.season, ["attach", "1", "--survey", "small"])
    assert back.output.splitlines()[-1] == "Season 1 of small is in the database."
    assert run(commands.season, ["list"]).output == ""


def work_and_die(what, folder, step):
    """Detach or attach, and be killed before a step: a statement or a commit."""
    steps = []

    def count(*_):
        steps.append(None)
        if len(steps) == step:
            killed.kill_me()

    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    sa.event.listen(sa.Engine, "commit", count)
    {"detach": lambda: detach(folder), "attach": attach}[what]()


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("what", "step"),
    [*(("detach", one) for one in (20, 60, 100, 140)), *(("attach", one) for one in (20, 40, 60, 90))],
)
def test_killed_in_the_middle_it_goes_on(survey, tmp_path, what, step):
    before = points()
    if what == "attach":
        detach(tmp_path)
    assert killed.in_process(work_and_die, what, tmp_path, step) == -9
    if what == "detach":
        detach(tmp_path)
        with pytest.raises(sa.exc.DBAPIError, match=AWAY):
            points()
    assert not attach().failed
    assert points() == before
    left = "SELECT count(*) FROM pg_class WHERE relname LIKE '%\\_beside'"
    assert execute(survey, left) == [(0,)]
