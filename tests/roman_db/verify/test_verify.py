"""What ``roman-db verify`` sees: rows that are gone or changed, rules that are broken, damaged files."""

import pytest
from click.testing import CliRunner

from roman_db import session
from roman_db.session import Role
from roman_db.verify.checksum import compare, contents, total
from roman_db.verify.commands import verify_command
from tests.loaders.light_curve.synthetic import write_days
from tests.roman_db.conftest import execute

SEGMENTS = "SELECT tableoid::regclass FROM roman.light_curve_segment LIMIT 1"


@pytest.fixture
def noted(database):
    """A database with two days of light curves, whose blocks are noted."""
    write_days(2)
    assert all(one.n_new and not one.differences for one in compare())
    return database


def verify(*words):
    done = CliRunner().invoke(verify_command, ["--no-files", *words])
    return done.exit_code, done.output


def partition(url):
    return execute(url, SEGMENTS)[0][0]


def test_blocks_stay_what_they_were(noted):
    _, output = verify()
    assert "FAILED  block" not in output
    assert "passed  light_curve_segment: 2 blocks as noted, 0 noted now" in output
    assert verify("--from-mjd", "70000")[1].count("0 blocks as noted, 0 noted now") == 4


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("DELETE FROM {0} WHERE ctid IN (SELECT ctid FROM {0} LIMIT 1)", "rows instead of"),
        ("DELETE FROM {0}", "rows are gone"),
        ("UPDATE {0} SET flux[1] = flux[1] + 1e-5 WHERE flux[1] <> 'NaN'", "rows are others than were noted"),
    ],
    ids=["one row", "all rows", "one value"],
)
def test_what_is_lost_or_changed_is_told(noted, damage, words):
    execute(noted, damage.format(partition(noted)))
    code, output = verify()
    assert code == 1
    assert words in output


def test_counts_of_runs_are_part_of_it(noted):
    execute(noted, "UPDATE ops.load_run SET n_read = 2, n_rejected = 2")
    code, output = verify()
    assert code == 1
    assert "FAILED  audit run_not_reconciled" in output


def test_sums_do_not_depend_on_how_rows_are_shared_out(noted):
    with session.reading(Role.LOADER) as connection:
        blocks = contents(connection, "roman.light_curve_segment")
        parts = [
            contents(connection, "roman.light_curve_segment", f"WHERE block_id = {one}") for one in blocks
        ]
    assert total(blocks) == total({key: value for part in parts for key, value in part.items()})
    assert total(blocks).n_row == sum(one.n_row for one in blocks.values())


def test_files_are_read_by_postgresqls_own_program(noted):
    done = CliRunner().invoke(verify_command, [])
    assert "files of tables and indexes are whole" in done.output or "not installed" in done.output
