"""What the pages ask the database; ``load.py`` alone sends it."""

#: The run of that number, or the latest of some modes.
RUN = """
SELECT load_run_id, task, arguments, state, started_at, finished_at, code_version, n_expected, n_loaded,
       n_rejected, message
FROM ops.load_run
WHERE load_run_id = coalesce(
    CAST(:load_run_id AS bigint),
    (SELECT max(load_run_id) FROM ops.load_run WHERE task = ANY(CAST(:titles AS text[]))))
"""

TASKS = """
SELECT task, count(*) FILTER (WHERE state = 'succeeded') AS n_succeeded,
       count(*) FILTER (WHERE state IN ('failed', 'interrupted')) AS n_failed,
       sum(coalesce(finished_at, started_at) - started_at) AS work, min(started_at) AS started_at
FROM ops.task_run WHERE load_run_id = :load_run_id GROUP BY task ORDER BY min(started_at)
"""

FAILED = """
SELECT task, unit, state, message FROM ops.task_run
WHERE load_run_id = :load_run_id AND state IN ('failed', 'interrupted') ORDER BY task_run_id
"""

REJECTIONS = """
SELECT source, code, reason, remedy FROM ops.load_rejection
WHERE load_run_id = :load_run_id ORDER BY load_rejection_id
"""

CATALOGS = """
SELECT catalog_version_id, name, n_new, n_changed, n_unchanged, n_merged, n_missing, n_dropped, n_restored
FROM roman.catalog_version WHERE load_run_id = :load_run_id ORDER BY catalog_version_id
"""

BLOCKS = """
SELECT photometry_kind, optical_element, count(*) AS n_block, sum(n_epoch)::bigint AS n_exposure,
       sum(n_object)::bigint AS n_object, sum(n_point)::bigint AS n_point
FROM roman.light_curve_block WHERE load_run_id = :load_run_id
GROUP BY photometry_kind, optical_element ORDER BY photometry_kind DESC, optical_element
"""

#: Images that a run made, searched or compared, the last of each span; an image is searched by one run.
IMAGES = """
SELECT DISTINCT ON (r.start_mjd, r.field_id, r.detector, r.optical_element, r.reference_kind)
       r.reference_image_id, r.load_run_id = :load_run_id AS is_made
FROM roman.reference_image r
WHERE r.load_run_id = :load_run_id
   OR (SELECT s.load_run_id FROM roman.reference_source s
       WHERE s.reference_image_id = r.reference_image_id LIMIT 1) = :load_run_id
   OR EXISTS (SELECT FROM roman.difference_image d
              WHERE d.minuend_reference_image_id = r.reference_image_id AND d.load_run_id = :load_run_id)
ORDER BY r.start_mjd, r.field_id, r.detector, r.optical_element, r.reference_kind, r.reference_image_id DESC
"""

MADE = "SELECT count(*) FROM roman.reference_image WHERE load_run_id = :load_run_id"

IMAGE = """
SELECT r.reference_image_id, f.name AS field, r.detector, r.optical_element, r.start_mjd, r.end_mjd,
       r.epoch_mjd_tdb, r.n_exposure, r.n_refused, r.exposure_time, r.oversampling, r.n_x, r.n_y, r.ra_ref,
       r.dec_ref, r.pixel_scale, r.limiting_mag, r.psf_model_id, r.psf_fwhm, p.n_star AS psf_n_star,
       p.epoch_mjd_tdb AS psf_epoch, r.psf_n_star AS psf_n_star_all, r.psf_reduced_chi2,
       r.psf_residual_fraction, r.psf_fraction_optics, r.psf_fraction_other_day, r.path, r.sha256,
       r.size_bytes, r.superseded_at IS NOT NULL AS is_superseded, r.load_run_id, r.rotation_matrix,
       r.is_judged, r.psf_error,
       (SELECT count(*) FROM roman.reference_image b
        WHERE b.field_id = r.field_id AND b.detector = r.detector AND b.optical_element = r.optical_element
          AND b.reference_kind = 'span' AND r.reference_kind = 'span'
          AND b.start_mjd < r.start_mjd AND b.superseded_at IS NULL) AS n_before
FROM roman.reference_image r JOIN roman.field f USING (field_id)
LEFT JOIN roman.psf_model p USING (psf_model_id)
WHERE r.reference_image_id = :reference_image_id
"""

EXPOSURES = """
SELECT f.path AS name, e.midpoint_mjd_tdb AS time, m.is_used, m.refused, m.shift_ra AS east,
       m.shift_dec AS north, m.shift_ra_err AS east_err, m.shift_dec_err AS north_err, m.sky,
       m.flux_scale AS scale, m.fraction_rejected AS rejected
FROM roman.reference_image_exposure m JOIN roman.exposure e USING (exposure_id)
JOIN ops.input_file f ON f.file_id = m.file_id
WHERE m.reference_image_id = :reference_image_id ORDER BY e.midpoint_mjd_tdb
"""

PSF = """
SELECT x, y, fwhm, e1, e2, sqrt(m30 ^ 2 + m21 ^ 2 + m12 ^ 2 + m03 ^ 2) AS third, (m40 + m04) / 2 AS fourth,
       psf_flags::bigint AS flags
FROM roman.reference_psf_moment WHERE reference_image_id = $1 ORDER BY place_number
"""

#: What was measured of an image, in the order in which the limits are listed in the documentation.
IMAGE_METRICS = """
SELECT metric, value, lower, upper, verdict FROM ops.quality_metric
WHERE reference_image_id = :reference_image_id ORDER BY quality_metric_id
"""

SOURCES = """
SELECT object_id, state, x, y, psf_flux::float8 AS flux, psf_flux_err::float8 AS flux_err,
       size_excess::float8 AS size, coalesce(is_extended, false) AS is_extended,
       reduced_chi2::float8 AS reduced_chi2, coalesce(flags, 0)::bigint AS flags
FROM roman.reference_source WHERE reference_image_id = $1 ORDER BY object_id
"""

DIFFERENCE = """
SELECT d.difference_image_id, d.reference_image_id AS template_id, t.start_mjd AS template_start_mjd,
       t.end_mjd AS template_end_mjd, d.kernel_sum, d.template_share, d.reduced_chi2, d.fraction_beyond,
       d.n_source
FROM roman.difference_image d JOIN roman.reference_image t ON t.reference_image_id = d.reference_image_id
WHERE d.minuend_reference_image_id = :reference_image_id ORDER BY d.difference_image_id DESC LIMIT 1
"""

CHANGES = """
SELECT source_number::bigint AS number, coalesce(object_id, -1) AS object_id, kind, x, y, ra, dec,
       psf_flux::float8 AS flux, psf_flux_err::float8 AS flux_err, reduced_chi2::float8 AS reduced_chi2
FROM roman.dia_source WHERE difference_image_id = $1 ORDER BY source_number
"""
