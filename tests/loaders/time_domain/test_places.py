"""New light becomes an object when differences of enough exposures show it at one place, and not before."""

from __future__ import annotations

import numpy as np
import pytest

from loaders.time_domain.load import appear_unit, pending_places
from loaders.time_domain.tasks import APPEAR
from roman_db.jobs import Mode, run_mode
from tests.roman_db.conftest import execute

RA, DEC = 268.0, -60.0
ARCSEC = 1 / 3600

_EXPOSURES = """
SET session_replication_role = replica;
INSERT INTO ops.load_run (task, arguments, code_version, schema_version, host, pid)
VALUES ('test', '{}', '0', '0', 'nowhere', 1);
INSERT INTO roman.exposure (
    exposure_id, file_id, visit_id, exposure, detector, optical_element, field_id, ra, dec, footprint,
    midpoint_mjd_utc, midpoint_mjd_tdb, midpoint_bjd_tdb, observatory_source, day_mjd, n_x, n_y, njy_per_unit,
    fraction_usable, fraction_saturated, median_background, background_noise, exposure_start_time,
    exposure_end_time, load_run_id
)
SELECT id, id, '', id, 'WFI07', 'F146', 1 + (id - 1) / 4, 268, -60, '{}', id, 61400 + id, 61400 + id, '',
       61400 + id,
       4088, 4088, 1, 1, 0, 0, 0, now(), now(), 1
FROM generate_series(1, 8) AS id;
INSERT INTO roman.difference_image (
    difference_image_id, reference_image_id, exposure_id, file_id, n_template, catalog_path, catalog_sha256,
    kernel_sum, template_share, reduced_chi2, fraction_beyond, n_source, superseded_at, load_run_id
)
SELECT 100 + id, 1, id, id, 9, 'x', 'x', 1, 0, 1, 0, 0, CASE WHEN id = 4 THEN now() END, 1
FROM generate_series(1, 8) AS id
"""

#: More exposures of the first field, some degrees north of the others; all of 10 by 10 pixels.
_MORE = """
SET session_replication_role = replica;
UPDATE roman.exposure SET n_x = 10, n_y = 10;
INSERT INTO roman.exposure SELECT (jsonb_populate_record(e, jsonb_build_object(
    'exposure_id', id, 'exposure', id, 'file_id', id, 'dec', e.dec + {north}))).*
FROM roman.exposure e, generate_series(9, 8 + {count}) AS id WHERE e.exposure_id = 1;
INSERT INTO roman.difference_image SELECT (jsonb_populate_record(d, jsonb_build_object(
    'difference_image_id', 100 + id, 'exposure_id', id, 'file_id', id))).*
FROM roman.difference_image d, generate_series(9, 8 + {count}) AS id WHERE d.exposure_id = 1
"""


@pytest.fixture
def sky(database):
    """Function that stores sources: exposure, arcsec east and north of the middle, and what differs."""
    execute(database, _EXPOSURES)
    counter = iter(range(1000))

    def store(exposure, east, north, error=3.0, flux=100.0, kind="new", object_id="NULL", ra=RA):
        degrees = float((ra + east * ARCSEC / np.cos(np.radians(DEC))) % 360)
        execute(
            database,
            "INSERT INTO roman.dia_source VALUES "
            f"({100 + exposure}, {next(counter)}, {object_id}, {61400 + exposure}, 0, 0, {degrees!r}, "
            f"{DEC + north * ARCSEC!r}, {error}, {error}, {flux}, 10, 1, '{kind}', 1)",
        )

    return store


def appear():
    report = run_mode(Mode("test", "Only this", (APPEAR,)), {}, lambda *_: None)
    assert not report.failed
    return report


def objects(url):
    return execute(url, "SELECT object_id, ra, dec, ra_err, ref_epoch FROM roman.object ORDER BY ra")


def test_two_exposures_make_an_object_at_the_weighted_mean(database, sky):
    sky(1, 0.0, 0.000, error=3.0)
    sky(2, 0.0, 0.010, error=6.0)
    assert [unit.arguments for unit in pending_places({})] == [{"field_id": 1}]
    appear()
    ((object_id, ra, dec, error, epoch),) = objects(database)
    # Weights 4 and 1; epoch 61401.5, in Julian years.
    assert (dec - DEC) * 3600 == pytest.approx(0.002, abs=1e-6)
    assert (ra - RA) * 3600 == pytest.approx(0.0, abs=1e-6)
    assert error == pytest.approx(1 / np.sqrt(1 / 9 + 1 / 36), rel=1e-5)
    assert epoch == pytest.approx(2000 + (61401.5 - 51544.5) / 365.25, abs=1e-9)
    found = execute(database, "SELECT object_id, kind FROM roman.dia_source")
    assert found == [(object_id, "new")] * 2
    assert pending_places({}) == []
    assert not appear().succeeded


def test_many_are_one_object_and_all_of_them_are_it(database, sky):
    for exposure in (1, 2, 3):
        sky(exposure, 0.004 * exposure, 0.0)
    sky(1, 2.0, 0.0)
    sky(3, 2.0, 0.0)
    appear()
    assert len(objects(database)) == 2
    found = execute(database, "SELECT object_id, count(*) FROM roman.dia_source GROUP BY 1 ORDER BY 2")
    assert [count for _, count in found] == [2, 3]
    assert None not in {object_id for object_id, _ in found}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param({}, None, id="one exposure alone"),
        pytest.param({}, {"exposure": 1}, id="twice in one exposure"),
        pytest.param({}, {"exposure": 4}, id="the other difference is superseded"),
        pytest.param({}, {"kind": "hit"}, id="the other is a hit"),
        pytest.param({"flux": -100}, {"flux": -100}, id="a loss"),
        pytest.param({"object_id": 5}, {"object_id": 5}, id="an object already"),
        pytest.param({"error": 30.0}, {"error": 30.0, "north": 0.06}, id="farther than half a pixel"),
        pytest.param({"error": 1.0}, {"error": 1.0, "north": 0.02}, id="farther than three errors"),
        pytest.param({}, {"exposure": 5}, id="of another field"),
    ],
)
def test_what_is_no_object(database, sky, first, second):
    for one, exposure in ((first, 1), (second, 2)):
        if one is not None:
            sky(**({"exposure": exposure, "east": 0.0, "north": 0.0} | one))
    assert pending_places({}) == []
    appear()
    assert objects(database) == []


def test_half_a_pixel_is_near_enough_if_errors_are_large(database, sky):
    sky(1, 0.0, 0.0, error=10.0)
    sky(2, 0.0, 0.05, error=10.0)
    appear()
    assert len(objects(database)) == 1


@pytest.mark.parametrize(
    ("count", "north", "n_seen", "is_object"),
    [
        # λ = 2 / 203, p = λ π 0.055² / 1.21 = 7.7e-5, λ / p = 127: 127 · 203² / 2 · p² = 0.016 pairs.
        pytest.param(200, 0.0, 2, False, id="two of many may be chance"),
        pytest.param(200, 0.0, 3, True, id="three of many are not"),
        pytest.param(200, 1.0, 2, True, id="two of few, as the others look elsewhere"),
        # λ = 2 / 23, p = 6.8e-4: 127 · 23² / 2 · p² = 0.016; λ = 2 / 3, p = 5.2e-3: 127 · 3 p² = 0.0105.
        pytest.param(20, 0.0, 2, False, id="in few exposures sources lie the denser"),
        pytest.param(0, 0.0, 2, False, id="in so small an image two of three may be chance"),
        pytest.param(0, 0.0, 3, True, id="three of three are not"),
    ],
)
def test_more_must_show_it_where_more_looked(database, sky, count, north, n_seen, is_object):
    execute(database, _MORE.format(count=count, north=north))
    for exposure in (1, 2, 3)[:n_seen]:
        sky(exposure, 0.0, 0.0)
    assert [unit.arguments for unit in pending_places({})] == [{"field_id": 1}] * is_object
    appear()
    assert len(objects(database)) == is_object


def test_right_ascension_passes_360_degrees(database, sky):
    sky(1, -0.004, 0.0, ra=0.0)
    sky(2, 0.004, 0.0, ra=0.0)
    appear()
    ((_, ra, *_),) = objects(database)
    assert min(ra, 360 - ra) * 3600 < 1e-6


def test_an_object_that_is_there_is_it(database, sky):
    """Light at the place of an object that another run has made in the meantime."""
    sky(1, 0.0, 0.0)
    sky(2, 0.0, 0.0)
    appear()
    ((object_id, *_),) = objects(database)
    sky(3, 0.0, 0.01)
    sky(2, 0.0, 0.01)
    appear()
    assert [row[0] for row in objects(database)] == [object_id]
    assert execute(database, "SELECT DISTINCT object_id FROM roman.dia_source") == [(object_id,)]


def test_the_task_leaves_nothing_to_account_for():
    assert APPEAR.run is appear_unit
    assert list(APPEAR.inputs(None)) == []
