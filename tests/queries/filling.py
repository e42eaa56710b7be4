"""A small survey, made up: what the queries are tried on."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

import cdshealpix
import numpy as np
import sqlalchemy as sa
from astropy import units as u
from astropy.coordinates import Latitude, Longitude

from loaders.light_curve.block import NONE, BlockKey, BlockPhotometry, Epochs, MeasurementMatrix
from loaders.light_curve.load import BlockContext, empty_measurements, write_block
from loaders.light_curve.summary import SegmentMatrix
from roman_db import session, sqlfile
from roman_db.bulk import copy_rows

#: Field 1 as the schema's rows have it, a day of its first season and one of its second.
RA, DEC = 267.533564, -30.01758
DAYS, LATER_DAY = (61460, 61461, 61462), 61640
DETECTOR = "WFI07"
EPOCHS_A_DAY = {"F146": 24, "F087": 3}
N_OBJECT = 60
#: What the objects below do. All others are constant.
LENSED, FAINT, FLAGGED, UNMEASURED = 7, 11, 13, 17
EXCLUDING = 1 | 2


@dataclass(frozen=True)
class Survey:
    """What was stored: objects in the order of their identifiers, and fluxes by optical element."""

    object_id: np.ndarray
    ra: np.ndarray
    dec: np.ndarray
    flux: dict[str, np.ndarray]


def nested_pixel(ra, dec) -> np.ndarray:
    """HEALPix pixel of order 29, nested, by an implementation that is not ours."""
    pixel = cdshealpix.lonlat_to_healpix(Longitude(ra * u.deg), Latitude(dec * u.deg), 29)
    return np.asarray(pixel).astype(np.int64)


def make_survey() -> Survey:
    """Objects within 20 arcseconds of the field's centre, between 18 and 22 mag."""
    rng = np.random.default_rng(5)
    ra = RA + rng.uniform(-20, 20, N_OBJECT) / 3600 / np.cos(np.radians(DEC))
    dec = DEC + rng.uniform(-20, 20, N_OBJECT) / 3600
    object_id = nested_pixel(ra, dec)
    order = np.argsort(object_id)
    magnitude = np.linspace(18, 22, N_OBJECT)
    flux = 10 ** ((31.4 - magnitude) / 2.5)
    flux[FAINT] = 20.0
    return Survey(object_id[order], ra[order], dec[order], {"F146": flux, "F087": 0.6 * flux})


def exposure_id(mjd, detector: str = DETECTOR) -> np.ndarray:
    """Identifier as the exposure table describes it: milliseconds since 2020, times 32, plus the detector."""
    milliseconds = np.rint((np.asarray(mjd) - 58849.0) * 86_400_000).astype(np.int64)
    return milliseconds * 32 + int(detector.removeprefix("WFI"))


def epochs_of(day: int, optical_element: str) -> Epochs:
    """Exposures of a day, the bluer ones between the others."""
    shift = 0.0 if optical_element == "F146" else 0.004
    mjd = day + shift + np.arange(EPOCHS_A_DAY[optical_element]) * 12.1 / 1440
    unknown = np.full(mjd.size, NONE)
    return Epochs(exposure_id(mjd), mjd, mjd + 2400000.5 + 0.002, unknown, unknown)


def photometry_of(survey: Survey, epochs: Epochs, optical_element: str, seed: int) -> BlockPhotometry:
    """Noisy fluxes; one object is lensed, one fainter than its noise, one flagged, one not measured."""
    rng = np.random.default_rng(seed)
    shape = (N_OBJECT, epochs.mjd_tdb.size)
    error = np.broadcast_to(10 + 0.01 * survey.flux[optical_element][:, None], shape).astype(np.float32)
    truth = np.broadcast_to(survey.flux[optical_element][:, None], shape).copy()
    truth[LENSED] *= magnification(epochs.mjd_tdb)
    flux = (truth + error * rng.standard_normal(shape)).astype(np.float32)
    flags = np.zeros(shape, np.uint16)
    flags[FLAGGED, 1:3] = 1 << 6
    flux[UNMEASURED, 0] = np.nan
    flags[UNMEASURED, 0] = 1 << 7
    error = np.where(np.isnan(flux), np.nan, error).astype(np.float32)
    bright = survey.object_id[:5]
    offsets = [rng.standard_normal((5, shape[1])).astype(np.float32) for _ in range(4)]
    ones = np.ones(N_OBJECT)
    return BlockPhotometry(
        survey.object_id,
        SegmentMatrix(flux, error, flags),
        survey.flux[optical_element],
        MeasurementMatrix(bright, offsets),
        empty_measurements(shape[1], 7),
        ones,
        0.1 * ones,
        5.0 * ones,
    )


def magnification(mjd: np.ndarray) -> np.ndarray:
    """Of a point source by a point lens (Paczynski 1986), at its largest on the second day."""
    separation2 = 0.3**2 + ((mjd - 61461.2) / 0.7) ** 2
    return (separation2 + 2) / np.sqrt(separation2 * (separation2 + 4))


def fill() -> Survey:
    """Store a survey in the database that ``roman_db`` uses."""
    survey = make_survey()
    with session.transaction(session.Role.OWNER) as connection:
        run = _runs(connection)
        version = _catalog(connection, survey, run)
        file_of = _exposures(connection, run)
        _quality(connection, run)
        _psf(connection, run)
        _references(connection, run)
        _simulation(connection, survey, run)
        _injection(connection, run)
        seed = 0
        for day in (*DAYS, LATER_DAY):
            for element in EPOCHS_A_DAY:
                epochs = epochs_of(day, element)
                files = np.array([file_of[one] for one in epochs.exposure_id.tolist()])
                epochs = dataclasses.replace(epochs, file_id=files)
                seed += 1
                photometry = photometry_of(survey, epochs, element, seed)
                key = BlockKey(1, DETECTOR, element, "psf", day, day + 1)
                write_block(connection, key, epochs, photometry, BlockContext(run, version, EXCLUDING))
    analyze()
    return survey


def analyze() -> None:
    """Have the planner know the tables."""
    with session.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def insert(connection: sa.Connection, table: str, **columns: object) -> int:
    """Insert a row and return the value of its first column."""
    values = {k: json.dumps(v) if isinstance(v, dict) else v for k, v in columns.items()}
    sql = (
        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(f':{k}' for k in values)}) RETURNING *"
    )
    return connection.execute(sa.text(sql), values).one()[0]


RUN = {
    "arguments": {}, "code_version": "1", "schema_version": "1", "host": "h", "pid": 1,
    "finished_at": "2999-01-01T00:00:00Z",
}  # fmt: skip


def _runs(connection: sa.Connection) -> int:
    """One run that was cut off, and one with a rejection and a failed unit, which is returned."""
    insert(connection, "ops.load_run", task="load exposure", state="interrupted", **RUN)
    counts = {"state": "partly_failed", "n_expected": 3, "n_read": 3, "n_loaded": 2, "n_rejected": 1}
    run = insert(connection, "ops.load_run", task="run daily", **counts, **RUN)
    words = {"source": "broken.asdf", "code": "truncated", "reason": "ends early", "remedy": "fetch it again"}
    insert(connection, "ops.load_rejection", load_run_id=run, **words)
    unit = {"mode": "daily", "task": "photometer", "n_expected": 1, "n_read": 1, "load_run_id": run}
    insert(connection, "ops.task_run", unit="u", state="failed", **unit)
    insert(connection, "ops.task_run", unit="v", state="succeeded", **unit)
    return run


def _catalog(connection: sa.Connection, survey: Survey, run: int) -> int:
    """Two versions: the second moved the first object and gave it another flux."""
    first = _version(connection, "reference", n_new=N_OBJECT, n_changed=0, n_unchanged=0)
    second = _version(connection, "revised", n_new=0, n_changed=1, n_unchanged=N_OBJECT - 1)
    n = N_OBJECT
    version = np.where(np.arange(n) == 0, second, first)
    constant = {"first_catalog_version_id": np.full(n, first), "load_run_id": np.full(n, run)}
    place = {"ra": survey.ra, "dec": survey.dec, "ref_epoch": np.full(n, 2027.0)}
    rows = {"object_id": survey.object_id, **place, "catalog_version_id": version, **constant}
    copy_rows(connection, "roman.object", rows)
    moved = {name: values[:1] for name, values in place.items()} | {"ra": survey.ra[:1] - 1e-6}
    history = {
        "object_id": survey.object_id[:1],
        **moved,
        "replaced_by": [second],
        "catalog_version_id": [first],
    }
    copy_rows(connection, "roman.object_history", {**history, "load_run_id": [run]})
    for element, flux in survey.flux.items():
        of = {"object_id": survey.object_id, "optical_element": [element] * n, "psf_flux": flux}
        provenance = {"catalog_version_id": version, "load_run_id": np.full(n, run)}
        copy_rows(connection, "roman.object_flux", {**of, "psf_flux_err": 0.001 * flux, **provenance})
    return second


def _version(connection: sa.Connection, name: str, **counts: int) -> int:
    """A catalog version, loaded by a run of its own."""
    loaded = {"state": "succeeded", "n_expected": N_OBJECT, "n_read": N_OBJECT, "n_loaded": N_OBJECT}
    run = insert(connection, "ops.load_run", task="load catalog", **loaded, **RUN)
    return insert(connection, "roman.catalog_version", name=name, n_merged=0, load_run_id=run, **counts)


def _exposures(connection: sa.Connection, run: int) -> dict[int, int]:
    """Store exposures of all days and return the file of each; their footprint is a pixel of order 9."""
    visit = "0000101001001001001"
    insert(connection, "roman.program", program=1, load_run_id=run)
    insert(connection, "roman.visit", visit_id=visit, program=1, load_run_id=run)
    blocks = [(element, epochs_of(day, element)) for day in (*DAYS, LATER_DAY) for element in EPOCHS_A_DAY]
    elements = [element for element, epochs in blocks for _ in epochs.mjd_tdb]
    identifiers, mjd, bjd = (
        np.concatenate([getattr(epochs, name) for _, epochs in blocks])
        for name in ("exposure_id", "mjd_tdb", "bjd_tdb")
    )
    start = np.datetime64("1858-11-17", "us") + np.rint(mjd * 86_400_000).astype("m8[ms]")
    centre = int(nested_pixel(np.array([RA]), np.array([DEC]))[0]) >> 40
    constant = {
        "visit_id": visit, "detector": DETECTOR, "field_id": 1, "ra": RA, "dec": DEC,
        "n_x": 4088, "n_y": 4088,
        "observatory_source": "the Sun-Earth L2 point", "njy_per_unit": 100.0, "fraction_usable": 0.99,
        "fraction_saturated": 0.001, "median_background": 0.5, "background_noise": 0.1, "load_run_id": run,
        "footprint": np.array([[centre << 40, (centre + 1) << 40]]),
    }  # fmt: skip
    columns = {name: [value] * mjd.size for name, value in constant.items()} | {
        "exposure_id": identifiers, "exposure": np.arange(mjd.size), "optical_element": elements,
        "midpoint_mjd_utc": mjd, "midpoint_mjd_tdb": mjd, "midpoint_bjd_tdb": bjd, "day_mjd": mjd.astype(int),
        "file_id": _files(connection, identifiers, run), "exposure_start_time": start,
        "exposure_end_time": start + np.timedelta64(66, "s"),
    }  # fmt: skip
    copy_rows(connection, "roman.exposure", columns)
    return dict(zip(identifiers.tolist(), columns["file_id"], strict=True))


def _files(connection: sa.Connection, exposures: np.ndarray, run: int) -> list[int]:
    """Store a file for each exposure and return their identifiers."""
    rows = [(f"{exposure}_cal.asdf", f"{exposure:064x}") for exposure in exposures]
    return [
        insert(
            connection, "ops.input_file", kind="exposure", filename=name, path=f"/data/{name}",
            sha256=checksum, size_bytes=1000, load_run_id=run,
        )
        for name, checksum in rows
    ]  # fmt: skip


def _quality(connection: sa.Connection, run: int) -> None:
    """Zero-point drift of every exposure, one of them out of limits, one not measured."""
    connection.exec_driver_sql(
        f"""
        INSERT INTO ops.quality_metric (metric, exposure_id, value, lower, upper, verdict, load_run_id)
        SELECT 'zero_point_drift', exposure_id, value, -10, 10,
               CASE WHEN abs(value) <= 10 THEN 'good' ELSE 'warning' END, {run}
        FROM (
            SELECT exposure_id, CASE row_number() OVER (ORDER BY exposure_id)
                WHEN 1 THEN 12.5 WHEN 3 THEN 'NaN'::float8 ELSE 1.5 END AS value
            FROM roman.exposure
        ) AS measured
        """
    )


def _psf(connection: sa.Connection, run: int) -> None:
    """One PSF a day with moments at three nodes."""
    for day in DAYS:
        model = insert(
            connection,
            "roman.psf_model",
            detector=DETECTOR, optical_element="F146", epoch_mjd_tdb=day + 0.1, epoch_start_mjd_tdb=day,
            epoch_end_mjd_tdb=day + 0.2, exposure_id=epochs_of(day, "F146").exposure_id.tolist(),
            oversampling=4, size=5, x_node=[0.0, 2000.0], y_node=[2000.0], stamp=b"", n_star=10,
            origin="empirical", load_run_id=run,
        )  # fmt: skip
        for x in (100.0, 2040.0, 4000.0):
            insert(
                connection, "roman.psf_moment", psf_model_id=model, x=x, y=2040.0, fwhm=1.0 + x / 1e5,
                sigma=0.5, e1=0.01, e2=-0.01, psf_flags=0, load_run_id=run,
            )  # fmt: skip


#: Begin of the spans of the reference images, and the widths of their PSFs in the middle, arcsec.
SPANS, WIDTHS = (61461, 61469, 61477), (0.140, 0.142, 0.144)
#: Place on the last of them where nothing could be measured.
FAILED_PLACE = 24


def _references(connection: sa.Connection, run: int) -> None:
    """Three reference images; the PSF is wider along x, by a hundredth of its width from column to column."""
    place = np.arange(25)
    column = place % 5
    for start, width in zip(SPANS, WIDTHS, strict=True):
        image = insert(
            connection, "roman.reference_image", field_id=1, detector=DETECTOR, optical_element="F146",
            start_mjd=start, end_mjd=start + 8, epoch_mjd_tdb=start + 4.0, n_exposure=8, n_refused=0,
            exposure_time=528.0, oversampling=2, n_x=100, n_y=100, ra_ref=RA, dec_ref=DEC,
            rotation_matrix=[0.055, 0.0, 0.0, 0.055], pixel_scale=0.055, footprint="{[0,1)}", psf_fwhm=width,
            psf_n_star=400, psf_reduced_chi2=1.5, psf_residual_fraction=0.01, psf_fraction_optics=0.0,
            psf_fraction_other_day=0.25, path="a", sha256="b", size_bytes=1, load_run_id=run,
        )  # fmt: skip
        failed = (start == SPANS[-1]) & (place == FAILED_PLACE)
        moments = dict.fromkeys(("e2", "m30", "m21", "m12", "m03", "m31", "m13"), 0.0)
        moments |= {"sigma": width / 2.3, "e1": 0.02, "m40": 0.8, "m04": 0.84, "m22": 0.27}
        values = {name: np.where(failed, np.nan, value) for name, value in moments.items()}
        values["fwhm"] = np.where(failed, np.nan, width * (1 + 0.01 * (column - 2)))
        keys = {"reference_image_id": np.full(25, image), "load_run_id": np.full(25, run)}
        where = {
            "x": 9.5 + 20 * column,
            "y": 9.5 + 20 * (place // 5),
            "ra": np.full(25, RA),
            "dec": np.full(25, DEC),
        }
        flags = {"place_number": place, "psf_flags": np.where(failed, 3, 0)}
        copy_rows(connection, "roman.reference_psf_moment", keys | flags | where | values)


def _simulation(connection: sa.Connection, survey: Survey, run: int) -> None:
    """Truth of a scene: the first ten objects, each 0.01 arcsec to the north, and a source never seen."""
    scene = insert(connection, "roman.simulated_scene", name="scene", parameters={}, load_run_id=run)
    n = 11
    rows = {
        "scene_id": np.full(n, scene), "source_id": np.arange(n), "kind": ["constant"] * n,
        "ra": np.append(survey.ra[:10], 10.0), "dec": np.append(survey.dec[:10] + 0.01 / 3600, 10.0),
        "ref_epoch": np.full(n, 2027.0), "true_flux": [{"F146": 1000.0}] * n, "load_run_id": np.full(n, run),
    }  # fmt: skip
    copy_rows(connection, "roman.simulated_source", rows)


#: Injected sources of each of two magnitudes, how many of them are found, and how many detections of these
#: measured magnitudes are spurious.
N_INJECTED, N_FOUND, N_SPURIOUS = 20, {20.2: 18, 24.2: 5}, {20.2: 0, 24.2: 3}


def _injection(connection: sa.Connection, run: int) -> None:
    """An injection into one image: every second source of either magnitude is in a crowded place."""
    key = insert(
        connection, "roman.injection_run", name="trial", inject_medium="images", optical_element="F146",
        seed=1, n_source=2 * N_INJECTED, parameters={}, load_run_id=run,
    )  # fmt: skip
    insert(
        connection, "roman.injection_image", injection_run_id=key, image_number=0, level=2, source_path="a",
        path="b", n_inside=2 * N_INJECTED, load_run_id=run,
    )  # fmt: skip
    n = 2 * N_INJECTED
    common = {"injection_run_id": np.full(n, key), "load_run_id": np.full(n, run)}
    number, magnitude = np.arange(n), np.repeat(list(N_FOUND), N_INJECTED)
    flux = 10 ** ((31.400066 - magnitude) / 2.5)
    found = number % N_INJECTED < np.repeat(list(N_FOUND.values()), N_INJECTED)
    source = {"injected_source_id": number, **common}
    place = {"ra": RA + number / 3600, "dec": np.full(n, DEC)}
    copy_rows(
        connection, "roman.injected_source", {**source, **place, "kind": ["star"] * n, "true_flux": flux}
    )
    recovery = {
        "product": ["detection"] * n, "image_number": np.zeros(n, int), "is_detected": found,
        "distance": [10.0 if one else None for one in found],
        "measured_flux": [f if one else None for one, f in zip(found, flux, strict=True)],
        "density": np.where(number % 2 == 0, 50.0, 500.0),
    }  # fmt: skip
    copy_rows(connection, "roman.injection_recovery", {**source, **recovery})
    bad = np.repeat(list(N_SPURIOUS), list(N_SPURIOUS.values()))
    m = bad.size
    spurious = {
        "injection_run_id": np.full(m, key), "load_run_id": np.full(m, run), "product": ["detection"] * m,
        "image_number": np.zeros(m, int), "spurious_number": np.arange(m), "ra": np.full(m, RA),
        "dec": np.full(m, DEC), "measured_flux": 10 ** ((31.400066 - bad) / 2.5),
        "density": np.full(m, 500.0),
    }  # fmt: skip
    copy_rows(connection, "roman.spurious_detection", spurious)
    values = {"injection_run_id": key, "product": "detection", "load_run_id": run}
    sqlfile.run(connection, sqlfile.find("jobs", "detection_efficiency"), values)
