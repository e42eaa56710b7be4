"""Which reference image gives an exposure its template, and what is said of those that have none."""

import pytest

from loaders.time_domain.load import pending_exposures, waiting_exposures
from loaders.time_domain.tasks import selection
from loaders.time_domain.waiting import waiting_lines
from tests.loaders.time_domain.test_places import _EXPOSURES
from tests.roman_db.conftest import execute

_FIELD = """
SET session_replication_role = replica;
UPDATE roman.exposure SET field_id = 1;
DELETE FROM roman.difference_image
"""

_IMAGE = """
SET session_replication_role = replica;
INSERT INTO roman.reference_image (
    reference_image_id, field_id, detector, optical_element, start_mjd, end_mjd, epoch_mjd_tdb, n_exposure,
    n_refused, exposure_time, oversampling, n_x, n_y, ra_ref, dec_ref, rotation_matrix, pixel_scale,
    footprint, path, sha256, size_bytes, load_run_id
) VALUES ({id}, 1, 'WFI07', 'F146', {first}, {end}, {first}, {n_exposure},
    0, 1, 1, 9, 9, 268, -60, '{{}}', 0.11, '{{}}', 'x', 'x', 1, 1);
INSERT INTO roman.reference_image_exposure (reference_image_id, exposure_id, file_id, is_used, load_run_id)
SELECT {id}, exposure_id, file_id, exposure_id <> {misfit}, 1 FROM roman.exposure
WHERE day_mjd >= {first} AND day_mjd < {end};
INSERT INTO roman.reference_source (reference_image_id, object_id, state, load_run_id)
SELECT {id}, 7, 'new', 1 WHERE {is_searched}
"""


@pytest.fixture
def images(database):
    """Function that stores a reference image of a span; exposure k of 1 to 8 is of day 61400 + k."""
    execute(database, _EXPOSURES)
    execute(database, _FIELD)

    def store(identifier, first, end, n_exposure=9, *, is_searched=True, misfit=0):
        span = {"first": 61400 + first, "end": 61400 + end, "n_exposure": n_exposure}
        execute(database, _IMAGE.format(id=identifier, **span, is_searched=is_searched, misfit=misfit))

    return store


def given():
    """Exposures by the reference image that gives their template, and whether it is their own."""
    units = [unit.arguments for unit in pending_exposures(selection())]
    return {(one["reference_image_id"], one["is_left_out"]): one["exposure_id"] for one in units}


def test_exposures_have_their_own_image_or_the_last_before_or_wait(images):
    images(1, 3, 5)
    images(2, 7, 8, n_exposure=8)
    assert given() == {(1, True): [3, 4], (1, False): [5, 6, 7], (2, False): [8]}
    assert waiting_exposures(selection()) == [
        "Not compared: 2 exposures of WFI07 F146: no reference image has them or ended before them; "
        "run eight-day makes it once its span ended."
    ]


def test_an_image_whose_search_failed_gives_no_template(images):
    """Neither its own exposures nor later ones: not one object is known on it."""
    images(1, 1, 5, is_searched=False)
    assert given() == {}
    (line,) = waiting_exposures(selection())
    assert line.startswith("Not compared: 8 exposures of WFI07 F146: their reference image was not searched")


@pytest.mark.parametrize(("state", "served"), [("succeeded", {(1, True): [1, 2, 3, 4]}), ("failed", {})])
def test_an_image_on_which_nothing_is_found_serves(images, database, state, served):
    """A field without a star: its search succeeded, and no object is known on it."""
    images(1, 1, 5, is_searched=False)
    execute(
        database,
        "SET session_replication_role = replica; INSERT INTO ops.task_run "
        "(mode, task, unit, arguments, state, n_expected, n_read, load_run_id, finished_at) "
        f"VALUES ('eight-day', 'catalog', 'x', '{{\"reference_image_id\": 1}}', '{state}', 1, 1, 1, now())",
    )
    own = {key: exposures for key, exposures in given().items() if key[1]}
    assert own == served
    assert (waiting_exposures(selection()) == []) == (state == "succeeded")


def test_an_earlier_image_that_was_searched_serves(images):
    images(1, 1, 3)
    images(2, 3, 5, is_searched=False)
    assert given() == {(1, True): [1, 2], (1, False): [3, 4, 5, 6, 7, 8]}
    assert waiting_exposures(selection()) == []


def test_few_others_and_misfits(images):
    images(1, 1, 9, n_exposure=8, misfit=4)
    assert given() == {}
    few, misfit = waiting_exposures(selection())
    assert "7 exposures of WFI07 F146: fewer than 8 others" in misfit + few
    assert "1 exposure of WFI07 F146: they do not fit" in misfit + few


def test_what_is_compared_does_not_wait(images, database):
    assert len(waiting_exposures(selection())) == 1
    execute(
        database,
        "SET session_replication_role = replica; INSERT INTO roman.difference_image (exposure_id, file_id, "
        "reference_image_id, n_template, catalog_path, catalog_sha256, kernel_sum, template_share, "
        "reduced_chi2, fraction_beyond, n_source, load_run_id) "
        "SELECT exposure_id, file_id, 1, 9, 'x', 'x', 1, 0, 1, 0, 0, 1 FROM roman.exposure",
    )
    assert waiting_exposures(selection(redo=True)) == []


def test_lines_count_by_reason_and_element():
    waits = [("image", "WFI07 F146", 2), ("image", "WFI07 F146", 1), ("image", "WFI07 F213", 1000)]
    lines = waiting_lines(waits, 8)
    assert [line.split(":")[1] for line in lines] == [
        " 3 exposures of WFI07 F146",
        " 1,000 exposures of WFI07 F213",
    ]
