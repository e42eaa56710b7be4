"""Seasons whose light curves became others after they had been described are named."""

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from loaders.season.tasks import arguments
from loaders.season_report.attention import of_season
from loaders.season_report.load import read_season
from loaders.variability.load import stale_seasons, summary_of_stale
from loaders.variability.tasks import LOCUS, VARIABILITY
from roman_db import session
from roman_db.jobs import Mode, run_mode
from tests.loaders.season.test_report import root
from tests.queries.filling import DAYS

#: What describes light curves.
DESCRIBE = Mode("season", "Statistics", (LOCUS, VARIABILITY))


def describe(season):
    assert not run_mode(DESCRIBE, arguments("gbtds", season, "psf"), lambda *_: None).failed


def photometer_again(day):
    """As a run writes it whose blocks of a day are others."""
    run_mode(Mode("season", "Nothing", ()), arguments("gbtds", 2, "psf"), lambda *_: None)
    with session.transaction(session.Role.OWNER) as connection:
        block = (
            "UPDATE roman.light_curve_block SET load_run_id = (SELECT max(load_run_id) FROM ops.load_run) "
        )
        connection.execute(sa.text(block + "WHERE start_mjd = :day"), {"day": day})


def test_a_season_is_stale_until_it_is_described_again(own_survey):
    asked = arguments("gbtds", 2, "psf")
    describe(1)
    describe(2)
    assert stale_seasons(asked) == []
    photometer_again(DAYS[1])
    # All seasons together were never described.
    assert stale_seasons(asked) == [1]
    assert stale_seasons(arguments("gbtds", 1, "psf")) == []
    (line,) = summary_of_stale(asked)
    assert "roman-db run season 1" in line
    said = [one for one in of_season(read_season(asked)) if "season 1 became others" in one.what]
    assert len(said) == 1
    assert "roman-db run season 1" in said[0].do
    describe(0)
    describe(1)
    assert stale_seasons(asked) == []
    assert list(summary_of_stale(asked)) == []
    photometer_again(DAYS[0])
    assert stale_seasons(asked) == [1, 0]


@pytest.mark.heavy
def test_the_command_names_them_at_its_end(own_survey, tmp_path, monkeypatch):
    monkeypatch.setenv("ROMAN_DB_PRODUCTS", str(tmp_path))
    describe(1)
    photometer_again(DAYS[0])
    done = CliRunner().invoke(root, ("run", "season", "3", "--no-images"))
    assert done.exit_code == 0, done.output
    assert "since they were described: 1. Give: roman-db run season 1." in done.output
