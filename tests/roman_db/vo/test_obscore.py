"""ivoa.obscore: columns of the standard, conditions that find the indexes, outlines that are right."""

from __future__ import annotations

import re

import numpy as np
import pytest
from astropy.time import Time
from astropy.wcs import WCS

from roman_db import session
from roman_db.tap.adql import schema_catalog, translate

#: Mandatory columns of ObsCore 1.1 (its table 1, and table 5 with the UCDs), with the types of table 6.
MANDATORY = {
    "dataproduct_type": ("char", None, "meta.code.class"),
    "calib_level": ("int", None, "meta.code;obs.calib"),
    "obs_collection": ("char", None, "meta.id"),
    "obs_id": ("char", None, "meta.id"),
    "obs_publisher_did": ("char", None, "meta.ref.ivoid"),
    "access_url": ("char", None, "meta.ref.url"),
    "access_format": ("char", None, "meta.code.mime"),
    "access_estsize": ("long", "kbyte", "phys.size;meta.file"),
    "target_name": ("char", None, "meta.id;src"),
    "s_ra": ("double", "deg", "pos.eq.ra"),
    "s_dec": ("double", "deg", "pos.eq.dec"),
    "s_fov": ("double", "deg", "phys.angSize;instr.fov"),
    "s_region": ("char", None, "pos.outline;obs.field"),
    "s_resolution": ("double", "arcsec", "pos.angResolution"),
    "s_xel1": ("long", None, "meta.number"),
    "s_xel2": ("long", None, "meta.number"),
    "t_min": ("double", "d", "time.start;obs.exposure"),
    "t_max": ("double", "d", "time.end;obs.exposure"),
    "t_exptime": ("double", "s", "time.duration;obs.exposure"),
    "t_resolution": ("double", "s", "time.resolution"),
    "t_xel": ("long", None, "meta.number"),
    "em_min": ("double", "m", "em.wl;stat.min"),
    "em_max": ("double", "m", "em.wl;stat.max"),
    "em_res_power": ("double", None, "spect.resolution"),
    "em_xel": ("long", None, "meta.number"),
    "o_ucd": ("char", None, "meta.ucd"),
    "pol_states": ("char", None, "meta.code;phys.polarization"),
    "pol_xel": ("long", None, "meta.number"),
    "facility_name": ("char", None, "meta.id;instr.tel"),
    "instrument_name": ("char", None, "meta.id;instr"),
}


def rows(query: str) -> list[dict]:
    """Rows of a query in ADQL, as a reader gets them."""
    with session.reading() as connection:
        found = connection.exec_driver_sql(translated(query), execution_options={"no_parameters": True})
        return [dict(row) for row in found.mappings()]


def translated(query: str) -> str:
    return translate(query, schema_catalog()).sql


def test_the_columns_are_those_of_the_standard():
    (table,) = schema_catalog().named("obscore")
    ours = {
        one.name: (one.type.datatype, one.unit, one.ucd) for one in table.columns if one.name in MANDATORY
    }
    assert ours == MANDATORY
    assert all(one.utype.startswith("obscore:") for one in table.columns if one.name in MANDATORY)


def test_every_product_stands_in_it_once(survey):
    found = rows(
        "SELECT dataproduct_subtype AS kind, count(*) AS n FROM ivoa.obscore GROUP BY dataproduct_subtype"
    )
    with session.reading() as connection:
        n_exposure = connection.exec_driver_sql("SELECT count(*) FROM roman.exposure").scalar_one()
        n_reference = connection.exec_driver_sql(
            "SELECT count(*) FROM roman.reference_image WHERE superseded_at IS NULL"
        ).scalar_one()
    expected = {"exposure": n_exposure, "reference_image": n_reference}
    expected["light_curve"] = 2 * survey.object_id.size
    assert {row["kind"]: row["n"] for row in found} == expected
    identifiers = rows("SELECT count(DISTINCT obs_publisher_did) AS n FROM ivoa.obscore")[0]["n"]
    assert identifiers == sum(expected.values())


def test_a_light_curve_says_when_and_where(survey):
    n = 7
    row = rows(
        "SELECT * FROM ivoa.obscore WHERE optical_element = 'F146' AND obs_publisher_did LIKE "
        f"'%light_curve/{survey.object_id[n]}/%'"
    )[0]
    assert (row["s_ra"], row["s_dec"]) == pytest.approx((survey.ra[n], survey.dec[n]))
    assert row["t_xel"] == 4 * 24
    assert row["t_min"] == pytest.approx(61460.0)
    assert row["t_max"] == pytest.approx(61640 + 23 * 12.1 / 1440)
    assert (row["em_min"], row["em_max"]) == pytest.approx((0.926e-6, 1.997e-6))


def test_times_of_exposures_are_utc(survey):
    row = rows("SELECT TOP 1 * FROM ivoa.obscore WHERE dataproduct_subtype = 'exposure' ORDER BY t_min")[0]
    with session.reading() as connection:
        start, end = connection.exec_driver_sql(
            "SELECT exposure_start_time, exposure_end_time FROM roman.exposure ORDER BY 1 LIMIT 1"
        ).one()
    assert row["t_min"] == pytest.approx(Time(start, scale="utc").mjd, abs=1e-8)
    assert row["t_max"] == pytest.approx(Time(end, scale="utc").mjd, abs=1e-8)


@pytest.mark.parametrize("place", [(267.5, -30.0), (0.0001, 45.0), (359.9999, -72.0), (120.0, 0.0)])
def test_outlines_are_those_of_the_wcs(survey, place):
    """Against astropy's gnomonic projection, with a turned and flipped image."""
    n_x, n_y, matrix = 300, 200, (-0.09, 0.02, 0.03, 0.08)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval, wcs.wcs.crpix = place, ((n_x + 1) / 2, (n_y + 1) / 2)
    wcs.wcs.cd = np.array(matrix).reshape(2, 2) / 3600
    corners = [(0.5, 0.5), (n_x + 0.5, 0.5), (n_x + 0.5, n_y + 0.5), (0.5, n_y + 0.5)]
    with session.reading() as connection:
        words = connection.exec_driver_sql(
            "SELECT ivoa.image_outline(%s, %s, %s, %s, %s)", (*place, n_x, n_y, list(matrix))
        ).scalar_one()
    numbers = np.array(words.removeprefix("POLYGON ICRS ").split(), float).reshape(4, 2)
    assert numbers == pytest.approx(wcs.all_pix2world(corners, 1), abs=2e-9)


#: Copies of a row all over the sky, where the index must be chosen.
_SPREAD = """
    INSERT INTO roman.{table} OVERRIDING SYSTEM VALUE
    SELECT copy.*
    FROM generate_series(1, 3999) n, (SELECT * FROM roman.{table} ORDER BY {key} LIMIT 1) r,
         jsonb_populate_record(CAST(NULL AS roman.{table}), to_jsonb(r) || jsonb_build_object(
        '{key}', r.{key} + 10 * n, '{ra}', (n * 137.50776) % 360, '{dec}', degrees(asin(1 - n / 2000.0)),
        'footprint', format('{{[%s,%s)}}', n * 576460752303423, n * 576460752303423 + 1000){more})) AS copy
"""


@pytest.fixture
def wide_survey(own_survey):
    """The survey with many more exposures and reference images all over the sky."""
    exposures = _SPREAD.format(
        table="exposure", key="exposure_id", ra="ra", dec="dec", more=", 'exposure', 10000 + n"
    )
    references = _SPREAD.format(
        table="reference_image", key="reference_image_id", ra="ra_ref", dec="dec_ref",
        more=", 'start_mjd', r.start_mjd - n",
    )  # fmt: skip
    objects = _SPREAD.format(table="object", key="object_id", ra="ra", dec="dec", more="")
    with session.transaction(session.Role.OWNER) as connection:
        for statement in (exposures, references, objects):
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    with session.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    return own_survey


_BY_FOOTPRINT = {"exposure_footprint_idx", "reference_image_footprint_idx"}
_INDEXES = {
    "CONTAINS(POINT(s_ra, s_dec), CIRCLE(267.5335, -30.0175, 0.0005)) = 1": {
        "exposure_q3c_idx", "reference_image_q3c_idx", "object_q3c_idx",
    },
    "DISTANCE(POINT(s_ra, s_dec), POINT(267.5, -30)) < 0.0005 AND dataproduct_type = 'timeseries'": {
        "object_q3c_idx"
    },
    "CONTAINS(POINT(120.1, -30), s_region) = 1": _BY_FOOTPRINT,
    "INTERSECTS(CIRCLE(120.1, -30, 0.05), s_region) = 1": _BY_FOOTPRINT,
}  # fmt: skip


def test_conditions_on_the_sky_find_the_indexes(wide_survey):
    """And a region asks the coverage map, so that it gives the same rows."""
    used, scans = {}, {}
    for condition in _INDEXES:
        sql = translated(f"SELECT obs_publisher_did FROM ivoa.obscore WHERE {condition}")
        with session.reading() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN {sql}", execution_options={"no_parameters": True})
            lines = "\n".join(line for (line,) in plan)
        used[condition] = set(re.findall(r"(?:using|on) (\w+_(?:q3c|footprint)_idx)", lines))
        scans[condition] = re.findall(r"Seq Scan on (?:exposure|reference_image|object)\b", lines)
    assert used == _INDEXES
    assert not any(scans.values())
    with session.reading() as connection:
        sql = translated(
            "SELECT object_id FROM roman.current_object WHERE DISTANCE(ra, dec, 267.5, -30) < 0.0005"
        )
        plan = connection.exec_driver_sql(f"EXPLAIN {sql}", execution_options={"no_parameters": True})
        assert "object_q3c_idx" in "\n".join(line for (line,) in plan)
    query = "SELECT obs_publisher_did FROM ivoa.obscore WHERE CONTAINS(POINT(267.5335, -30.0176), {}) = 1"
    by_outline = rows(query.format("s_region"))
    assert by_outline == rows(query.format("footprint"))
    assert len(by_outline) > 100


def test_an_outline_in_a_subquery_is_words(survey):
    words = rows("SELECT TOP 1 s_region FROM (SELECT s_region FROM ivoa.obscore WHERE calib_level = 3) AS q")
    assert words[0]["s_region"].startswith("POLYGON ICRS ")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, "http://127.0.0.1:8080/datalink?ID=ivo://roman.ssc/msos%3F"),
        ("https://archive.example/a b/", "https://archive.example/a b/datalink?ID=ivo://roman.ssc/msos%3F"),
    ],
)
def test_addresses_are_those_of_the_setting(survey, monkeypatch, url, expected):
    chosen = session.settings().model_copy(update={"tap_url": url})
    monkeypatch.setattr(session, "settings", lambda: chosen)
    with session.arrow_connection() as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT left(access_url, {len(expected)}) FROM ivoa.obscore")
        assert cursor.fetchall() == [(expected,)]
