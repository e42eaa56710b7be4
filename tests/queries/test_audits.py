"""Audits find nothing wrong with a sound database, and each finds the fault that is its own."""

import pytest

from roman_db import session, sqlfile
from roman_db.query.audit import chosen, run_audits

from .filling import DAYS, RA

FIRST = "object_id = (SELECT min(object_id) FROM roman.object)"

#: Rows may refer to others that are not there.
UNCHECKED = "SET LOCAL session_replication_role = replica; "

#: The first image becomes one of a season with the others as parts, their weights and exposures as given.
SEASON_REFERENCE = """
UPDATE roman.reference_image SET reference_kind = 'season', n_exposure = {n_exposure}
WHERE reference_image_id = (SELECT min(reference_image_id) FROM roman.reference_image);
INSERT INTO roman.reference_image_part
    (reference_image_id, part_reference_image_id, is_used, weight, load_run_id)
SELECT r.reference_image_id, b.reference_image_id, true, {weight}, r.load_run_id
FROM roman.reference_image r JOIN roman.reference_image b ON b.reference_image_id > r.reference_image_id
WHERE r.reference_kind = 'season';
INSERT INTO roman.reference_image_exposure (reference_image_id, exposure_id, file_id, is_used, load_run_id)
SELECT reference_image_id, exposure_id, e.file_id, true, r.load_run_id
FROM roman.reference_image r, (SELECT * FROM roman.exposure ORDER BY exposure_id LIMIT 3) e
WHERE reference_kind = 'season'
"""

#: A mosaic of the first two images, with a share of each, and numbers of detectors and exposures as given.
FIELD_MOSAIC = (
    UNCHECKED
    + """
WITH two AS (SELECT * FROM roman.reference_image ORDER BY reference_image_id LIMIT 2),
mosaic AS (
    INSERT INTO roman.field_mosaic (field_id, optical_element, season, start_mjd, end_mjd, epoch_mjd_tdb,
        n_detector, n_exposure, exposure_time, ra_ref, dec_ref, x_ref, y_ref, pixel_scale, n_x, n_y,
        fraction_covered, empty_error, footprint, path, sha256, size_bytes, load_run_id)
    SELECT min(field_id), min(optical_element), 1, 61448, 61520, 61470, {n_detector},
        sum(n_exposure) + {more}, 60, 268, -29, 0, 0, 0.11, 10, 10, 1, 0.1, '{{}}', 'm.asdf', '', 1, 1
    FROM two RETURNING field_mosaic_id
)
INSERT INTO roman.field_mosaic_part
SELECT field_mosaic_id, reference_image_id, true, NULL, {share}, 0, 0, 0, 1 FROM two, mosaic;
"""
)
#: The two images are of two detectors, one field and one element.
_ALIKE = (
    UNCHECKED
    + "UPDATE roman.reference_image SET superseded_at = now(), optical_element = 'F146', field_id = 1, "
    "detector = 'WFI' || lpad(reference_image_id::text, 2, '0'); "
)

#: A block of exposures of the first season as one of others' light curves that begins on a day.
EXTERNAL = (
    "UPDATE roman.light_curve_block SET photometry_kind = 'external', detector = NULL, field_id = NULL, "
    "start_mjd = {} WHERE block_id = 1"
)

PHYSICAL = "INSERT INTO roman.event_physical_parameter VALUES (1, "

DIA_SOURCE = "0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 'new', 1)"

EXTINCTION = """
INSERT INTO roman.extinction
    (healpix_order, healpix_index, optical_element, clump_mag_intrinsic, n_star, status, load_run_id)
SELECT o, i, e, 14.6, 0, 'no_stars', 1 FROM (VALUES {}) AS cell (o, i, e)
"""

#: A season and when it was superseded of the solution; season, errors and correlations of its objects.
ASTROMETRY = (
    UNCHECKED
    + """
SELECT ops.open_astrometry_season(1::smallint);
WITH solution AS (
    INSERT INTO roman.astrometric_solution (season, superseded_at, photometry_kind, healpix_order,
        healpix_index, frame, n_exposure, n_frame_star, n_anchor, n_object, load_run_id)
    SELECT {}, 'psf', 6, min(object_id) >> 46, 'catalog', 0, 0, 0, 60, 1 FROM roman.object
    RETURNING astrometric_solution_id
)
INSERT INTO roman.object_astrometry (season, object_id, photometry_kind, astrometric_solution_id, status,
    ref_epoch, ra, dec, ra_err, dec_err, parallax, parallax_err, pm_ra, pm_ra_err, pm_dec, pm_dec_err,
    correlation, n_epoch, n_rejected, load_run_id)
SELECT {}, object_id, 'psf', s.astrometric_solution_id, 'five_parameters', 2028, ra, dec, 0.1, 0.1, 0.1, {},
    1, 0.1, 1, 0.1, array_fill({}::real, ARRAY[10]), 10, 0, 1
FROM roman.object, solution AS s
"""
)
INJECTED = """
INSERT INTO roman.injected_event
    (injection_run_id, injected_event_id, object_id, season, photometry_kind, kind, load_run_id)
VALUES (1, 1, 1, 0, 'psf', 'untouched', 1);
"""

RECOVERED = """
INSERT INTO roman.event_recovery (injection_run_id, injected_event_id, binary_class, is_failed,
    classification, is_selected, longest_run, has_planet, load_run_id)
VALUES (1, 1, '{}', false, 'not_selected', false, 0, false, 1);
"""

#: Events by number, season and first event; models by number, rank, twin and degeneracy.
HISTORY = """
INSERT INTO roman.event (event_id, object_id, season, photometry_kind, is_event, classification, t_0_guess,
    t_eff, search_shape, search_gain, n_point, load_run_id, same_as_event_id)
SELECT e, 7, s, 'psf', true, 'single_lens', 0, 1, 1, 500, 9, 1, f FROM (VALUES {}) AS v (e, s, f);
INSERT INTO roman.event_model (event_model_id, event_id, rank, name, n_lens, n_source, has_finite_source,
    has_parallax, chi2, n_point, n_parameter, bic, is_converged, software, load_run_id, twin_of, degeneracy)
SELECT m, 1, r, '1L1S', 1, 1, false, true, 9, 9, 7, 9, true, 'x', 1, b::bigint, d
FROM (VALUES {}) AS v (m, r, b, d);
"""
ALONE, LINKED = "(1, 1, NULL::bigint)", "(1, 1, NULL), (2, 2, 1)"
PLAIN, TWINS = "(1, 1, NULL, NULL)", "(1, 1, NULL, NULL), (2, 2, 1, 'ecliptic')"

EFFICIENCY = """
INSERT INTO roman.event_efficiency VALUES (1, 0, 1, 3, 20, 21, 0, 1, {}, 0, 0, 0, 0, 1, 1, 1);
"""

#: A cell of a field with more events than that of all fields, and one of a magnitude likewise.
OF_A_FIELD = """
INSERT INTO roman.event_efficiency VALUES (1, 0, 1, 3, 20, 21, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 7);
"""
OF_A_MAGNITUDE = """
INSERT INTO roman.planet_efficiency (injection_run_id, season, s_lower, s_upper, q_lower, q_upper, n_event,
    n_injected, n_recovered, n_failed, completeness, completeness_lower, completeness_upper, n_needed,
    load_run_id, magnitude_lower, magnitude_upper)
SELECT 1, 0, 1, 2, 1e-4, 1e-3, 0, n, 0, 0, 0, 0, 1, 1, 1, low, high
FROM (VALUES (0, 0, 99), (1, 18, 20)) c (n, low, high);
"""

REFINED = """
INSERT INTO roman.event_refinement
    (event_id, object_id, season, field_id, detector, status, n_exposure, ra_err, dec_err, ra_dec_corr,
    load_run_id)
VALUES (1, 1, 1, 1, 'WFI07', '{}', {}, {}, 0.3, 0.1, 1);
"""

#: Status, motion, errors and chi-square of a relative motion.
MOVED = (
    UNCHECKED
    + """
INSERT INTO roman.relative_proper_motion (event_id, season, method, status, n_season, n_exposure, pm_rel_ra,
    pm_rel_dec, pm_rel_ra_err, pm_rel_dec_err, pm_rel_corr, pm_rel, pm_rel_err, chi2_zero, load_run_id)
SELECT 1, 0, 'chromatic_shift', '{}', 2, 50, 3, 4, {}, 0.2, {}, 5, 0.2, {}, 1 FROM generate_series(1, {});
"""
)

#: Objects, pixels, reason and warning of an extraction, and the pixels of the arrays.
EXTRACTED = (
    UNCHECKED
    + """
INSERT INTO roman.spectral_extraction (spectral_extraction_id, exposure_id, file_id, search_radius, n_source,
    n_extracted, load_run_id) VALUES (1, 1, 1, 0.1, {}, {}, 1);
INSERT INTO roman.exposure_spectrum (spectral_extraction_id, object_id, warning, reason, n_pixel, wavelength,
    flux, flux_err, contamination, load_run_id) VALUES (1, 7, {}, {}, {}, '{}', '{{1}}', '{{1}}', '{{1}}', 1);
"""
)
#: Exposures of a combined spectrum of the object of the above, and whether it has a redshift.
COMBINED = """
INSERT INTO roman.spectrum (spectrum_id, object_id, spectrum_name, optical_element, n_exposure, n_pixel,
    wavelength, flux, flux_err, mask, flux_is_absolute, load_run_id)
VALUES (1, 7, 'x', 'GRISM', {}, 1, '{{1}}', '{{1}}', '{{1}}', '{{0}}', true, 1);
INSERT INTO roman.redshift (spectrum_id, warning, n_pixel, load_run_id) SELECT 1, 0, 1, 1 WHERE {};
INSERT INTO roman.spectrum_part VALUES (1, 1, 1);
"""
WHOLE = EXTRACTED.format(1, 1, 0, "NULL", 1, "{1}")

#: A fault for each audit, and how many rows it makes that audit return.
FAULTS = {
    "spectra": [
        (WHOLE + COMBINED.format(1, "true"), 0),
        (EXTRACTED.format(2, 1, 0, "NULL", 1, "{1}"), 1),
        (EXTRACTED.format(1, 1, 0, "NULL", 1, "{1, 2}"), 1),
        (EXTRACTED.format(1, 1, 0, "'both'", 1, "{1}"), 1),
        (EXTRACTED.format(1, 1, 1 << 20, "NULL", 1, "{1}"), 1),
        (WHOLE + COMBINED.format(2, "true"), 1),
        (WHOLE + COMBINED.format(1, "false"), 1),
    ],
    "astrometry": [
        (ASTROMETRY.format("1, NULL", "1", "0.1", "0"), 0),
        (ASTROMETRY.format("1, now()", "1", "0.1", "0"), 60),
        (ASTROMETRY.format("2, NULL", "1", "0.1", "0"), 60),
        (ASTROMETRY.format("1, NULL", "1", "0", "0"), 60),
        (ASTROMETRY.format("1, NULL", "1", "0.1", "1.5"), 60),
    ],
    "relative_motion": [
        (MOVED.format("measured", 0.2, 0.5, 600, 1), 0),
        (MOVED.format("measured", 0.2, 0.5, 600, 2), 1),
        (MOVED.format("measured", 0, 0.5, 600, 1), 1),
        (MOVED.format("measured", 0.2, 0.5, 6, 1), 1),
        (MOVED.format("consistent_with_zero", 0.2, 1.5, 6, 1), 1),
    ],
    "external_across_seasons": [
        (EXTERNAL.format(first_day), n_row) for first_day, n_row in ((61088, 1), (61448, 0))
    ],
    "block_epochs": [
        ("UPDATE roman.light_curve_block SET n_epoch = n_epoch + 1 WHERE block_id = 1", 1),
        ("UPDATE roman.light_curve_block SET midpoint_mjd_tdb[2] = start_mjd - 1 WHERE block_id = 2", 1),
        ("UPDATE roman.light_curve_block SET midpoint_bjd_tdb = midpoint_bjd_tdb[1:2] WHERE block_id < 3", 2),
        ("UPDATE roman.light_curve_block SET file_id = file_id[1:2] WHERE block_id < 3", 2),
        ("UPDATE roman.light_curve_block SET psf_model_id = '{}' WHERE block_id = 1", 1),
        (f"UPDATE roman.light_curve_block SET end_mjd = {DAYS[0]} WHERE block_id = 1", 1),
    ],
    "block_of_replaced_file": [
        ("UPDATE ops.input_file SET superseded_at = now() WHERE file_id = 3", 1),
        ("UPDATE roman.exposure SET file_id = 3 WHERE file_id < 3", 2),
        ("UPDATE roman.light_curve_block SET file_id[2] = NULL WHERE block_id = 1", 1),
    ],
    "block_without_segments": [
        ("DELETE FROM roman.light_curve_segment WHERE block_id = 1", 1),
        (
            "DELETE FROM roman.light_curve_summary WHERE block_id = 1 "
            f"AND {FIRST}",
            1,
        ),
    ],
    "difference_image": [
        (UNCHECKED + "INSERT INTO roman.dia_source VALUES (1, 0, NULL, " + DIA_SOURCE, 1),
        (UNCHECKED + "INSERT INTO roman.dia_source VALUES (1, 0, 5, " + DIA_SOURCE, 2),
        (
            UNCHECKED + "WITH m AS (INSERT INTO roman.reference_image_exposure "
            "(reference_image_id, exposure_id, file_id, is_used, load_run_id) VALUES (1, 1, 1, true, 1)) "
            "INSERT INTO roman.difference_image (reference_image_id, exposure_id, file_id, n_template, "
            "catalog_path, catalog_sha256, kernel_sum, template_share, reduced_chi2, fraction_beyond, "
            "n_source, load_run_id) VALUES (1, 1, 1, 9, 'x', 'x', 1, 0, 1, 0, 0, 1)",
            1,
        ),
    ],
    "event_history": [
        (UNCHECKED + HISTORY.format(LINKED, TWINS), 0),
        (UNCHECKED + HISTORY.format(LINKED + ", (3, 0, 2)", PLAIN), 1),
        (UNCHECKED + HISTORY.format("(1, 1, 1)", PLAIN), 1),
        (UNCHECKED + HISTORY.format(ALONE, PLAIN + ", (2, 2, 1, NULL)"), 1),
        (UNCHECKED + HISTORY.format(ALONE, "(1, 2, NULL, NULL), (2, 1, 1, 'ecliptic')"), 1),
    ],
    "event_recovery": [
        (INJECTED, 1),
        (INJECTED + RECOVERED.format("TP"), 1),
        (INJECTED + RECOVERED.format("FN"), 1),
        (RECOVERED.format("FP"), 1),
        (INJECTED + RECOVERED.format("TN") + EFFICIENCY.format(1), 1),
        (INJECTED + RECOVERED.format("TN") + EFFICIENCY.format(0) + OF_A_FIELD, 1),
        (INJECTED + RECOVERED.format("TN") + OF_A_MAGNITUDE, 1),
    ],
    "exposure_in_two_blocks": [
        (
            "UPDATE roman.light_curve_block b SET exposure_id[1] = other.exposure_id[1] "
            "FROM roman.light_curve_block other WHERE b.block_id = 1 AND other.block_id = 2",
            1,
        ),
    ],
    "extinction": [
        (EXTINCTION.format("(8, 5, 'F087'), (8, 5, 'F146')"), 1),
        (EXTINCTION.format("(8, 5, 'F087'), (8, 5, 'F146'), (8, 5, 'F213'), (10, 95, 'F146')"), 2),
    ],
    "flag_unknown": [
        (f"UPDATE roman.light_curve_segment SET flag_run = '{{{1 << 16 | 1 << 15}}}' WHERE block_id = 1", 60),
        (
            f"UPDATE roman.light_curve_segment SET flag_run = ARRAY[{30 << 32 | 1 << 16 | 1}] "
            f"WHERE block_id = 1 AND {FIRST}",
            1,
        ),
    ],
    "injection_recovery": [
        ("UPDATE roman.injection_recovery SET is_detected = NOT is_detected WHERE injected_source_id < 3", 3),
        ("DELETE FROM roman.injected_source WHERE injected_source_id = 5", 1),
        ("DELETE FROM roman.injection_image", 40),
    ],
    "static_catalog": [
        (
            "INSERT INTO roman.source (source_catalog_id, label, parent_label, is_extended, warning_flags, "
            "image_flags, load_run_id) VALUES (1, 1, 1, false, 0, 0, 1)",
            1,
        ),
        (
            "INSERT INTO roman.source (source_catalog_id, label, object_id, parent_label, is_extended, "
            "warning_flags, image_flags, load_run_id) VALUES (1, 1, 5, 1, false, 0, 0, 1)",
            2,
        ),
        (
            "INSERT INTO roman.source_catalog (exposure_id, set_name, epoch_mjd_tdb, threshold, aper_radius, "
            "n_source, n_matched, n_new, catalog_path, catalog_sha256, segmentation_path, "
            "segmentation_sha256, load_run_id) SELECT min(exposure_id), 'e' || n, 61465, 4.5, '{0.1}', 0, 0, "
            "0, 'a', 'b', 'c', 'd', 1 FROM roman.exposure, generate_series(1, 2) AS n GROUP BY n",
            1 + 2,  # two of one exposure are current, and of neither is it told
        ),
    ],
    "object_coordinates": [
        (f"UPDATE roman.object SET ra = ra - 360 WHERE {FIRST}", 1),
        ("UPDATE roman.object SET dec = 'NaN'", 60),
        ("UPDATE roman.object_history SET dec = -90.5", 1),
    ],
    "object_identifier": [
        (f"UPDATE roman.object SET ra = {RA + 0.01}", 60),
        (f"UPDATE roman.object SET dec = -dec WHERE {FIRST}", 1),
    ],
    "partition_cover": [
        ("DELETE FROM ops.light_curve_partition WHERE from_mjd > 61600", 4 + 2),
        ("INSERT INTO ops.light_curve_partition SELECT 61457, 61459, false", 4 + 1),
        ("UPDATE roman.light_curve_block SET end_mjd = 61700 WHERE block_id = 1", 1),
    ],
    "reference_psf": [
        ("DELETE FROM roman.reference_psf_moment WHERE place_number = 3", 3),
        ("UPDATE roman.reference_psf_moment SET psf_flags = 0", 1),
        ("UPDATE roman.reference_psf_moment SET psf_flags = 1 WHERE place_number = 24", 3),
        ("UPDATE roman.reference_psf_moment SET m31 = NULL WHERE place_number < 2", 6),
        ("UPDATE roman.reference_psf_moment SET fwhm = NULL WHERE place_number = 0", 3),
        ("UPDATE roman.reference_image SET psf_n_star = NULL", 0),
    ],
    "reference_unknown": [
        (f"UPDATE roman.object SET catalog_version_id = 99 WHERE {FIRST}", 1),
        ("UPDATE roman.object SET first_catalog_version_id = 99", 1),
        ("UPDATE roman.object_history SET replaced_by = 99", 1),
        ("UPDATE roman.object SET load_run_id = 98 + (object_id & 1)", 2),
    ],
    "refined_photometry": [
        (UNCHECKED + REFINED.format("fitted", 0, 0.3), 0),
        (UNCHECKED + REFINED.format("fitted", 0, 0.3) * 2, 1),
        (UNCHECKED + REFINED.format("fitted", 0, "NULL"), 1),
        (UNCHECKED + REFINED.format("far_off", 9, 0.3), 1),
    ],
    "run_not_reconciled": [
        ("UPDATE ops.load_run SET n_loaded = n_loaded + 1 WHERE load_run_id = 2", 1),
        ("DELETE FROM ops.load_rejection", 1),
        ("UPDATE ops.load_run SET n_read = 0, n_loaded = 0, n_rejected = 0 WHERE load_run_id = 2", 1),
        ("UPDATE ops.load_run SET state = 'running'", 4),
        ("UPDATE ops.load_run SET n_unchanged = 1000 WHERE load_run_id = 1", 1),
        # Rows got lost before they were counted: the two sides of loaded and read agree.
        ("UPDATE ops.load_run SET n_read = n_read - 1, n_loaded = n_loaded - 1 WHERE load_run_id > 2", 2),
        ("UPDATE ops.task_run SET n_expected = 2 WHERE unit = 'v'", 1),
        ("UPDATE ops.load_run SET state = 'succeeded' WHERE load_run_id = 2", 1),
        ("INSERT INTO ops.load_rejection SELECT 99, load_run_id, source, row_number, code, reason, remedy "
         "FROM ops.load_rejection", 1),
    ],
    "field_mosaic": [
        (_ALIKE + FIELD_MOSAIC.format(n_detector=2, more=0, share=0.5), 0),
        (_ALIKE + FIELD_MOSAIC.format(n_detector=2, more=0, share=0.4), 1),
        (_ALIKE + FIELD_MOSAIC.format(n_detector=3, more=0, share=0.5), 1),
        (_ALIKE + FIELD_MOSAIC.format(n_detector=2, more=1, share=0.5), 1),
        (
            _ALIKE + FIELD_MOSAIC.format(n_detector=2, more=0, share=0.5) + "UPDATE roman.reference_image "
            "SET optical_element = 'F087' WHERE reference_image_id = (SELECT min(reference_image_id) "
            "FROM roman.reference_image)",
            1,
        ),
        # One detector twice.
        (
            _ALIKE + FIELD_MOSAIC.format(n_detector=2, more=0, share=0.5)
            + "UPDATE roman.reference_image SET detector = 'WFI01'",
            1,
        ),
    ],
    "season_reference": [
        (SEASON_REFERENCE.format(n_exposure=3, weight=0.5), 0),
        (SEASON_REFERENCE.format(n_exposure=3, weight=0.4), 1),
        (SEASON_REFERENCE.format(n_exposure=4, weight=0.5), 1),
        (SEASON_REFERENCE.format(n_exposure=3, weight=0.5) + "; " + "UPDATE roman.reference_image "
         "SET reference_kind = 'span'", 2),
        ("UPDATE roman.reference_image SET reference_kind = 'season'", 3 + 3),
    ],
    "segment_length": [
        ("UPDATE roman.light_curve_segment SET flux_err = flux_err[1:2] WHERE block_id = 1", 60),
        ("UPDATE roman.astrometry_segment SET offset_dec_err = '{}' WHERE block_id = 2", 5),
    ],
    "lens_physics": [
        (UNCHECKED + PHYSICAL + "'Mtot', 'measured', 0.5, 0.6, 0.7, 0.68, 'solMass', 1)", 1),
        (UNCHECKED + PHYSICAL + "'Mtot', 'prior', NULL, 0.6, 0.7, 0.68, 'solMass', 1)", 1),
        (UNCHECKED + PHYSICAL + "'Mtot', 'limit', NULL, 0.6, 0.7, 0.95, 'solMass', 1)", 1),
        (
            UNCHECKED + PHYSICAL + "'D_L', 'measured', 9, 8, 10, 0.68, 'kpc', 1), "
            "(1, 'D_S', 'assumed', 8, 7, 9, 0.68, 'kpc', 1)",
            1,
        ),
        (
            UNCHECKED + "INSERT INTO roman.event_physical VALUES (1, 'mass_measured', 'measured', "
            "'measured', 'measured', 'done', 'positive', NULL, 0, true, 1, 1, NULL, false)",
            1,
        ),
    ],
    "segment_without_block": [
        (
            "INSERT INTO roman.light_curve_segment SELECT object_id, 99, start_mjd, flux, flux_err, flag_run "
            "FROM roman.light_curve_segment WHERE block_id = 1",
            1,
        ),
        (
            "INSERT INTO roman.shape_segment "
            "SELECT object_id, 98, start_mjd, flux, flux, flux, flux, flux, flux, flux "
            "FROM roman.light_curve_segment WHERE block_id = 1",
            1,
        ),
    ],
    "summary_of_points": [
        ("UPDATE roman.light_curve_summary SET n_flagged = n_flagged + 1 WHERE block_id = 1", 60),
        ("UPDATE roman.light_curve_summary SET n_point = 1 WHERE block_id = 1 AND n_flagged = 0", 58),
        (
            "UPDATE roman.light_curve_segment SET flux[1] = 'NaN' WHERE block_id = 2 "
            f"AND {FIRST}",
            1,
        ),
    ],
}  # fmt: skip
CASES = [(name, fault, n) for name, faults in FAULTS.items() for fault, n in faults]


def test_every_audit_has_a_fault():
    assert set(FAULTS) == {file.name for file in sqlfile.read_all("audits")}


def test_a_sound_database_passes(survey):
    assert [result.name for result in run_audits(chosen([]), 0) if not result.passed] == []


@pytest.fixture
def connection(survey):
    """A transaction that is rolled back, in which no constraint refuses the fault first."""
    with session.engine().connect() as connection, connection.begin() as transaction:
        checks = connection.exec_driver_sql(
            "SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype = 'c' AND conparentid = 0 "
            "AND connamespace IN ('roman'::regnamespace, 'ops'::regnamespace)"
        ).all()
        for table, name in checks:
            connection.exec_driver_sql(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        yield connection
        transaction.rollback()


@pytest.mark.parametrize(("name", "fault", "n_row"), CASES)
def test_a_planted_fault_is_found(connection, name, fault, n_row):
    assert connection.exec_driver_sql(fault).rowcount > 0
    assert len(sqlfile.run(connection, sqlfile.find("audits", name), {}).all()) == n_row


@pytest.mark.parametrize(
    "file", [f for f in sqlfile.read_all("audits") if f.parameters], ids=lambda file: file.name
)
def test_earlier_days_can_be_left_out(connection, file):
    if file.parameters[0].name == "from_mjd":
        fault, _ = FAULTS[file.name][0]
        connection.exec_driver_sql(fault)
        assert sqlfile.run(connection, file, {"from_mjd": DAYS[2]}).all() == []
