"""An exposure that was measured, and then found not to fit a reference image, leaves the light curves."""

from __future__ import annotations

import pytest

from tests.faults.command_line import succeed
from tests.faults.survey import DAYS, DETECTOR
from tests.loaders.daily.test_again import COMPACT, nothing_to_do
from tests.loaders.light_curve.synthetic import points
from tests.roman_db.conftest import execute

BLOCKS = """
SELECT start_mjd, n_epoch FROM roman.light_curve_block
WHERE superseded_at IS NULL AND optical_element = 'F146' ORDER BY 1, 2
"""

#: A reference image of the days, which all exposures of one fit but some, by their order.
_IMAGE = f"""
INSERT INTO roman.reference_image (
    field_id, detector, optical_element, start_mjd, end_mjd, epoch_mjd_tdb, n_exposure, n_refused,
    exposure_time, oversampling, n_x, n_y, ra_ref, dec_ref, rotation_matrix, pixel_scale, footprint, path,
    sha256, size_bytes, load_run_id
)
SELECT field_id, detector, optical_element, {DAYS[0]}, {DAYS[1]} + 1, {DAYS[0]}, 8, 0, 1, 2, 1, 1, 0, 0,
       '{{1,0,0,1}}', 0.055, '{{}}', 'x', 'x', 1, load_run_id
FROM roman.exposure WHERE optical_element = 'F146' LIMIT 1
"""
_MEMBERS = """
INSERT INTO roman.reference_image_exposure
    (reference_image_id, exposure_id, file_id, flux_scale, load_run_id, is_used)
SELECT r.reference_image_id, e.exposure_id, e.file_id, 1.0, e.load_run_id,
        e.number <> ALL('{{{refused}}}')
FROM roman.reference_image r,
     (SELECT *, row_number() OVER (ORDER BY exposure_id) AS number FROM roman.exposure
      WHERE optical_element = 'F146') AS e
WHERE r.superseded_at IS NULL
"""


def find_misfits(url, *refused):
    """Store a reference image in place of an earlier one; say which exposures it refuses, from 1 on."""
    execute(
        url,
        "UPDATE roman.reference_image SET superseded_at = now()",
        _IMAGE,
        _MEMBERS.format(refused=",".join(map(str, refused))),
    )
    numbers = [row[0] for row in execute(url, "SELECT exposure_id FROM roman.exposure "
                                         "WHERE optical_element = 'F146' ORDER BY 1")]  # fmt: skip
    return {numbers[one - 1] for one in refused}


def without(rows, exposures):
    """Points of all other exposures."""
    return [row for row in rows if row[3] not in exposures]


@pytest.mark.heavy
def test_its_block_is_measured_again_without_it(photometered):
    before = points()
    lost = find_misfits(photometered, 2)
    assert "1 units done, 0 failed; 1 blocks of 3 exposures" in succeed("run", "daily").out
    assert execute(photometered, BLOCKS) == [(DAYS[0], 3), (DAYS[1], 4)]
    # All others are what they were: each exposure is measured by itself.
    assert points() == without(before, lost)
    assert len(points()) < len(before)
    assert nothing_to_do()
    # Nor does it come back when all is measured again, with PSFs that were made without it.
    assert "3 blocks of 8 exposures" in succeed("run", "daily", "--redo").out
    assert {row[3] for row in points()} == {row[3] for row in before} - lost


@pytest.mark.heavy
def test_a_merged_block_and_a_day_of_which_none_is_left(photometered):
    before = points()
    succeed(*COMPACT)
    lost = find_misfits(photometered, 1, 2, 3, 4, 6)
    assert "1 units done, 0 failed; 1 blocks of 3 exposures" in succeed("run", "daily").out
    assert execute(photometered, BLOCKS) == [(DAYS[1], 3)]
    assert points() == without(before, lost)
    assert nothing_to_do()


def test_a_block_of_which_none_is_left_goes(photometered):
    before = points()
    lost = find_misfits(photometered, 5, 6, 7, 8)
    assert "1 units done, 0 failed; 0 blocks of 0 exposures" in succeed("run", "daily").out
    assert execute(photometered, BLOCKS) == [(DAYS[0], 4)]
    assert points() == without(before, lost)
    ((expected, read),) = execute(
        photometered, "SELECT n_expected, n_read FROM ops.load_run ORDER BY load_run_id DESC LIMIT 1"
    )
    assert (expected, read) == (0, 0)
    assert nothing_to_do()


@pytest.mark.heavy
def test_what_fits_the_next_image_is_measured_again(photometered):
    before = points()
    find_misfits(photometered, 2, 3)
    succeed("run", "daily")
    find_misfits(photometered, 3)
    assert "1 blocks of 1 exposures" in succeed("run", "daily").out
    assert execute(photometered, BLOCKS) == [(DAYS[0], 1), (DAYS[0], 2), (DAYS[1], 4)]
    find_misfits(photometered)
    succeed("run", "daily")
    assert sorted(points()) == sorted(before)


def test_what_was_measured_of_a_file_that_is_gone_stays(photometered):
    """Such an exposure was refused unread: nothing is known of its light, nor of others."""
    find_misfits(photometered, 2)
    execute(photometered, "UPDATE roman.reference_image_exposure SET flux_scale = NULL WHERE NOT is_used")
    assert nothing_to_do()
    assert execute(photometered, BLOCKS) == [(DAYS[0], 4), (DAYS[1], 4)]


@pytest.mark.parametrize("of", [("--day", DAYS[1]), ("--detector", "WFI01"), ("--optical-element", "F087")])
def test_other_days_detectors_and_elements_are_left_alone(photometered, of):
    find_misfits(photometered, 2)
    assert of[1] != DETECTOR
    assert "0 units done, 0 failed" in succeed("run", "daily", *of).out
    assert execute(photometered, BLOCKS) == [(DAYS[0], 4), (DAYS[1], 4)]
