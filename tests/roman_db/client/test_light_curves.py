"""Light curves, one and many, against the points that were stored."""

from __future__ import annotations

import re
import threading

import numpy as np
import pytest
import requests
from astropy import units as u
from pyarrow import parquet

from roman_db.client import BadQuery, NotAllowed, NothingFound, Unreachable
from roman_db.client.light_curves import MOST_OBJECTS, Wanted, read_object_ids
from tests.queries.filling import LENSED, N_OBJECT, UNMEASURED
from tests.roman_db.client.periodic import N_POINT as N_PERIODIC
from tests.roman_db.vo.test_time_series import expected

#: Points of an object in F146 and F087.
N_F146, N_ALL = 96, 108


def test_a_light_curve_has_the_stored_points_with_units(roman, truth):
    curve = roman.light_curve(int(truth.object_id[LENSED]))
    times, fluxes = expected(truth, "F146")
    f146 = curve[curve["optical_element"] == "F146"]
    assert len(curve) == N_ALL
    assert np.asarray(f146["midpoint_mjd_tdb"]) == pytest.approx(times, abs=1e-9)
    assert np.asarray(f146["flux"]) == pytest.approx(fluxes[LENSED], rel=1e-6)
    units = [curve[name].unit for name in ("flux", "flux_err", "midpoint_bjd_tdb", "ab_mag")]
    assert units == [u.nJy, u.nJy, u.d, u.mag]
    assert curve["flux"].meta["ucd"].startswith("phot.flux")
    one = roman.light_curve(int(truth.object_id[LENSED]), "F146", photometry_kind="psf")
    assert np.array_equal(one.as_array(), f146.as_array())
    assert curve.to_pandas()["object_id"].unique().tolist() == [truth.object_id[LENSED]]


def test_points_that_failed_are_nan_with_flags(roman, truth):
    curve = roman.light_curve(int(truth.object_id[UNMEASURED]), "F146")
    failed = np.isnan(np.asarray(curve["flux"]))
    assert failed.sum() == 4
    assert set(curve["flags"][failed]) == {1 << 7}


@pytest.mark.parametrize(
    ("changed", "said"), [({}, "object 1 has no points, or"), ({"optical_element": "F184"}, "F184")]
)
def test_what_has_no_points_is_said(roman, changed, said):
    with pytest.raises(NothingFound, match=said):
        roman.light_curve(1, **changed)


def test_many_come_in_some_requests_and_show_how_far_they_are(roman, truth, capsys):
    given = [*truth.object_id[::-1].tolist(), truth.object_id[0].item()]
    curves = roman.light_curves(given, objects_per_request=17)
    assert len(curves) == N_OBJECT * N_ALL + N_PERIODIC
    assert np.array_equal(np.unique(curves["object_id"]), truth.object_id)
    _, fluxes = expected(truth, "F087")
    f087 = np.asarray(curves["flux"])[curves["optical_element"] == "F087"]
    assert np.array_equal(f087.reshape(N_OBJECT, -1), fluxes, equal_nan=True)
    assert curves["flux"].unit == u.nJy
    bars = re.findall(r"(\d+)/60", capsys.readouterr().err)
    assert (bars[0], bars[-1]) == ("0", "60")
    roman.light_curves(given, progress=False)
    assert capsys.readouterr().err == ""


def test_a_download_counts_all_that_was_asked_for(roman, truth, tmp_path):
    got = roman.download_light_curves(
        [*truth.object_id, 5], tmp_path / "curves", "F146", objects_per_request=25, progress=False
    )
    assert (got.n_object, got.n_point, got.without_points.tolist()) == (N_OBJECT + 1, N_OBJECT * N_F146, [5])
    assert len(got.paths) == 3
    assert got.dataset().count_rows() == got.n_point
    rows = got.dataset().to_table()
    assert rows["object_id"].to_numpy().tolist() == np.repeat(truth.object_id, N_F146).tolist()
    assert parquet.read_schema(got.paths[0]).field("flux").metadata[b"unit"] == b"nJy"


def test_an_interrupted_download_goes_on_with_what_is_missing(roman, truth, tmp_path, monkeypatch):
    whole = requests.Response.iter_content
    asked = []

    def breaks_off(response, size):
        asked.append(response.url)
        if len(asked) == 2:
            yield b"PAR1"
            raise requests.exceptions.ChunkedEncodingError("connection broken")
        yield from whole(response, size)

    monkeypatch.setattr(requests.Response, "iter_content", breaks_off)

    def again():
        return roman.download_light_curves(
            truth.object_id, tmp_path, objects_per_request=20, requests_at_once=1, progress=False
        )

    with pytest.raises(Unreachable, match=r"broke off.*ask again"):
        again()
    (first,) = tmp_path.iterdir()
    written = first.stat().st_mtime_ns
    got = again()
    assert (len(asked), got.n_point, len(list(tmp_path.iterdir()))) == (4, N_OBJECT * N_ALL + N_PERIODIC, 3)
    assert first.stat().st_mtime_ns == written
    # Another question does not take these files for its answer.
    assert (
        roman.download_light_curves(truth.object_id, tmp_path, "F087", progress=False).n_point
        == N_OBJECT * 12
    )


@pytest.mark.parametrize("at_once", [1, 3, 16])
def test_requests_at_the_same_time_give_what_one_after_another_does(
    roman, truth, tmp_path, at_once, monkeypatch
):
    """No more are under way than were asked for; the first comes after another, and keeps its place."""
    under_way, most, lock, another = [], [], threading.Lock(), threading.Event()
    whole = requests.Response.iter_content

    def counted(response, size):
        with lock:
            under_way.append(response)
            most.append(len(under_way))
            is_first = len(most) == 1
        if not is_first:
            another.set()
        elif at_once > 1:
            assert another.wait(60)
        yield from whole(response, size)
        with lock:
            under_way.remove(response)

    monkeypatch.setattr(requests.Response, "iter_content", counted)
    given = {"objects_per_request": 5, "requests_at_once": at_once, "progress": False}
    got = roman.download_light_curves(truth.object_id, tmp_path, "F146", **given)
    assert (len(got.paths), got.n_point) == (12, N_OBJECT * N_F146)
    rows = got.dataset().to_table()
    assert rows["object_id"].to_numpy().tolist() == np.repeat(np.sort(truth.object_id), N_F146).tolist()
    assert max(most) <= at_once
    assert (max(most) > 1) == (at_once > 1)
    table = roman.light_curves(truth.object_id, "F146", **given)
    assert np.array_equal(table["flux"], rows["flux"].to_numpy(), equal_nan=True)


def test_what_had_begun_beside_a_request_that_fails_is_kept(roman, truth, tmp_path, monkeypatch):
    whole = requests.Response.iter_content
    asked, lock = [], threading.Lock()

    def breaks_off(response, size):
        with lock:
            asked.append(response.url)
            is_third = len(asked) == 3
        if is_third:
            raise requests.exceptions.ChunkedEncodingError("connection broken")
        yield from whole(response, size)

    monkeypatch.setattr(requests.Response, "iter_content", breaks_off)

    def again():
        return roman.download_light_curves(
            truth.object_id, tmp_path, "F146", objects_per_request=5, requests_at_once=2, progress=False
        )

    with pytest.raises(Unreachable, match=r"broke off.*ask again"):
        again()
    n_kept = len(list(tmp_path.iterdir()))
    assert n_kept == len(asked) - 1
    assert {path.suffix for path in tmp_path.iterdir()} == {".parquet"}
    assert again().n_point == N_OBJECT * N_F146
    assert len(asked) == 12 + 1


@pytest.mark.parametrize("at_once", [0, 17])
def test_no_requests_or_too_many_at_the_same_time_are_refused(roman, truth, tmp_path, at_once):
    with pytest.raises(BadQuery, match=f"requests_at_once must be 1 to 16, got {at_once}"):
        roman.download_light_curves(truth.object_id, tmp_path, requests_at_once=at_once)


def test_where_the_service_cuts_light_curves_they_are_asked_for_in_smaller_parts(
    roman, truth, tmp_path, monkeypatch
):
    """Of 100 rows: 12 points of an object in F087 are fewer, those of all elements more."""
    whole = Wanted.parameters
    monkeypatch.setattr(Wanted, "parameters", lambda wanted: whole(wanted) | {"MAXREC": 100})
    got = roman.download_light_curves(truth.object_id[:20], tmp_path, "F087", progress=False)
    assert (got.n_point, len(got.paths), got.without_points.size) == (20 * 12, 1, 0)
    rows = got.dataset().to_table()
    assert rows["object_id"].to_numpy().tolist() == np.repeat(truth.object_id[:20], 12).tolist()
    assert parquet.read_schema(got.paths[0]).field("flux").metadata[b"unit"] == b"nJy"
    with pytest.raises(NotAllowed, match=f"{truth.object_id[0]} has more points"):
        roman.light_curve(int(truth.object_id[0]))


def test_identifiers_that_were_rounded_are_refused():
    large = 2028672748838429393
    assert read_object_ids([str(large), large, 7]).tolist() == [7, large]
    assert read_object_ids(large).tolist() == [large]
    assert read_object_ids([]).tolist() == []
    for wrong in ([float(large)], [-1], [2**63], ["star"], np.ma.masked_array([1, 2], [False, True])):
        with pytest.raises(BadQuery, match="identifiers of objects"):
            read_object_ids(wrong)


def test_what_would_ask_for_something_else_is_refused(roman):
    with pytest.raises(BadQuery, match="object_ids is empty"):
        roman.light_curves([])
    with pytest.raises(BadQuery, match="optical_element must be a name such as F146, got 'F146,7'"):
        roman.light_curve(1, "F146,7")
    with pytest.raises(BadQuery, match="photometry_kind must be a name such as psf, got ''"):
        roman.light_curve(1, photometry_kind="")


@pytest.mark.parametrize("size", [0, MOST_OBJECTS + 1])
def test_a_request_has_a_size_that_the_service_takes(roman, size):
    with pytest.raises(BadQuery, match=f"1 to 10,000, got {size}"):
        roman.light_curves([1], objects_per_request=size)
