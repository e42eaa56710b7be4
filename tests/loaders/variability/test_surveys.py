"""Two surveys have a season of the same number: the results of the one are not lost to the other."""

import click
import pytest

from loaders.variability.commands import require_season
from roman_db import session

from .test_load import SEASON, command, rows, run

_OTHER = """
INSERT INTO roman.survey (survey, description) VALUES ('other', 'A survey of other days');
INSERT INTO roman.season (survey, season, start_mjd, end_mjd)
VALUES ('other', 1, 61636, 61708), ('other', 11, 61636, 61708)
"""


@pytest.fixture
def two_surveys(own_survey):
    """The survey whose first season has results, and another one."""
    with session.transaction(session.Role.OWNER) as connection:
        connection.exec_driver_sql(_OTHER)
    run(SEASON, 1)
    return rows(1)


def test_a_season_whose_number_has_results_of_other_days_is_refused(two_surveys):
    refused = command("season", "1", "--survey", "other", "--no-images")
    assert refused.exit_code == 2
    words = " ".join(refused.output.replace("│", " ").split())
    assert "results of season 1 are those of survey 'gbtds', whose days are 61448 to 61519" in words
    assert rows(1) == two_surveys


def refusal(survey, season):
    """Why a season is refused; empty where it is not."""
    try:
        require_season(survey, season)
    except click.UsageError as error:
        return str(error)
    return ""


def test_other_numbers_and_all_seasons_are_not_refused(two_surveys):
    assert refusal("other", 1)
    assert [refusal("other", 11), refusal("other", 0), refusal("gbtds", 1)] == ["", "", ""]


def test_a_season_of_the_same_days_is_not_refused(two_surveys):
    """Results of a season are of all light curves of its days, whosever they are."""
    assert refusal("other", 1)
    with session.transaction(session.Role.OWNER) as connection:
        connection.exec_driver_sql(
            "UPDATE roman.season SET start_mjd = 61448, end_mjd = 61520 WHERE survey = 'other'"
        )
    assert refusal("other", 1) == ""
