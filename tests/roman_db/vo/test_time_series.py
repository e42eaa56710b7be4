"""Light curves as time series, one and thousands, against what was stored."""

from __future__ import annotations

import io

import numpy as np
import pytest
import requests
from astropy.io.votable import parse
from astropy.table import Table
from astropy.time import Time
from pyarrow import parquet

from roman_db.vo.identifier import identifier
from roman_db.vo.time_series_document import calibration
from tests.queries.filling import DAYS, FLAGGED, LATER_DAY, N_OBJECT, UNMEASURED, epochs_of, photometry_of

FORMATS = ["votable", "votable/td", "csv", "parquet"]


def expected(truth, element: str) -> tuple[np.ndarray, np.ndarray]:
    """Times at the observatory, and fluxes of all objects, as they were made up."""
    times, fluxes = [], []
    for place, day in enumerate((*DAYS, LATER_DAY)):
        seed = 2 * place + (1 if element == "F146" else 2)
        epochs = epochs_of(day, element)
        times.append(epochs.mjd_tdb)
        fluxes.append(photometry_of(truth, epochs, element, seed).segments.flux)
    return np.concatenate(times), np.concatenate(fluxes, axis=1)


def read(answer: requests.Response, name: str) -> Table:
    assert answer.status_code == 200, answer.text[:500]
    if name == "parquet":
        rows = parquet.read_table(io.BytesIO(answer.content))
        return Table({column: rows[column].to_numpy() for column in rows.column_names})
    return Table.read(io.BytesIO(answer.content), format="ascii.csv" if name == "csv" else "votable")


@pytest.mark.parametrize("name", FORMATS)
def test_a_light_curve_is_what_was_stored(get, truth, name):
    answer = get(
        "timeseries", ID=identifier("light_curve", int(truth.object_id[7]), "F146"), RESPONSEFORMAT=name
    )
    table = read(answer, name)
    time, flux = expected(truth, "F146")
    assert np.asarray(table["midpoint_mjd_tdb"]) == pytest.approx(time, abs=1e-9)
    assert np.asarray(table["flux"]) == pytest.approx(flux[7], rel=1e-6)
    assert set(table["object_id"]) == {truth.object_id[7]}
    magnitude = -2.5 * np.log10(np.asarray(table["flux"], float) * 1e-9 / 3631)
    assert np.asarray(table["ab_mag"]) == pytest.approx(magnitude, abs=1e-3)


def test_times_are_barycentric_dynamical(get, truth):
    document = parse(io.BytesIO(get("timeseries", ID=str(truth.object_id[7])).content))
    (resource,) = document.resources
    systems = {one.ID: one for one in resource.time_systems}
    (table,) = resource.tables
    fields = {one.name: one for one in table.fields}
    barycenter, observatory = (systems[fields[f"midpoint_{name}_tdb"].ref] for name in ("bjd", "mjd"))
    assert (barycenter.timescale, barycenter.refposition, barycenter.timeorigin) == (
        "TDB",
        "BARYCENTER",
        "JD-origin",
    )
    found = (observatory.timescale, observatory.refposition, observatory.timeorigin)
    assert found == ("TDB", "TOPOCENTER", "MJD-origin")
    first = Time(table.array["midpoint_bjd_tdb"][0], format="jd", scale="tdb")
    assert first.mjd == pytest.approx(DAYS[0] + 0.004 + 0.002, abs=1e-8)
    assert [one.system for one in resource.coordinate_systems] == ["ICRS"]
    assert fields["ra"].ref == "icrs"


def test_fluxes_have_a_calibration_in_each_element(get, truth):
    (table,) = parse(io.BytesIO(get("timeseries", ID=str(truth.object_id[7])).content)).resources[0].tables
    known = {}
    for group in table.groups:
        values = {one.name: one for one in group.entries if hasattr(one, "value")}
        known[values["optical_element"].value] = values
        assert [one.ref for one in group.entries if not hasattr(one, "value")] == [
            "flux", "flux_err", "ab_mag", "ab_mag_err",
        ]  # fmt: skip
    assert set(known) == {"F062", "F087", "F106", "F129", "F146", "F158", "F184", "F213"}
    assert known["F146"]["zeroPointFlux"].value == 3631.0
    assert known["F146"]["filterIdentifier"].value == "Roman/WFI.F146"
    assert known["F146"]["effectiveWavelength"].value == pytest.approx(1.43383)
    assert calibration().count("<GROUP") == 8


def test_flags_and_failed_points_are_there(get, truth):
    table = read(get("timeseries", ID=f"{truth.object_id[FLAGGED]},{truth.object_id[UNMEASURED]}"), "votable")
    flagged = table[table["object_id"] == truth.object_id[FLAGGED]]
    assert np.count_nonzero(flagged["flags"] & (1 << 6)) == 2 * 2 * 4
    failed = table[(table["object_id"] == truth.object_id[UNMEASURED]) & ((table["flags"] & (1 << 7)) != 0)]
    assert len(failed) == 8
    assert np.all(np.isnan(np.ma.filled(failed["flux"], np.nan)))


@pytest.mark.parametrize("name", ["votable", "parquet"])
def test_all_objects_come_at_once_in_order(address, truth, name):
    given = {"ID": [str(one) for one in truth.object_id[::-1]], "RESPONSEFORMAT": name}
    table = read(requests.post(f"{address}/timeseries", data=given, timeout=60), name)
    assert len(table) == N_OBJECT * (96 + 12)
    assert np.all(np.diff(np.asarray(table["object_id"], np.int64)) >= 0)
    for element in ("F146", "F087"):
        rows = table[np.asarray(table["optical_element"]).astype(str) == element]
        _, flux = expected(truth, element)
        stored = np.ma.filled(np.ma.asarray(rows["flux"]), np.nan).reshape(flux.shape)
        assert stored == pytest.approx(flux, rel=1e-6, nan_ok=True)


def test_places_give_the_objects_near_them(address, truth):
    near = [3, 20]
    places = ";".join(f"{truth.ra[n]} {truth.dec[n]}" for n in near)
    given = {"POS": places, "SR": 1e-6, "RESPONSEFORMAT": "votable"}
    table = read(requests.post(f"{address}/timeseries", data=given, timeout=60), "votable")
    assert sorted(set(table["object_id"])) == sorted(truth.object_id[near])
    distance = np.hypot(table["ra"] - truth.ra[3], table["dec"] - truth.dec[3])
    assert np.count_nonzero(distance < 1e-9) == 108


def test_an_object_asked_for_twice_comes_once(get, truth):
    one = int(truth.object_id[7])
    given = [str(one), identifier("light_curve", one, "F087"), identifier("object", one)]
    assert len(read(get("timeseries", ID=given), "votable")) == 108
    both = [identifier("light_curve", one, element) for element in ("F087", "F146")]
    assert len(read(get("timeseries", ID=both), "votable")) == 108


def test_kinds_and_rows_can_be_limited(get, truth):
    one = str(truth.object_id[7])
    assert len(read(get("timeseries", ID=one, KIND="psf"), "votable")) == 108
    assert len(read(get("timeseries", ID=one, KIND="dia"), "votable")) == 0
    answer = get("timeseries", ID=one, MAXREC=10)
    assert len(read(answer, "votable")) == 10
    assert b'value="OVERFLOW"' in answer.content


@pytest.mark.parametrize("name", ["votable", "votable/td"])
def test_the_document_is_valid(get, truth, valid, name):
    answer = get("timeseries", ID=str(truth.object_id[7]), RESPONSEFORMAT=name)
    valid(answer.content)
    # Each exposure of four days, in two elements.
    assert len(read(answer, "votable")) == 4 * 27


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "is missing"),
        ({"ID": "exposure/1"}, "ID must name an object or a light curve, got 'exposure/1'"),
        ({"ID": "1", "KIND": "psf' OR 1"}, "KIND must be a kind of photometry"),
        ({"POS": "1 2"}, "SR is missing"),
        ({"POS": "1 2 3", "SR": 0.01}, "POS must be a right ascension and a declination"),
        ({"POS": "1 91", "SR": 0.01}, "POS must be a number from -90 to 90"),
        ({"POS": "inf 1", "SR": 0.01}, "POS must be a right ascension"),
        ({"POS": "1 2", "SR": 1}, "SR must be a number from 0 to 0.1"),
        ({"ID": ",".join(map(str, range(10_001)))}, "ID has 10001 values, at most 10000 are taken"),
    ],
)
def test_errors_say_what_is_wrong(address, given, words):
    answer = requests.post(f"{address}/timeseries", data=given, timeout=60)
    assert answer.status_code == 400
    assert words in answer.text


def test_points_are_those_of_the_view(address, truth):
    """Which makes rows of the arrays in SQL."""
    objects = [int(truth.object_id[n]) for n in (7, FLAGGED, UNMEASURED)]
    given = {"ID": list(map(str, objects)), "RESPONSEFORMAT": "parquet"}
    ours = read(requests.post(f"{address}/timeseries", data=given, timeout=60), "parquet")
    names = [one for one in ours.colnames if one not in ("ra", "dec", "catalog_version_id", "load_run_id")]
    wanted = ", ".join(map(str, objects))
    query = f"SELECT {', '.join(names)} FROM roman.light_curve WHERE object_id IN ({wanted})"
    asked = {"LANG": "ADQL", "QUERY": query, "RESPONSEFORMAT": "parquet"}
    view = read(requests.post(f"{address}/tap/sync", data=asked, timeout=60), "parquet")
    keys = ["object_id", "optical_element", "exposure_id"]
    ours.sort(keys)
    view.sort(keys)
    assert len(ours) == len(view) > 300
    for name in names:
        left, right = np.asarray(ours[name]), np.asarray(view[name])
        if left.dtype.kind == "f":
            assert left == pytest.approx(right, rel=1e-12, nan_ok=True), name
        else:
            assert np.array_equal(left, right), name


@pytest.mark.parametrize("path", ["timeseries", "soda/sync"])
def test_a_part_of_a_light_curve_in_time_and_wavelength(get, truth, path):
    """Times are in UTC, and both ends are of the part; F087 ends below 1 micron, where F146 has begun."""
    time, flux = expected(truth, "F146")
    utc = Time(time, format="mjd", scale="tdb").utc.mjd
    first, last = utc[10] - 1e-7, utc[40] + 1e-7
    inside = (utc >= first) & (utc <= last)
    given = {"ID": str(truth.object_id[7]), "TIME": f"{first:.9f} {last:.9f}", "BAND": "1.2e-6 1.3e-6"}
    table = read(get(path, **given, RESPONSEFORMAT="parquet"), "parquet")
    assert set(table["optical_element"]) == {"F146"}
    assert np.asarray(table["midpoint_mjd_tdb"]) == pytest.approx(time[inside], abs=1e-9)
    assert np.asarray(table["flux"]) == pytest.approx(flux[7][inside], rel=1e-6)
    assert len(read(get(path, **given | {"TIME": "50000 50001"}), "votable")) == 0


def test_soda_takes_no_place_for_a_light_curve(get, truth):
    answer = get("soda/sync", ID=f"light_curve/{truth.object_id[7]}/F146", CIRCLE="1 2 3")
    assert answer.status_code == 400
    assert "CIRCLE is not supported for light curves: take BAND, TIME" in answer.text
