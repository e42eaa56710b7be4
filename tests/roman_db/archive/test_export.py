"""Products read back by pyarrow, asdf and astropy alone, and held against the database."""

from __future__ import annotations

import resource
from collections.abc import Iterable

import asdf
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from astropy import units as u
from astropy.time import Time

from roman_db import session

from ...queries.filling import DAYS, DEC, DETECTOR, EPOCHS_A_DAY, N_OBJECT, RA, UNMEASURED, epochs_of

SEASON = ("--season", 1)
OF_DETECTOR = (*SEASON, "--field", "gbtds-1", "--detector", DETECTOR, "--element", "F146")
CURVES = "r00001_p_s01_e02_f01_wfi07_f146_light_curve_catalog"
VARIABLES, EVENTS = "r00001_p_s01_variability_catalog", "r00001_p_s01_event_catalog"
#: Keywords that each file has of its own.
OWN = (b"roman.meta.filename", b"roman.meta.file_date")

#: Thirty events, ten of them found; ten light curves without one, two of which seem to have it; a control.
INJECTED = (
    """
    INSERT INTO roman.injection_run (name, inject_medium, optical_element, seed, n_source, parameters,
                                     load_run_id)
    SELECT 'events', 'lightcurve', 'F146', 1, 40, '{}', max(load_run_id) FROM ops.load_run
    """,
    """
    INSERT INTO roman.injected_event (injection_run_id, injected_event_id, object_id, field_id, season,
                                      photometry_kind, kind, baseline_flux, load_run_id)
    SELECT i.injection_run_id, k, (SELECT min(object_id) FROM roman.object), 1, 1, 'psf',
           CASE WHEN k <= 30 THEN 'point_lens' WHEN k <= 40 THEN 'untouched' ELSE 'reversed' END, 100.0 + k,
           i.load_run_id
    FROM roman.injection_run i, generate_series(1, 41) AS k WHERE i.name = 'events'
    """,
    """
    INSERT INTO roman.event_recovery (injection_run_id, injected_event_id, binary_class, is_failed,
                                      classification, is_selected, longest_run, has_planet, load_run_id)
    SELECT injection_run_id, injected_event_id,
           CASE WHEN injected_event_id <= 10 THEN 'TP' WHEN injected_event_id <= 30 THEN 'FN'
                WHEN injected_event_id IN (31, 32, 41) THEN 'FP' ELSE 'TN' END,
           false, 'no_candidate', true, 3, false, load_run_id
    FROM roman.injected_event WHERE injection_run_id = (SELECT max(injection_run_id) FROM roman.injection_run)
    """,
)

#: What is the same in all rows of light curves.
EPOCHS = ("exposure_id", "midpoint_mjd_tdb", "midpoint_bjd_tdb")

#: A season measured twice, one metric of each kind, and another season.
MEASURED = (
    """
    INSERT INTO ops.task_run (load_run_id, mode, task, unit, arguments, state)
    SELECT load_run_id, 'season', 'season_quality', 'season',
           jsonb_build_object('survey', 'gbtds', 'season', CASE WHEN number = 3 THEN 3 ELSE 1 END,
                              'photometry_kind', 'psf'),
           'succeeded'
    FROM (SELECT load_run_id, row_number() OVER (ORDER BY load_run_id) AS number FROM ops.load_run) AS r
    WHERE number <= 3
    """,
    """
    INSERT INTO ops.quality_metric (metric, value, lower, upper, verdict, load_run_id)
    SELECT metric, CASE WHEN number = 2 THEN 1.0 / 3 ELSE -1 END, 0.7, NULL, verdict, load_run_id
    FROM (SELECT load_run_id, row_number() OVER (ORDER BY load_run_id) AS number FROM ops.load_run) AS r,
         (VALUES ('constant_chi2', 'warning'), ('event_chi2', 'failure')) AS m (metric, verdict)
    WHERE number <= 3
    """,
)


def rows(sql: str) -> list[dict]:
    with session.engine().connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(sql)).mappings()]


def differing(found: dict, stored: dict, schema: pa.Schema, names: Iterable[str]) -> list[str]:
    """Names of values that are not the stored ones to the last bit; a real comes from psycopg2 in as few
    digits as tell it from others, so that it is to be made a real again."""
    return [name for name in names if not same(found[name], stored[name], schema.field(name).type)]


def same(found: object, stored: object, kind: pa.DataType) -> bool:
    if isinstance(stored, float):
        kind = kind.value_type if pa.types.is_list(kind) else kind
        bits = [np.array(value, kind.to_pandas_dtype()).tobytes() for value in (found, stored)]
        return bits[0] == bits[1] or (np.isnan(found) and np.isnan(stored))
    return found == stored and isinstance(found, bool) == isinstance(stored, bool)


def test_the_variability_catalog_is_what_is_stored(described, run, tmp_path):
    done = run("variability_catalog", *SEASON, "--to", tmp_path)
    assert done.output == "".join(
        f"{N_OBJECT} rows written to {tmp_path / VARIABLES}.{suffix}\n" for suffix in ("asdf", "parquet")
    )
    table = pq.read_table(tmp_path / f"{VARIABLES}.parquet")
    stored = rows(
        "SELECT v.*, o.ra, o.dec FROM roman.variability v JOIN roman.object o USING (object_id) ORDER BY 2"
    )
    assert table.num_rows == len(stored) == N_OBJECT
    columns = set(table.column_names) & set(stored[0])
    assert set(stored[0]) - columns == {"season", "load_run_id"}
    for found, expected in zip(table.to_pylist(), stored, strict=True):
        assert differing(found, expected, table.schema, columns) == []


def test_the_event_catalog_has_each_event_once_with_its_first_model(described, run, tmp_path):
    run("event_catalog", *SEASON, "--to", tmp_path)
    table = pq.read_table(tmp_path / f"{EVENTS}.parquet")
    first, second = table.to_pylist()
    stored = rows("SELECT * FROM roman.event WHERE is_event ORDER BY event_id")
    for found, expected in zip((first, second), stored, strict=True):
        assert differing(found, expected, table.schema, set(found) & set(expected)) == []
    assert [first[name] for name in ("t_0", "u_0", "einstein_time")] == [2461461.7, 0.3, 1.1]
    assert [first[name] for name in ("t_0_err", "u_0_err")] == [2461.4617, 0.0003]
    assert (first["source_flux"], first["blend_flux"], first["model_name"]) == (101.0, 100.0, "1L1S")
    assert second["t_0"] is None
    units = {field.name: field.metadata[b"unit"].decode() for field in table.schema}
    assert units["t_0"] == units["t_0_err"] == "d"
    assert (units["source_flux"], units["ra"], units["lens_mass"]) == ("nJy", "deg", "Msun")


def test_light_curves_have_every_point_and_no_other(described, run, tmp_path):
    with session.transaction(session.Role.OWNER) as connection:  # an object that was catalogued later
        late = f"object_id = {described.object_id[3]} AND start_mjd = {DAYS[1]}"
        connection.exec_driver_sql(f"DELETE FROM roman.light_curve_segment WHERE {late}")
    run("light_curve_catalog", *OF_DETECTOR, "--to", tmp_path)
    schema = pq.read_schema(tmp_path / f"{CURVES}.parquet")
    table = pq.read_table(tmp_path / f"{CURVES}.parquet").to_pylist()
    stored = {
        (row["object_id"], row["exposure_id"]): row
        for row in rows(
            "SELECT * FROM roman.light_curve WHERE optical_element = 'F146' "
            f"AND midpoint_mjd_tdb < {DAYS[-1] + 1}"
        )
    }
    n_epoch = len(DAYS) * EPOCHS_A_DAY["F146"]
    found = {}
    for row in table:
        assert [len(row[name]) for name in ("exposure_id", "flux", "flux_err", "flags")] == [n_epoch] * 4
        times = zip(row["exposure_id"], row["midpoint_mjd_tdb"], row["midpoint_bjd_tdb"], strict=True)
        for k, (exposure, mjd, bjd) in enumerate(times):
            point = {"midpoint_mjd_tdb": mjd, "midpoint_bjd_tdb": bjd, "flux": row["flux"][k]}
            point |= {"flux_err": row["flux_err"][k], "flags": row["flags"][k]}
            if not np.isnan(row["flux"][k]) or row["flags"][k]:
                found[row["object_id"], exposure] = point
    assert set(found) == set(stored)
    assert len(found) == N_OBJECT * n_epoch - EPOCHS_A_DAY["F146"]
    for key, point in found.items():
        assert differing(point, stored[key], schema, point) == []
    assert np.isnan(found[described.object_id[UNMEASURED], epochs_of(DAYS[0], "F146").exposure_id[0]]["flux"])


def test_the_fiducial_catalog_is_the_catalog(described, run, tmp_path):
    run("object_fiducial_catalog", *OF_DETECTOR, "--to", tmp_path)
    table = pq.read_table(tmp_path / f"{CURVES.replace('light_curve', 'object_fiducial')}.parquet")
    stored = rows(
        "SELECT * FROM roman.object_flux JOIN roman.object USING (object_id)"
        " WHERE optical_element = 'F146' ORDER BY object_id"
    )
    assert table.num_rows == len(stored) == N_OBJECT
    for found, expected in zip(table.to_pylist(), stored, strict=True):
        assert differing(found, expected, table.schema, set(found) - {"catalog_version_id"}) == []
    units = {field.name: field.metadata[b"unit"].decode() for field in table.schema}
    assert (units["pm_ra"], units["psf_flux"], units["ra_err"]) == ("mas/yr", "nJy", "mas")


def test_the_periodic_catalog_is_the_mean_of_the_points_of_a_period(described, run, tmp_path):
    """Days 61460 to 61462 are in the second period of the season, which begins at 61448."""
    run("object_periodic_catalog", *OF_DETECTOR, "--sequence", 2, "--to", tmp_path)
    table = pq.read_table(tmp_path / f"{CURVES.replace('light_curve', 'object_periodic')}.parquet")
    points = rows(
        "SELECT object_id, array_agg(flux) AS flux, array_agg(flux_err) AS flux_err FROM roman.light_curve"
        f" WHERE optical_element = 'F146' AND flags = 0 AND midpoint_mjd_tdb < {DAYS[-1] + 1}"
        " GROUP BY object_id ORDER BY object_id"
    )
    assert table["object_id"].to_pylist() == [row["object_id"] for row in points]
    for found, row in zip(table.to_pylist(), points, strict=True):
        flux, weight = np.array(row["flux"]), 1 / np.array(row["flux_err"]) ** 2
        if found["n_flagged"]:
            continue
        mean = np.average(flux, weights=weight)
        assert found["n_point"] == flux.size
        assert found["mean_flux"] == pytest.approx(mean, rel=1e-6)
        assert found["mean_flux_err"] == pytest.approx(weight.sum() ** -0.5, rel=1e-6)
        assert found["reduced_chi2"] == pytest.approx(
            np.sum(weight * (flux - mean) ** 2) / (flux.size - 1), rel=1e-5
        )
        assert (np.float32(flux.min()), np.float32(flux.max())) == (found["min_flux"], found["max_flux"])


def test_a_period_without_exposures_is_refused(described, run, tmp_path):
    done = run("object_periodic_catalog", *OF_DETECTOR, "--sequence", 5, "--to", tmp_path)
    assert done.exit_code == 1
    assert "'exptime' is a required property" in done.output


def test_the_efficiency_has_as_many_rows_of_each_class_as_it_says(described, run, tmp_path):
    with session.transaction(session.Role.OWNER) as connection:
        for fact in INJECTED:
            connection.exec_driver_sql(fact)
    run("detection_efficiency_catalog", *SEASON, "--medium", "lightcurve", "--to", tmp_path)
    table = pq.read_table(tmp_path / "r00001_p_s01_lightcurve_detection_efficiency_catalog.parquet")
    classes = table["binary_class"].to_pylist()
    metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    assert [classes.count(word) for word in ("TP", "FP", "TN", "FN")] == [10, 2, 8, 20]
    for word in ("TP", "FP", "TN", "FN"):
        assert metadata[f"roman.meta.{word.lower()}_count"] == str(classes.count(word))
    assert metadata["roman.meta.inject_medium"] == "lightcurve"
    assert "roman.meta.s_region" not in metadata


def test_the_quality_of_a_period_has_all_metrics_of_its_exposures(described, run, tmp_path):
    run("dqa_photometry_level_3", *OF_DETECTOR, "--sequence", 2, "--to", tmp_path)
    table = pq.read_table(tmp_path / "r00001_p_s01_e02_f01_wfi07_f146_dqa_photometry_level_3.parquet")
    stored = rows(
        "SELECT * FROM ops.quality_metric JOIN roman.exposure USING (exposure_id)"
        f" WHERE optical_element = 'F146' AND midpoint_mjd_tdb < {DAYS[-1] + 1} ORDER BY exposure_id, metric"
    )
    assert table.num_rows == len(stored) == len(DAYS) * EPOCHS_A_DAY["F146"]
    for found, expected in zip(table.to_pylist(), stored, strict=True):
        assert differing(found, expected, table.schema, found) == []
    metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    said = {k: metadata[f"roman.meta.{k}"] for k in ("period", "detector", "optical_element", "dqa_flag")}
    assert said == {"period": "p02", "detector": "wfi07", "optical_element": "f146", "dqa_flag": "1"}


def test_the_quality_of_a_season_is_told_of_events_and_of_all_else(described, run, tmp_path):
    with session.transaction(session.Role.OWNER) as connection:
        for measured in MEASURED:
            connection.exec_driver_sql(measured)
    for name, metric, flag in (("photometry", "constant_chi2", "1"), ("events", "event_chi2", "2")):
        done = run(f"dqa_{name}_level_4", *SEASON, "--to", tmp_path)
        assert done.exit_code == 0, done.output
        table = pq.read_table(tmp_path / f"r00000_p_s01_dqa_{name}_level_4.parquet")
        (stored,) = rows(f"SELECT * FROM ops.quality_metric WHERE metric = '{metric}' AND value > 0")
        (found,) = table.to_pylist()
        assert differing(found, stored, table.schema, set(found) - {"measured_at"}) == []
        assert table.schema.metadata[b"roman.meta.dqa_flag"].decode() == flag
        with asdf.open(tmp_path / f"r00000_p_s01_dqa_{name}_level_4.asdf") as file:
            meta = file["roman"]["meta"]
            assert (meta["dqa_workflow"], meta["dqa_artifact_type"]) == (
                {"photometry": "longterm", "events": "events"}[name],
                "report",
            )
    assert "there is nothing of season 2" in run("dqa_events_level_4", "--season", 2, "--to", tmp_path).output


def test_all_thirty_keywords_of_light_curves_are_true(described, run, tmp_path):
    run(
        "light_curve_catalog", *OF_DETECTOR, "--to", tmp_path, "--format", "parquet", "--processing-id", "r03"
    )
    path = tmp_path / f"{CURVES.replace('_p_', '_r03_')}.parquet"
    metadata = {key.decode(): value.decode() for key, value in pq.read_schema(path).metadata.items()}
    found = {k.removeprefix("roman.meta."): v for k, v in metadata.items() if k.startswith("roman.meta.")}
    assert len(found) == 30
    mjd = np.concatenate([epochs_of(day, "F146").mjd_tdb for day in DAYS])
    start, end = (
        Time(float(found.pop("expstart_mjd")), format="mjd"),
        Time(float(found.pop("expend_mjd")), format="mjd"),
    )
    assert abs(start.mjd - mjd.min()) * 86400 < 0.001
    assert abs(end.mjd - mjd.max()) * 86400 - 66 < 0.001
    assert abs((Time(found.pop("expstart")) - start).sec) < 0.001
    assert abs((Time(found.pop("expend")) - end).sec) < 0.001
    shape, frame, *corners = found.pop("s_region").split()
    lon, lat = np.array(corners, float).reshape(-1, 2).T
    assert (shape, frame) == ("POLYGON", "ICRS")
    assert lon.min() < RA < lon.max()
    assert lat.min() < DEC < lat.max()
    assert abs((Time.now() - Time(found.pop("file_date"))).sec) < 600
    assert found.pop("msos_photometry_version") == "1"
    assert found.pop("msos_events_version") == "1"
    assert found.pop("msos_detection_efficiency_version") == "1"
    assert found == {
        "filename": path.name, "instrument": "WFI", "origin": "IPAC/SSC", "season": "s01", "sequence": "e02",
        "model_type": "MicrolensingLightCurveCatalogSchema", "product_type": "light_curve_catalog",
        "program": "1", "category": "CCS", "subcategory": "GBTD", "msos_processing_id": "r03", "flip": "90",
        "gal_cen_flag": "False", "ra_field_cen": str(RA), "dec_field_cen": str(DEC), "ref_frame": "ICRS",
        "equinox": "2000.0", "field": "f01", "detector": DETECTOR, "optical_element": "F146",
        "exptime": str(66.5 * mjd.size),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "scope", "stem"),
    [
        ("light_curve_catalog", OF_DETECTOR, CURVES),
        ("variability_catalog", SEASON, VARIABLES),
        ("event_catalog", SEASON, EVENTS),
        ("object_fiducial_catalog", OF_DETECTOR, CURVES.replace("light_curve", "object_fiducial")),
    ],
)
def test_asdf_has_what_parquet_has(described, run, tmp_path, name, scope, stem):
    run(name, *scope, "--to", tmp_path)
    table = pq.read_table(tmp_path / f"{stem}.parquet")
    with asdf.open(tmp_path / f"{stem}.asdf") as file:
        roman = file["roman"]
        for key, value in table.schema.metadata.items():
            if key.startswith(b"roman.meta.") and key not in (
                b"roman.meta.filename",
                b"roman.meta.file_date",
            ):
                assert str(roman["meta"][key.decode().removeprefix("roman.meta.")]) == value.decode()
        assert roman["meta"]["filename"] == f"{stem}.asdf"
        once = roman["epochs"].colnames if name == "light_curve_catalog" else []
        assert once == [
            column for column in table.column_names if column in EPOCHS and name == "light_curve_catalog"
        ]
        assert roman[name].colnames == [column for column in table.column_names if column not in once]
        for field in table.schema:
            column = roman["epochs" if field.name in once else name][field.name]
            unit = field.metadata[b"unit"].decode()
            assert column.unit == (None if unit == "None" else u.Unit(unit))
            every = [column] * table.num_rows if field.name in once else column
            for found, expected in zip(every, table[field.name].to_pylist(), strict=True):
                if expected is None:
                    assert found is np.ma.masked or np.isnan(found)
                else:
                    assert np.array_equal(
                        np.asarray(found),
                        np.asarray(expected, column.dtype),
                        equal_nan=column.dtype.kind == "f",
                    )


def test_a_product_that_is_not_valid_is_not_written(described, run, tmp_path):
    with session.transaction(session.Role.OWNER) as connection:
        connection.exec_driver_sql("UPDATE roman.program SET program_category = 'CALIBRATION'")
        connection.exec_driver_sql("UPDATE roman.exposure SET roll_ref = NULL, pa_v3 = NULL")
    done = run("variability_catalog", *SEASON, "--to", tmp_path / "new")
    assert done.exit_code == 1
    assert "variability_catalog is not written:" in done.output
    assert "category: 'CALIBRATION' is too long" in done.output
    assert "does not fit nvarchar(6) (WFIMSOSReferenceFrame.category" in done.output
    assert "'flip' is a required property" in done.output
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("light_curve_catalog", *SEASON, "--field", "gbtds-1"), "give --detector\n  give --element"),
        (("event_catalog", *SEASON, "--detector", "WFI07"), "it is of all there are: leave out --detector"),
        (
            ("light_curve_catalog", *OF_DETECTOR[2:], "--season", 77),
            "there is nothing of season 77, field gbtds-1, detector WFI07, element F146",
        ),
        (("light_curves", *SEASON), "there is no product 'light_curves': reference_frame, "),
        (("event_catalog", "--season", 2, "--survey", "none"), "'program' is a required property"),
    ],
)
def test_what_cannot_be_is_said(described, run, tmp_path, words, said):
    done = run(*words, "--to", tmp_path)
    assert done.exit_code == 1
    assert said in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_none_is_said(described, run, tmp_path):
    (tmp_path / "file").write_text("")
    done = run("event_catalog", *SEASON, "--to", tmp_path / "file" / "below")
    assert done.exit_code == 1
    assert f"{tmp_path / 'file' / 'below'}: Not a directory" in done.output


@pytest.mark.parametrize("room", [1_000, 20_000, 50_000])
def test_where_there_is_no_room_nothing_is_left(described, run, tmp_path, room):
    """Files may not grow beyond so many bytes: what is read of the database, a column, or the product."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        done = run("light_curve_catalog", *OF_DETECTOR, "--to", tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert done.exit_code == 1
    assert f"light_curve_catalog is not written:\n  {tmp_path}: File too large" in done.output
    assert list(tmp_path.iterdir()) == []


def test_all_seasons_are_in_one_product(described, run, tmp_path):
    run("light_curve_catalog", *OF_DETECTOR[2:], "--season", 0, "--to", tmp_path, "--format", "parquet")
    (path,) = tmp_path.iterdir()
    table = pq.read_table(path)
    n_epoch = (len(DAYS) + 1) * EPOCHS_A_DAY["F146"]
    assert {len(times) for times in table["midpoint_mjd_tdb"].to_pylist()} == {n_epoch}
    metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    assert (metadata["roman.meta.season"], metadata["roman.meta.exptime"]) == ("s00", str(66.5 * n_epoch))
