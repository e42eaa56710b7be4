"""Cadences of a survey in a simulation: those of the database, without collisions."""

import pytest

from loaders.rejection import Rejected
from loaders.simulation.load import with_survey
from loaders.simulation.parameters import default_parameters
from loaders.simulation.season import plan_exposures
from loaders.simulation.survey_layout import PlannedCadence, with_cadences
from tests.faults.command_line import roman_db
from tests.roman_db.conftest import execute

DRM = [PlannedCadence("F213", 360, 290), PlannedCadence("F146", 15, 47), PlannedCadence("F087", 360, 290)]


def test_a_day_has_the_exposures_of_the_cadences_and_none_collide():
    survey = with_cadences(default_parameters(), DRM).survey
    plan = plan_exposures(survey)  # raises where two collide
    counts = {name: sum(p.optical_element == name for p in plan) for name in ("F146", "F087", "F213")}
    assert counts == {"F146": 3 * 96, "F087": 3 * 4, "F213": 3 * 4}
    for planned in plan:
        wanted = 47 if planned.optical_element == "F146" else 290
        assert planned.ma_table.exposure_time == pytest.approx(wanted, abs=planned.ma_table.frame_time)


def test_a_table_that_is_made_up_uses_every_read_once_and_has_its_own_name():
    survey = with_cadences(default_parameters(), DRM).survey
    for table in survey.ma_tables:
        reads = [read for resultant in table.read_pattern for read in resultant]
        assert reads == list(range(1, len(reads) + 1))
        assert len(table.read_pattern) > 2
    for names in ([t.name for t in survey.ma_tables], [t.number for t in survey.ma_tables]):
        assert len(set(names)) == len(names) == 3


def test_an_interval_that_is_no_multiple_becomes_one():
    planned = [PlannedCadence("F146", 12.1, 66.4), PlannedCadence("F087", 360, 66.4)]
    survey = with_cadences(default_parameters(), planned).survey
    assert [c.interval_minutes for c in survey.cadences] == pytest.approx([12.1, 363])
    assert {c.ma_table for c in survey.cadences} == {"SIM_66_6"}


def test_no_cadence_is_no_survey():
    with pytest.raises(ValueError, match="at least one"):
        with_cadences(default_parameters(), [])


@pytest.mark.heavy
def test_the_rows_of_the_database_are_what_is_simulated(new_database, tmp_path):
    execute(
        new_database,
        "INSERT INTO roman.survey VALUES ('mine', 'my own')",
        "INSERT INTO roman.cadence (survey, optical_element, interval_minutes, exposure_time) "
        "VALUES ('mine', 'F106', 20, 30)",
    )
    (cadence,) = with_survey(default_parameters(), "mine").survey.cadences
    assert (cadence.optical_element, cadence.interval_minutes) == ("F106", 20)
    parameters = tmp_path / "small.yaml"
    parameters.write_text(
        "scene: {stars: {density_per_arcmin2: 1000}, events: []}\n"
        "survey: {duration_days: 0.02, window: {x: 1000, y: 500, width: 32, height: 32}}\n"
    )
    done = roman_db("simulate", tmp_path / "sky", "--parameters", parameters, "--survey", "mine")
    assert done.code == 0, done.err
    assert len(list((tmp_path / "sky").glob("*_f106_cal.asdf"))) == 2
    assert len(list((tmp_path / "sky").glob("*_cal.asdf"))) == 2


def test_a_survey_that_is_none_is_refused_with_those_that_are(new_database, tmp_path):
    with pytest.raises(Rejected, match="gbtds"):
        with_survey(default_parameters(), "gbtd")
    done = roman_db("simulate", tmp_path / "sky", "--survey", "gbtd")
    assert done.code == 1
    assert "gbtds, gbtds-drm" in done.err
    assert not (tmp_path / "sky").exists()
