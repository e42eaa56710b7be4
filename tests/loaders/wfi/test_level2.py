"""Valid files: what is read is what was written, in settled units."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime

import asdf
import numpy as np
import pytest
from astropy import units as u
from astropy.time import Time

from loaders.rejection import Rejected
from loaders.wfi.level2 import read_level2, read_metadata

SHAPE = (64, 80)
STEPS = [
    "assign_wcs",
    "dark",
    "dark_decay",
    "dq_init",
    "flat_field",
    "flux",
    "linearity",
    "outlier_detection",
    "photom",
    "ramp_fit",
    "refpix",
    "saturation",
    "skymatch",
    "source_catalog",
    "tweakreg",
    "wfi18_transient",
]


def test_metadata_and_image_agree(make_level2):
    path = make_level2()
    assert read_metadata(path) == read_level2(path).metadata


def test_names_fill_in_placeholders(make_level2):
    metadata = read_metadata(make_level2())
    assert metadata.visit_id == "0000202003004005006"
    numbers = (metadata.program, metadata.execution_plan, metadata.pass_, metadata.segment)
    assert numbers == (2, 2, 3, 4)
    assert (metadata.observation, metadata.visit, metadata.exposure) == (5, 6, 7)
    assert (metadata.detector, metadata.optical_element) == ("WFI11", "F146")


def test_recorded_name_serves_a_renamed_copy(make_level2):
    path = make_level2()
    copy = path.rename(path.with_name("copy.asdf"))
    metadata = read_metadata(copy)
    assert metadata.visit_id == "0000202003004005006"
    assert metadata.filename == path.name


def test_keywords_win_over_nothing_in_the_name(make_level2):
    keywords = {"observation.visit_id": "0000909009009009009", "observation.exposure": 4}
    metadata = read_metadata(make_level2(keywords, name="mine.asdf"))
    assert (metadata.visit_id, metadata.exposure, metadata.program) == ("0000909009009009009", 4, 9)


def test_the_epoch_of_the_guide_star_is_read_as_it_stands(make_level2):
    assert read_metadata(make_level2({"guide_star.epoch": "J2027.25"})).guide_star_epoch == "J2027.25"
    assert read_metadata(make_level2({})).guide_star_epoch is None


def test_placeholders_mean_unknown(make_level2):
    keywords = {
        "guide_star.window_xstop": -999983,
        "pointing.ra_v1": float("nan"),
        "exposure.exposure_time": -999999.0,
    }
    metadata = read_metadata(make_level2(keywords))
    assert metadata.calibration_software_version is None
    assert metadata.window_xstop is None
    assert metadata.ra_v1 is None
    assert metadata.exposure_time is None
    assert metadata.visit_start_time is None
    assert metadata.spatial_x is None


def test_large_negative_coordinates_are_no_placeholders(make_level2):
    assert read_metadata(make_level2({"ephemeris.spatial_x": -139364084.7})).spatial_x == -139364084.7


def test_lists_become_json(make_level2):
    assert (
        read_metadata(make_level2({"exposure.read_pattern": [[1], [2, 3]]})).read_pattern == "[[1], [2, 3]]"
    )


def test_times_are_converted_from_their_scale(make_level2):
    # TAI is 37 s ahead of UTC since 2017.
    start = Time("2027-03-01T06:00:37", scale="tai")
    metadata = read_metadata(make_level2({"exposure.start_time": start}))
    assert metadata.exposure_start_time == datetime(2027, 3, 1, 6, tzinfo=UTC)
    assert metadata.exposure_mid_time == datetime(2027, 3, 1, 6, 0, 33, 200_000, tzinfo=UTC)


def test_years_without_announced_leap_seconds_do_not_warn(make_level2):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*dubious year.*")
        start = Time("2032-03-01T06:00:00", scale="utc")
        path = make_level2({"exposure.start_time": start, "exposure.end_time": start + 60 * u.s})
    assert read_metadata(path).exposure_mid_time == datetime(2032, 3, 1, 6, 0, 30, tzinfo=UTC)


def test_negative_calibration_gives_a_positive_factor(make_level2):
    # 0.25 MJy/sr * 2.8e-13 sr = 7e-14 MJy = 70 nJy.
    assert read_level2(make_level2()).njy_per_unit == pytest.approx(70.0, rel=1e-12)


@pytest.mark.parametrize("conversion", [0.5, -0.5])
def test_calibrated_images_return_to_rates(make_level2, conversion):
    rate = np.full(SHAPE, 4.0, dtype=np.float32)
    arrays = {
        "data": (rate * conversion).astype(np.float32),
        "err": np.full(SHAPE, 0.125, dtype=np.float16),
        "var_poisson": np.full(SHAPE, 0.0625, dtype=np.float16),
    }
    keywords = {"photometry.conversion_megajanskys": conversion, "cal_step": dict.fromkeys(STEPS, "COMPLETE")}
    image = read_level2(make_level2(keywords, arrays))
    assert np.array_equal(image.data, rate)
    assert (image.err == 0.25).all()
    assert (image.var_poisson == 0.25).all()


def test_half_precision_errors_become_single(make_level2):
    arrays = {"err": np.linspace(0.01, 3, 64 * 80).reshape(SHAPE).astype(np.float16)}
    image = read_level2(make_level2(arrays=arrays))
    assert image.err.dtype == image.var_poisson.dtype == image.data.dtype == np.float32
    assert image.dq.dtype == np.uint32
    assert np.array_equal(image.err, arrays["err"].astype(np.float32))


def test_arrays_survive_the_closed_file(make_level2):
    path = make_level2()
    image = read_level2(path)
    with asdf.open(path) as file:
        expected = np.array(file["roman"]["data"])
    path.unlink()
    assert np.array_equal(image.data, expected)
    image.data[0, 0] = 0  # owned and writeable


def test_older_schema_with_single_precision_errors(make_level2):
    path = make_level2(tag="asdf://stsci.edu/datamodels/roman/tags/wfi_image-1.4.0")
    assert read_level2(path).err.dtype == np.float32


def test_projection_is_that_of_the_wcs(make_level2):
    ra, dec = read_level2(make_level2()).projection.center
    assert (ra, dec) == (pytest.approx(268.0, abs=1e-12), pytest.approx(-29.0, abs=1e-12))


@pytest.mark.parametrize("name", ["conversion_megajanskys", "pixel_area"])
@pytest.mark.parametrize("value", [None, 0.0, -999999.0])
def test_no_calibration(make_level2, name, value):
    path = make_level2({f"photometry.{name}": value})
    with pytest.raises(Rejected, match=f"meta.photometry.{name}") as caught:
        read_level2(path)
    assert caught.value.code == "no_flux_calibration"
