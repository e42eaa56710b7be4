"""Exposures into the database: what is stored agrees with the file, and each exposure is stored once."""

from __future__ import annotations

import math
import shutil

import numpy as np
import pytest
import roman_datamodels.datamodels as rdm
from astropy import units as u
from astropy.coordinates import (
    GCRS,
    ITRS,
    CartesianRepresentation,
    EarthLocation,
    SkyCoord,
    get_body_barycentric,
    solar_system_ephemeris,
)
from astropy.time import Time
from astropy.utils import iers
from roman_datamodels.dqflags import pixel

from loaders.wfi.load import expand
from tests.faults.command_line import roman_db, succeed
from tests.faults.killed import run_all
from tests.faults.rows import assert_same, stored_rows
from tests.loaders.wfi.conftest import SHAPE
from tests.queries.filling import nested_pixel
from tests.roman_db.conftest import execute

#: Columns of the exposure and the keywords that RAD's archive catalog sends there.
KEYWORDS = {
    "visit_id": "observation.visit_id",
    "exposure": "observation.exposure",
    "detector": "instrument.detector",
    "optical_element": "instrument.optical_element",
    "exposure_type": "exposure.type",
    "exposure_nresultants": "exposure.nresultants",
    "exposure_time": "exposure.exposure_time",
    "effective_exposure_time": "exposure.effective_exposure_time",
    "exposure_frame_time": "exposure.frame_time",
    "ma_table_id": "exposure.ma_table_id",
    "ma_table_name": "exposure.ma_table_name",
    "ma_table_number": "exposure.ma_table_number",
    "filename": "filename",
    "telescope": "telescope",
    "origin": "origin",
    "model_type": "model_type",
    "prd_version": "prd_version",
    "calibration_software_version": "calibration_software_version",
    "reference_frame": "coordinates.reference_frame",
    "spatial_x": "ephemeris.spatial_x",
    "spatial_y": "ephemeris.spatial_y",
    "spatial_z": "ephemeris.spatial_z",
    "target_ra": "pointing.target_ra",
    "target_dec": "pointing.target_dec",
    "pa_v3": "pointing.pa_v3",
    "v2_ref": "wcsinfo.v2_ref",
    "v3_ref": "wcsinfo.v3_ref",
    "roll_ref": "wcsinfo.roll_ref",
    "s_region": "wcsinfo.s_region",
}


def one_row(url, columns):
    (row,) = execute(url, f"SELECT {columns} FROM roman.exposure")
    return row


def runs(url):
    return execute(
        url, "SELECT n_read, n_loaded, n_unchanged, n_rejected, state FROM ops.load_run ORDER BY 1, 2, 3"
    )


def rejections(url):
    return execute(
        url, "SELECT code, source, reason, remedy FROM ops.load_rejection ORDER BY load_rejection_id"
    )


def test_columns_are_the_keywords_of_the_file(new_database, survey):
    path = survey.exposures()[0]
    succeed("load", "exposure", path)
    stored = one_row(new_database, ", ".join(KEYWORDS))
    with rdm.open(path) as model:
        for value, (column, keyword) in zip(stored, KEYWORDS.items(), strict=True):
            node = model.meta
            for part in keyword.split("."):
                node = node[part]
            expected = pytest.approx(node, rel=1e-12) if isinstance(node, float) else node
            assert value == expected, column
        start = model.meta.exposure.start_time.to_datetime()
        shape, median = model.data.shape, np.median(model.data)
    row = one_row(new_database, "exposure_start_time, n_y, n_x, median_background")
    assert row[0].replace(tzinfo=None) == start
    assert row[1:3] == shape
    assert row[3] == pytest.approx(median, rel=0.02)  # the median is that of the usable pixels


def test_times_agree_with_astropy(new_database, survey):
    """BJD by astropy's own light travel time, from an observatory at the stored position."""
    path = survey.exposures()[0]
    succeed("load", "exposure", path)
    columns = "ra, dec, spatial_x, spatial_y, spatial_z, observatory_source, day_mjd"
    ra, dec, *place, source, day = one_row(new_database, columns)
    with rdm.open(path) as model:
        time = Time(model.meta.exposure.mid_time, scale="utc")
    with iers.conf.set_temp("iers_degraded_accuracy", "ignore"), solar_system_ephemeris.set("builtin"):
        earth = get_body_barycentric("earth", time).xyz.to(u.km)
        away = GCRS(CartesianRepresentation(np.array(place) * u.km - earth), obstime=time)
        at_earth = away.transform_to(ITRS(obstime=time)).cartesian.xyz
        there = Time(time, location=EarthLocation.from_geocentric(*at_earth))
        bjd = there.tdb + there.light_travel_time(SkyCoord(ra, dec, unit="deg"), kind="barycentric")
    stored = one_row(new_database, "midpoint_mjd_utc, midpoint_mjd_tdb, midpoint_bjd_tdb")
    assert stored[0] == pytest.approx(time.utc.mjd, abs=1e-9)
    assert stored[1] == pytest.approx(time.tdb.mjd, abs=1e-9)
    assert (stored[2] - bjd.jd) * 86_400 == pytest.approx(0.0, abs=0.02)
    assert abs(stored[2] - 2_400_000.5 - stored[1]) * 86_400 > 10  # the light travel time is not left out
    assert day == math.floor(time.tdb.mjd)
    assert source


def test_footprint_holds_what_the_wcs_says(new_database, survey):
    """Pixels of order 29 at points of the image lie in the ranges; points an arcminute off do not."""
    path = survey.exposures()[0]
    succeed("load", "exposure", path)
    succeed("load", "catalog", survey.catalog)
    with rdm.open(path) as model:
        ny, nx = model.data.shape
        y, x = np.mgrid[0 : ny - 1 : 9j, 0 : nx - 1 : 9j]
        ra, dec = model.meta.wcs(x.ravel(), y.ravel())
    inside, outside = nested_pixel(ra, dec), nested_pixel(ra, dec + 1 / 60)
    query = "SELECT count(*) FROM roman.exposure, unnest('{{{}}}'::bigint[]) AS p WHERE footprint @> p"
    assert execute(new_database, query.format(",".join(map(str, inside)))) == [(inside.size,)]
    assert execute(new_database, query.format(",".join(map(str, outside)))) == [(0,)]
    box = f"o.ra BETWEEN {ra.min()} AND {ra.max()} AND o.dec BETWEEN {dec.min()} AND {dec.max()}"
    covered = "count(*) FILTER (WHERE e.footprint @> o.object_id)"
    ((n, n_covered),) = execute(
        new_database, f"SELECT count(*), {covered} FROM roman.object o, roman.exposure e WHERE {box}"
    )
    assert n == n_covered > 100


@pytest.mark.parametrize(("conversion", "area"), [(-0.25, -2.8e-13), (-0.25, 2.8e-13), (0.25, -2.8e-13)])
def test_negative_conversion_factors(new_database, make_level2, conversion, area):
    keywords = {"photometry.conversion_megajanskys": conversion, "photometry.pixel_area": area}
    succeed("load", "exposure", make_level2(keywords))
    # MJy/sr per DN/s times sr, and 1 MJy is 1e15 nJy.
    assert one_row(new_database, "njy_per_unit") == pytest.approx((0.25 * 2.8e-13 * 1e15,))


def test_half_precision_errors_that_are_zero_where_saturated(new_database, make_level2):
    """Saturated pixels without an error are lost; saturated pixels whose slope is usable are not."""
    err = np.full(SHAPE, 0.3, np.float16)
    dq = np.zeros(SHAPE, np.uint32)
    dq[:10] = pixel.SATURATED.value
    err[:6] = 0
    succeed("load", "exposure", make_level2(arrays={"err": err, "dq": dq}))
    columns = "fraction_usable, fraction_saturated, median_background, background_noise"
    usable, saturated, background, noise = one_row(new_database, columns)
    assert usable == pytest.approx(1 - 6 / SHAPE[0])
    assert saturated == pytest.approx(10 / SHAPE[0])
    assert background == pytest.approx(3.0, abs=0.02)
    assert noise == pytest.approx(0.3, abs=0.02)


def test_same_file_again_changes_nothing(new_database, survey):
    path = survey.exposures()[0]
    succeed("load", "exposure", path)
    before = stored_rows(new_database)
    outcome = succeed("load", "exposure", path)
    assert "1 of them were there already" in outcome.out
    assert_same(stored_rows(new_database), before)
    assert runs(new_database) == [(1, 1, 0, 0, "succeeded"), (1, 1, 1, 0, "succeeded")]


def test_file_that_moved_is_found_again(new_database, survey, tmp_path):
    first = survey.copy(tmp_path / "first", survey.exposures()[:1]).exposures()[0]
    succeed("load", "exposure", first)
    (tmp_path / "second").mkdir()
    second = first.rename(tmp_path / "second" / first.name)
    succeed("load", "exposure", second)
    assert execute(new_database, "SELECT path, superseded_at FROM ops.input_file") == [(str(second), None)]


def test_same_content_under_another_name_is_refused(new_database, survey, tmp_path):
    path = survey.exposures()[0]
    succeed("load", "exposure", path)
    before = stored_rows(new_database)
    other = shutil.copy(path, tmp_path / "mine.asdf")
    outcome = roman_db("load", "exposure", other)
    assert outcome.code == 1
    ((code, source, reason, remedy),) = rejections(new_database)
    assert (code, source) == ("duplicate_content", str(other))
    assert path.name in reason
    assert remedy
    after = stored_rows(new_database)
    # The run remembers that it was given the file, too.
    assert len(after["input"]) == len(before["input"]) + 1
    assert_same(after, {**before, "rejection": after["rejection"], "input": after["input"]})


def test_changed_content_needs_replace(new_database, make_level2):
    path = make_level2()
    succeed("load", "exposure", path)
    old = path.read_bytes()
    before = stored_rows(new_database)
    make_level2(arrays={"data": np.full(SHAPE, 5.0, np.float32)})

    assert roman_db("load", "exposure", path).code == 1
    assert [row[0] for row in rejections(new_database)] == ["changed_content"]
    assert "--replace" in rejections(new_database)[0][3]
    after = stored_rows(new_database)
    assert_same(after, {**before, "rejection": after["rejection"], "input": after["input"]})

    succeed("load", "exposure", path, "--replace")
    assert one_row(new_database, "median_background") == (5.0,)
    files = execute(new_database, "SELECT superseded_at IS NULL, sha256 FROM ops.input_file ORDER BY file_id")
    assert [is_current for is_current, _ in files] == [False, True]
    current = "SELECT sha256 FROM roman.exposure JOIN ops.input_file USING (file_id)"
    assert execute(new_database, current) == [(files[1][1],)]

    path.write_bytes(old)
    assert roman_db("load", "exposure", path).code == 1
    code, _, reason, remedy = rejections(new_database)[-1]
    assert code == "superseded_content"
    assert "older version" in reason
    assert "--replace" in remedy
    assert one_row(new_database, "median_background") == (5.0,)


def test_earlier_version_comes_back_with_replace(new_database, make_level2):
    """There and back, twice: of the two files always the one loaded last is current, and of the last run."""
    path = make_level2()
    versions = {3.0: path.read_bytes()}
    versions[5.0] = make_level2(arrays={"data": np.full(SHAPE, 5.0, np.float32)}).read_bytes()
    for median in (3.0, 5.0, 3.0, 5.0, 3.0):
        path.write_bytes(versions[median])
        outcome = succeed("load", "exposure", path, "--replace")
        assert "1 loaded (0 of them were there already)" in outcome.out
        ((background, load_run_id),) = execute(
            new_database,
            "SELECT e.median_background, f.load_run_id FROM roman.exposure e JOIN ops.input_file f "
            "USING (file_id) WHERE f.superseded_at IS NULL",
        )
        assert background == pytest.approx(median, abs=0.02)
        assert execute(new_database, "SELECT max(load_run_id) FROM ops.load_run") == [(load_run_id,)]
    assert execute(new_database, "SELECT count(*), count(superseded_at) FROM ops.input_file") == [(2, 1)]
    assert "1 of them were there already" in succeed("load", "exposure", path, "--replace").out


def test_place_that_is_taken(new_database, make_level2):
    """Another visit at the same time, and the same exposure at another time."""
    succeed("load", "exposure", make_level2())
    other_visit = make_level2(name="r0000202003004005007_0007_wfi11_f146_cal.asdf")
    start = Time("2027-03-01T07:00:00", scale="utc")
    times = {"exposure.start_time": start, "exposure.end_time": start + 66.4 * u.s}
    assert roman_db("load", "exposure", other_visit).code == 1
    other_time = make_level2(times)
    assert roman_db("load", "exposure", other_time, "--replace").code == 1
    assert [row[0] for row in rejections(new_database)] == ["exposure_taken", "exposure_taken"]
    assert [row[1] for row in rejections(new_database)] == [str(other_visit), str(other_time)]
    assert one_row(new_database, "visit_id") == ("0000202003004005006",)


@pytest.mark.parametrize(("table", "value"), [("detector", "WFI11"), ("optical_element", "F146")])
def test_instrument_that_is_not_registered(new_database, make_level2, survey, table, value):
    path = make_level2(
        {"instrument.optical_element": "F087"}, name="r0000202003004005006_0007_wfi11_f087_cal.asdf"
    )
    execute(new_database, "DELETE FROM roman.cadence")  # it refers to optical elements
    execute(new_database, f"DELETE FROM roman.{table} WHERE {table} = '{value}'")
    unknown, known = (path, survey.exposures()[0]) if table == "detector" else (survey.exposures()[0], path)
    outcome = roman_db("load", "exposure", unknown, known)
    assert outcome.code == 1
    ((code, source, reason, remedy),) = rejections(new_database)
    assert code == f"unknown_{table}"
    assert unknown.name in source
    assert repr(value) in reason
    assert f"table {table}" in remedy
    assert one_row(new_database, "filename") == (known.name,)


@pytest.mark.heavy
def test_loads_at_once_store_an_exposure_once(new_database, survey):
    files = survey.exposures()[:2]
    outcomes = run_all([("load", "exposure", *files)] * 3)
    assert [outcome.code for outcome in outcomes] == [0, 0, 0], outcomes
    assert execute(new_database, "SELECT count(*) FROM roman.exposure") == [(2,)]
    assert execute(new_database, "SELECT count(*) FROM ops.input_file") == [(2,)]
    assert execute(new_database, "SELECT sum(n_loaded), sum(n_unchanged) FROM ops.load_run") == [(6, 4)]


@pytest.mark.heavy
def test_several_processes_store_the_same_rows(new_database, survey, monkeypatch):
    """Side by side and one after the other."""
    succeed("load", "exposure", survey.folder)
    one_by_one = stored_rows(new_database)
    everything = "roman.exposure, roman.visit, roman.program, ops.input_file"
    execute(new_database, f"TRUNCATE {everything} CASCADE")
    (outcome,) = run_all([("load", "exposure", survey.folder)], ROMAN_DB_WORKERS="2")
    assert outcome.code == 0, outcome
    assert_same(stored_rows(new_database), one_by_one)


def test_folders(tmp_path, new_database):
    for name in ("b_cal.asdf", "a_cal.asdf", "a_coadd.asdf", "c.fits"):
        (tmp_path / name).touch()
    named = tmp_path / "c.fits"
    assert [path.name for path in expand([tmp_path, named])] == ["a_cal.asdf", "b_cal.asdf", "c.fits"]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert roman_db("load", "exposure", empty).code == 1
    ((code, source, reason, _),) = rejections(new_database)
    assert (code, source) == ("missing_file", str(empty))
    assert "*_cal.asdf" in reason


def test_exposures_of_romanisim(new_database, romanisim_files):
    succeed("load", "exposure", *romanisim_files)
    rows = execute(
        new_database,
        "SELECT midpoint_mjd_tdb, n_x, n_y, njy_per_unit, field_id FROM roman.exposure ORDER BY 1",
    )
    minutes = np.diff([row[0] for row in rows]) * 1440
    np.testing.assert_allclose(minutes, 12.1, atol=0.01)
    assert {row[1:3] for row in rows} == {(600, 600)}
    assert all(row[3] > 0 for row in rows)
    assert len({row[4] for row in rows}) == 1
